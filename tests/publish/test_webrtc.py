"""Encoding for WebRTC: nothing held back, times from the frame index, sound where it belongs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from skimage.data import astronaut

from avatar.publish.webrtc import AudioEncoder, PacketTrack, VideoEncoder, WebRtcPublisher
from avatar.types import AvatarState, SyncedFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.publish.webrtc import VideoCodec

DECODERS = {"H264": "h264", "VP8": "libvpx"}
CODECS = tuple(DECODERS)


def pictures(n: int) -> list[NDArray[np.uint8]]:
    photo = astronaut()
    return [np.ascontiguousarray(np.roll(photo, shift, axis=1)) for shift in range(n)]


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2)))


@pytest.mark.parametrize("codec", CODECS)
def test_every_picture_comes_out_at_once_and_looks_like_itself(codec: VideoCodec):
    encoder = VideoEncoder(codec)
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    for index, picture in enumerate(pictures(12)):
        packets = encoder.encode(picture, index)
        assert [packet.pts for packet in packets] == [index * 3600]
        shown = [frame for packet in packets for frame in decoder.decode(packet)]
        assert psnr(shown[0].to_ndarray(format="rgb24"), picture) > 26


@pytest.mark.parametrize("codec", CODECS)
def test_a_complete_picture_comes_first_and_whenever_it_is_asked_for(codec: VideoCodec):
    encoder = VideoEncoder(codec)
    complete = []
    for index, picture in enumerate(pictures(8)):
        if index == 5:
            encoder.request_keyframe()
        complete += [packet.is_keyframe for packet in encoder.encode(picture, index)]
    assert complete == [True, False, False, False, False, True, False, False]


def test_a_click_is_decoded_at_its_own_sample():
    encoder = AudioEncoder()
    decoder = av.CodecContext.create("libopus", "r")
    sound = np.zeros((10, 1920), np.float32)
    sound[6, 700:712] = 0.9
    loudest, at = 0.0, 0
    for index in range(10):
        for packet in encoder.encode(sound[index], index):
            for frame in decoder.decode(packet):
                pcm = np.abs(frame.to_ndarray()).reshape(-1)
                if pcm.max() > loudest:
                    loudest, at = float(pcm.max()), packet.pts + int(pcm.argmax())
    assert abs(at - (6 * 1920 + 706)) <= 96  # 2 ms: the coder's own filters


def test_packets_of_sound_follow_each_other_every_20_ms():
    encoder = AudioEncoder()
    times = [packet.pts for index in range(4) for packet in encoder.encode(np.zeros(1920, np.float32), index)]
    assert np.diff(times).tolist() == [960] * (len(times) - 1)


async def test_a_track_that_nobody_reads_keeps_only_the_newest():
    track = PacketTrack("video")
    packets = [av.Packet(bytes([n])) for n in range(25)]
    kept = [track.put(packet) for packet in packets]
    assert kept == [True] * 10 + [False] * 15
    assert bytes(await track.recv()) == bytes([15])


async def test_a_stopped_track_tells_its_reader():
    track = PacketTrack("audio")
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.recv()


async def test_a_published_frame_leaves_as_picture_and_sound():
    publisher = WebRtcPublisher(PacketTrack("video"), PacketTrack("audio"), "VP8")
    picture = pictures(1)[0]
    await publisher.publish(SyncedFrame(picture, np.zeros(1920, np.float32), 7, AvatarState.IDLE))
    video, first, second = await publisher.video.recv(), await publisher.audio.recv(), await publisher.audio.recv()
    publisher.close()
    assert video.pts == 7 * 3600
    assert second.pts - first.pts == 960


async def test_who_publishes_goes_on_when_the_connection_ends_in_the_middle_of_a_frame():
    publisher = WebRtcPublisher(PacketTrack("video"), PacketTrack("audio"), "H264")
    frames = [
        SyncedFrame(picture, np.zeros(1920, np.float32), index, AvatarState.IDLE)
        for index, picture in enumerate(pictures(3))
    ]
    publishing = [asyncio.create_task(publisher.publish(frame)) for frame in frames]
    await asyncio.sleep(0)
    publisher.close()
    await asyncio.gather(*publishing)


async def test_sound_keeps_its_order_when_frames_come_one_after_the_other():
    publisher = WebRtcPublisher(PacketTrack("video"), PacketTrack("audio"), "VP8")
    picture = pictures(1)[0]
    for index in range(3):
        await publisher.publish(SyncedFrame(picture, np.zeros(1920, np.float32), index, AvatarState.IDLE))
    times = [(await publisher.audio.recv()).pts for _ in range(6)]
    publisher.close()
    assert times == sorted(times)
    assert np.diff(times).tolist() == [960] * 5
