"""The WebRTC connection with aiortc at the other end, standing in for a browser."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole
from aiortc.mediastreams import AudioStreamTrack

from agent.web.peer import Peer
from avatar.errors import InputError
from avatar.types import AvatarState, SyncedFrame
from tests.web.ether import Ether

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from aiortc import RTCRtpReceiver
    from numpy.typing import NDArray


def frame(index: int) -> SyncedFrame:
    rgb = np.full((64, 64, 3), 40 + 4 * (index % 40), np.uint8)
    sound = 0.3 * np.sin(2 * np.pi * 440 * (index * 1920 + np.arange(1920)) / 48_000)
    return SyncedFrame(rgb, sound.astype(np.float32), index, AvatarState.SPEAKING)


@asynccontextmanager
async def connected(
    peer: Peer, codec: str = "video/H264", ether: Ether | None = None
) -> AsyncGenerator[RTCPeerConnection]:
    """Yields a browser's end that is connected to `peer`, with a microphone that hums nothing."""
    browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    browser.addTrack(AudioStreamTrack())
    video = browser.addTransceiver("video", direction="recvonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([each for each in codecs if each.mimeType == codec])
    ready = {browser: asyncio.Event(), peer._connection: asyncio.Event()}
    for end, event in ready.items():
        end.on("connectionstatechange", lambda end=end, event=event: end.connectionState == "connected" and event.set())
    await browser.setLocalDescription(await browser.createOffer())
    offer = browser.localDescription.sdp
    answer = await peer.answer(await ether.offered(offer) if ether else offer)
    answer = ether.answered(answer) if ether else answer
    await browser.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    try:
        await asyncio.wait_for(asyncio.gather(*(event.wait() for event in ready.values())), 10)
        yield browser
    finally:
        await browser.close()
        await peer.close()


def receiver(browser: RTCPeerConnection, kind: str) -> RTCRtpReceiver:
    return next(each for each in browser.getReceivers() if each.track.kind == kind)


@pytest.mark.parametrize("codec", ["video/H264", "video/VP8"])
async def test_picture_and_sound_arrive_with_the_times_of_their_frames(codec: str):
    peer = Peer(lambda _: None)
    async with connected(peer, codec) as browser:
        shown: list[int] = []
        heard: list[NDArray[np.int16]] = []

        async def take_picture() -> None:
            while len(shown) < 10:
                picture = await receiver(browser, "video").track.recv()
                shown.append(picture.pts)

        async def take_sound() -> None:
            while len(heard) < 10:
                heard.append((await receiver(browser, "audio").track.recv()).to_ndarray())

        async def publish() -> None:
            for index in range(1000):
                await peer.publish(frame(index))
                await asyncio.sleep(0.005)

        publishing = asyncio.create_task(publish())
        await asyncio.wait_for(asyncio.gather(take_picture(), take_sound()), 20)
        publishing.cancel()
        assert np.diff(shown).tolist() == [3600] * 9
        assert max(int(np.abs(packet).max()) for packet in heard) > 3000


async def test_a_receiver_that_lost_the_picture_gets_a_complete_one():
    peer = Peer(lambda _: None)
    async with connected(peer, "video/VP8") as browser:
        sent: list[bool] = []
        publisher = peer._publisher
        encode = publisher._video.encode

        def noted(rgb: NDArray[np.uint8], index: int):
            packets = encode(rgb, index)
            sent.append(packets[0].is_keyframe)
            return packets

        publisher._video.encode = noted
        blackhole = MediaBlackhole()
        blackhole.addTrack(receiver(browser, "video").track)
        await blackhole.start()
        for index in range(5):
            await peer.publish(frame(index))
        assert sum(sent) == 1
        video = receiver(browser, "video")
        await video._send_rtcp_pli(next(iter(video._RTCRtpReceiver__remote_streams)))
        for index in range(5, 400):
            await peer.publish(frame(index))
            if sum(sent) == 2:
                break
        assert sum(sent) == 2
        await blackhole.stop()


async def test_the_microphone_is_heard_in_mono_at_16_khz():
    heard: list[NDArray[np.float32]] = []
    enough = asyncio.Event()

    def hear(samples: NDArray[np.float32]) -> None:
        heard.append(samples)
        if len(heard) >= 5:
            enough.set()

    async with connected(Peer(hear)):
        await asyncio.wait_for(enough.wait(), 10)
    assert all(samples.dtype == np.float32 and samples.ndim == 1 for samples in heard)
    assert 100 <= np.mean([len(samples) for samples in heard[1:]]) <= 640


async def test_an_offer_without_video_is_refused():
    browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    browser.addTransceiver("audio")
    offer = await browser.createOffer()
    peer = Peer(lambda _: None)
    with pytest.raises(InputError, match="one audio and one video section, got audio"):
        await peer.answer(offer.sdp)
    await peer.close()
    await browser.close()


async def test_connections_come_and_go_without_a_trace():
    # The loop's own pool grows by a thread whenever none is idle: with one thread, what grows is the connections'.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    bystanders = asyncio.all_tasks()

    async def come_and_go() -> None:
        peer = Peer(lambda _: None)
        async with connected(peer):
            await peer.publish(frame(0))

    await asyncio.to_thread(int)
    await come_and_go()
    threads = set(threading.enumerate())
    for _ in range(20):
        await come_and_go()
    # What is still about to end gets the time to do so; what never ends fails here.
    if remaining := asyncio.all_tasks() - bystanders:
        _, pending = await asyncio.wait(remaining, timeout=10)
        assert not pending
    for thread in set(threading.enumerate()) - threads:
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()


async def test_frames_before_the_connection_stands_are_not_encoded():
    peer = Peer(lambda _: None)
    await peer.publish(frame(0))
    assert not peer.connected
    await peer.close()


async def test_after_ten_seconds_without_network_picture_and_sound_go_on_and_so_does_the_microphone():
    heard: list[NDArray[np.float32]] = []
    peer = Peer(heard.append)
    async with Ether() as ether, connected(peer, ether=ether) as browser:
        latest = {"video": -1, "audio": -1}
        news = asyncio.Event()

        async def take(kind: str, clock: int) -> None:
            track = receiver(browser, kind).track
            while True:
                latest[kind] = (await track.recv()).pts // clock
                news.set()

        taking = [asyncio.create_task(take(kind, clock)) for kind, clock in (("video", 3600), ("audio", 1920))]
        index = 0

        async def publish_until(ready: Callable[[], bool]) -> None:
            nonlocal index
            async with asyncio.timeout(60):
                while not ready():
                    await peer.publish(frame(index))
                    index += 1
                    await asyncio.sleep(0.04)

        await publish_until(lambda: min(latest.values()) > 5 and bool(heard))
        ether.dark = True
        dark_from = index
        await publish_until(lambda: index == dark_from + 250)
        assert ether.n_lost > 250
        assert max(latest.values()) < index - 200
        n_heard = len(heard)
        ether.dark = False
        bright_from = index
        await publish_until(lambda: min(latest.values()) >= bright_from and len(heard) > n_heard)
        assert peer.connected
        assert browser.connectionState == "connected"
        for task in taking:
            task.cancel()
        await asyncio.gather(*taking, return_exceptions=True)
