"""Picture and sound over a socket: a frame is one message, the microphone comes back resampled."""

from __future__ import annotations

import asyncio
import struct
from types import SimpleNamespace
from typing import TYPE_CHECKING

import aiohttp
import av
import numpy as np
import pytest
from skimage.data import astronaut

from agent.web.wire import MAX_SOUND, Wire, pack_frame
from avatar.types import AvatarState, SyncedFrame
from tests.web.conftest import visiting

if TYPE_CHECKING:
    from tests.web.talker import Theatre


def test_a_packed_frame_holds_its_index_its_sound_and_its_picture():
    sound = np.linspace(-1, 1, 1920, dtype=np.float32)
    rgb = np.ascontiguousarray(astronaut())
    packed = pack_frame(SyncedFrame(rgb, sound, 77, AvatarState.IDLE))
    assert struct.unpack_from("<I", packed) == (77,)
    assert np.allclose(np.frombuffer(packed, "<i2", 1920, 4) / 32767, sound, atol=1e-4)
    picture = av.CodecContext.create("mjpeg", "r").decode(av.Packet(packed[4 + 2 * 1920 :]))[0]
    assert np.abs(picture.to_ndarray(format="rgb24").astype(int) - rgb).mean() < 4


async def test_frames_arrive_in_order_and_the_microphone_is_heard_at_16_khz(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        session = (await page.wait_for("welcome"))["session"]
        await page.wait_for("loading", ready=True)
        async with visitor.client.ws_connect(f"{visitor.url}api/sessions/{session}/media", max_msg_size=0) as media:
            indices = [struct.unpack_from("<I", await media.receive_bytes(timeout=10))[0] for _ in range(10)]
            assert np.diff(indices).tolist() == [1] * 9
            hearing = asyncio.create_task(theatre.conversations[0].hear_more(0.4))
            for _ in range(25):
                await media.send_bytes(np.full(960, 8192, "<i2").tobytes())
            await asyncio.wait_for(hearing, 10)
            assert np.concatenate(theatre.conversations[0].heard)[-100:].mean() == pytest.approx(0.25, abs=0.01)


async def test_odd_and_oversized_sound_harms_nobody(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        session = (await page.wait_for("welcome"))["session"]
        await page.wait_for("loading", ready=True)
        url = f"{visitor.url}api/sessions/{session}/media"
        async with visitor.client.ws_connect(url, max_msg_size=0) as media:
            await media.send_bytes(b"odd")
            await media.send_str("text")
            await media.receive_bytes(timeout=10)
            await media.send_bytes(bytes(MAX_SOUND + 2))
            while (message := await media.receive(timeout=10)).type is aiohttp.WSMsgType.BINARY:
                pass
            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        await page.send(type="ask", text="hello")
        await page.wait_for("caption", text="hello")


async def test_who_publishes_goes_on_when_the_socket_closes_in_the_middle_of_a_frame():
    frame = SyncedFrame(np.ascontiguousarray(astronaut()), np.zeros(1920, np.float32), 0, AvatarState.IDLE)
    wire = Wire(SimpleNamespace(closed=False), lambda _: None)
    publishing = asyncio.create_task(wire.publish(frame))
    await asyncio.sleep(0)
    await wire.close()
    await publishing
    await wire.publish(frame)


async def test_a_stranger_has_no_media(theatre: Theatre):
    async with visiting(theatre) as visitor:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await visitor.client.ws_connect(f"{visitor.url}api/sessions/nobody/media")
