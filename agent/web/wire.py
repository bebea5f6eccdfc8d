"""Picture and sound over a WebSocket, where WebRTC finds no network: one message is one synchronised frame.

Browsers gather no candidates on a machine whose only interface is the loopback one (a laptop in flight mode, an
isolated kiosk), and UDP does not pass tunnels. The page then opens this socket by itself.
"""

from __future__ import annotations

import asyncio
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from aiohttp import WSMsgType

from avatar.audio import Resampler, from_int16, to_int16
from avatar.types import OUTPUT_RATE, SPEECH_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web
    from numpy.typing import NDArray

    from avatar.types import SyncedFrame

JPEG_QUALITY: Final = 88

MAX_SOUND: Final = 2 * OUTPUT_RATE
"""Bytes of one message of the microphone: a second."""

_HEADER: Final = struct.Struct("<I")
_WAITING: Final = 10


def pack_frame(frame: SyncedFrame) -> bytes:
    """Returns a frame's index (uint32), sound (1920 samples of int16) and picture (JPEG), little-endian."""
    encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )[1]
    return _HEADER.pack(frame.index) + to_int16(frame.audio).astype("<i2").tobytes() + encoded.tobytes()


class Wire:
    """One open socket with frames out and the microphone in.

    Args:
        socket: The socket, prepared.
        hear: Takes the user's sound, float32 (n_samples,) at 16 kHz.
    """

    def __init__(self, socket: web.WebSocketResponse, hear: Callable[[NDArray[np.float32]], None]) -> None:
        self._socket = socket
        self._hear = hear
        self._closed = False
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encode")

    @property
    def connected(self) -> bool:
        """Whether frames reach the page."""
        return not self._socket.closed

    async def publish(self, frame: SyncedFrame) -> None:
        """Sends one frame; a page that is slow loses the oldest that wait for it."""
        if self._closed:
            return
        packed = await asyncio.get_running_loop().run_in_executor(self._thread, pack_frame, frame)
        if self._frames.qsize() >= _WAITING:
            self._frames.get_nowait()
        self._frames.put_nowait(packed)

    async def close(self) -> None:
        """Ends the connection; a frame that is being encoded is let through, so that who publishes it goes on."""
        self._closed = True
        self._frames.put_nowait(None)
        self._thread.shutdown(wait=False)

    async def serve(self) -> None:
        """Sends and receives until either side ends."""
        writer = asyncio.create_task(self._write())
        resampler = Resampler(OUTPUT_RATE, SPEECH_RATE)
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY and len(message.data) % 2 == 0:
                    samples = resampler.push(from_int16(np.frombuffer(message.data, "<i2")))
                    if len(samples):
                        self._hear(samples)
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    async def _write(self) -> None:
        while (packed := await self._frames.get()) is not None:
            try:
                await self._socket.send_bytes(packed)
            except ConnectionError:
                return
        await self._socket.close()
