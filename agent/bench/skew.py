"""The way of a flash and a click through the whole live path into a WebRTC client of its own process."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from agent.web.peer import Peer
from avatar.errors import EndpointError
from avatar.stream import LiveStream
from avatar.types import FRAME_RATE, OUTPUT_RATE, SPEECH_RATE, AudioChunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.stream import AvatarStream
    from avatar.types import SyncedFrame

_INTERVAL: Final = FRAME_RATE
"""Frames between two flashes."""

_PATIENCE: Final = 30.0
_CLICK_SECONDS: Final = 0.01
_WARM_UP_FRAMES: Final = FRAME_RATE


async def measure_skew(stream: AvatarStream, speech: NDArray[np.float32], n_flashes: int) -> list[float]:
    """Returns by how many seconds each flash came after its click, as a client in another process received them.

    The face speaks all the while; flashes and clicks take the place of some of its frames, whose sound is silenced.

    Args:
        stream: The face.
        speech: What it says again and again, float32 (n_samples,) at 16 kHz.
        n_flashes: How many flashes, one a second.

    Raises:
        EndpointError: The client does not connect, or ends early.
    """
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent.bench.receiver",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        limit=1 << 20,
    )
    peer = Peer(lambda _: None)
    try:
        offer = await _line(client)
        await _tell(client, {"answer": await peer.answer(offer["offer"])})
        await _line(client)  # it is connected
        await _show(stream, speech, peer, _WARM_UP_FRAMES + n_flashes * _INTERVAL)
        await _tell(client, {"end": True})
        return [float(value) for value in (await _line(client))["skew"]]
    finally:
        await peer.close()
        if client.returncode is None:
            client.kill()
        await client.wait()


async def _show(stream: AvatarStream, speech: NDArray[np.float32], peer: Peer, n_frames: int) -> None:
    live = LiveStream(stream)
    await asyncio.to_thread(live.__enter__)
    try:
        async with aclosing(live.frames()) as frames:
            n_shown = 0
            async for frame in frames:
                if stream.n_unheard < FRAME_RATE:
                    stream.push_audio(AudioChunk(speech, SPEECH_RATE), "bench")
                await peer.publish(_marked(frame, flash=n_shown >= _WARM_UP_FRAMES and n_shown % _INTERVAL == 0))
                n_shown += 1
                if n_shown == n_frames:
                    break
        stream.interrupt()
    finally:
        await asyncio.to_thread(live.__exit__, None, None, None)


def _marked(frame: SyncedFrame, *, flash: bool) -> SyncedFrame:
    audio = np.zeros_like(frame.audio)
    if not flash:
        return replace(frame, audio=audio)
    n_samples = round(_CLICK_SECONDS * OUTPUT_RATE)
    audio[:n_samples] = 0.9 * np.sin(2 * np.pi * 1000 / OUTPUT_RATE * np.arange(n_samples))
    return replace(frame, rgb=np.full_like(frame.rgb, 255), audio=audio)


async def _line(client: asyncio.subprocess.Process) -> dict[str, Any]:
    if client.stdout is None:
        raise RuntimeError("the client has no output")
    try:
        async with asyncio.timeout(_PATIENCE):
            line = await client.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise EndpointError("measuring skew", expected="an answer of the bench's WebRTC client", got="none")
    return json.loads(line)


async def _tell(client: asyncio.subprocess.Process, message: dict[str, object]) -> None:
    if client.stdin is None:
        raise RuntimeError("the client has no input")
    client.stdin.write(json.dumps(message).encode() + b"\n")
    await client.stdin.drain()
