"""Measures how many LiveKit rooms this machine carries: pictures that come late, and cores used, room by room.

    python -m scripts.bench_room [--most 4] [--seconds 20] [--conversation]
    python -m scripts.bench_room --skew [--seconds 100]

Every room's avatar speaks all the time, which is the worst for pictures; with `--conversation` every caller asks a
question each twelve seconds, which is heard, answered and spoken. Nobody decodes the pictures: callers are elsewhere.
It stops after the first number of rooms with more than 1 % late pictures.

With `--skew`, a caller in a process of its own measures in one room by how much the sound comes after its picture:
while the avatar speaks, a square in the corner of a picture and a click in its sound mark the same moment.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from livekit import rtc

from agent.commands.speak import synthesized
from agent.config import load_config
from agent.parts import load_tts
from agent.room.capacity import measure_capacity, usable_cores
from agent.room.models import ModelLoop
from agent.room.worker import RoomWorker, WorkerOptions
from agent.web.conversation import Say
from agent.web.gallery import PhotoGallery
from agent.web.live import LiveConversation, LiveEngine
from avatar.audio import resampled
from avatar.types import FRAME_RATE, OUTPUT_RATE
from tests.room.caller import RATE, Caller
from tests.room.listener import MARK
from tests.room.server import LiveKitServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from numpy.typing import NDArray

    from agent.web.conversation import Audience, Choice, Event
    from avatar.stream import AvatarStream
    from avatar.types import SyncedFrame

_MOST_LATE: Final = 0.01
_TEXT: Final = "The sea was calm that morning, and the boats went out early to the islands in the south. " * 12
_QUESTION: Final = "What is the capital of France?"
_ASK_EVERY: Final = 12.0

_MARK_EVERY: Final = 20
"""Frames from one mark to the next."""

_MARKED: Final = 3
_CLICK: Final = OUTPUT_RATE // 100
_SETTLING: Final = 10.0
"""Seconds in which a receiver gets to know the line, and which are not measured."""

_TEXT_SECONDS: Final = 50
"""A little less than the text takes."""


class Marker:
    """An audience that is shown marks: a click in place of the sound and a white corner, three pictures long.

    Args:
        audience: Who is shown them.
    """

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._n_shown = 0

    async def show(self, frame: SyncedFrame) -> None:
        """Passes a frame on, marked or silenced."""
        since = self._n_shown % _MARK_EVERY
        self._n_shown += 1
        rgb, audio = frame.rgb, np.zeros_like(frame.audio)
        if since < _MARKED:
            side = round(MARK * len(rgb))
            rgb = rgb.copy()
            rgb[:side, :side] = 255
        if since == 0:
            audio[:_CLICK] = 0.9 * np.sin(2 * np.pi * 1000 / OUTPUT_RATE * np.arange(_CLICK))
        await self._audience.show(replace(frame, rgb=rgb, audio=audio))

    def tell(self, event: Event) -> None:
        """Passes an event on."""
        self._audience.tell(event)


class MarkedConversation(LiveConversation):
    """A conversation whose frames are marked."""

    async def run(self, audience: Audience) -> None:
        """Shows the face until it is cancelled."""
        await super().run(Marker(audience))


class CountingEngine(LiveEngine):
    """Keeps what it hands out."""

    faces: list[AvatarStream]
    conversations: list[LiveConversation]
    marked = False

    async def face(self, avatar: str) -> AvatarStream:
        """Returns a face of its own."""
        face = await super().face(avatar)
        self.faces.append(face)
        return face

    def open(self, choice: Choice, earlier: Sequence[tuple[str, str]] = ()) -> LiveConversation:
        """Returns a new conversation."""
        kind = MarkedConversation if self.marked else LiveConversation
        conversation = kind(self, choice, earlier)
        self.conversations.append(conversation)
        return conversation


@asynccontextmanager
async def _serving(most: int, *, marked: bool = False) -> AsyncGenerator[tuple[LiveKitServer, CountingEngine]]:
    """Yields a server and the loaded models of the worker that serves it."""
    config = load_config()
    with tempfile.TemporaryDirectory() as scratch, PhotoGallery(config) as gallery:
        server = LiveKitServer(Path(scratch) / "server.log")
        server.start()
        engine = CountingEngine(config, gallery)
        engine.faces, engine.conversations, engine.marked = [], [], marked
        try:
            await engine.load(lambda _: None)
            choice = gallery.options().default()
            measured = await asyncio.to_thread(measure_capacity, await engine.face(choice.avatar))
            print(f"{usable_cores()} cores; the worker would take {measured} room(s)", flush=True)
            engine.faces.clear()
            await engine.prepare(choice)
            worker = RoomWorker(server.account, ModelLoop(engine), WorkerOptions(most, health_port=0), print)
            ending = asyncio.Event()
            serving = asyncio.create_task(worker.run(ending, drain=False))
            await worker.registered.wait()
            yield server, engine
            ending.set()
            await serving
        finally:
            await engine.aclose()
            server.stop()


async def bench(most: int, seconds: float, *, conversation: bool) -> None:
    """Adds rooms one by one and prints a line for each number of them."""
    question = _question() if conversation else None
    async with _serving(most) as (server, engine), AsyncExitStack() as stack:
        for n_rooms in range(1, most + 1):
            caller = Caller()
            token = server.account.token(f"bench{n_rooms}", "caller")
            await caller.room.connect(server.account.url, token, rtc.RoomOptions(auto_subscribe=False))
            stack.push_async_callback(caller.aclose)
            if question is not None:
                await caller.open_microphone()
                stack.push_async_callback(_ended, asyncio.create_task(_ask(caller, question)))
            late, cores = await _measure(engine, n_rooms, seconds, talk=question is None)
            load = os.getloadavg()[0]
            print(f"{n_rooms} room(s): {late:6.2%} late, {cores:.2f} cores, load {load:.1f}", flush=True)
            if late > _MOST_LATE:
                break


async def bench_skew(seconds: float) -> None:
    """Measures one room and prints by how much the sound comes after its picture."""
    async with _serving(1, marked=True) as (server, engine):
        caller = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.room.listener"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        token = server.account.token("skew", "caller")
        order = {"url": server.account.url, "token": token, "wait": _SETTLING, "seconds": seconds}
        measuring = asyncio.create_task(caller.communicate(json.dumps(order).encode() + b"\n"))
        talking = asyncio.create_task(_keep_talking(engine))
        try:
            measured, _ = await measuring
        finally:
            await _ended(talking)
        skews = np.array(json.loads(measured)) * 1000
        low, median, high = np.percentile(skews, [1, 50, 99])
        far = np.percentile(np.abs(skews), 99)
        print(
            f"sound after picture, {len(skews)} marks: median {median:+.0f} ms, 1 % {low:+.0f}, 99 % {high:+.0f};",
            end=" ",
        )
        print(f"99 % within {far:.0f} ms")


async def _keep_talking(engine: CountingEngine) -> None:
    while True:
        if engine.conversations:
            await engine.conversations[0].do(Say(_TEXT))
            await asyncio.sleep(_TEXT_SECONDS)
        await asyncio.sleep(0.1)


async def _measure(engine: CountingEngine, n_rooms: int, seconds: float, *, talk: bool) -> tuple[float, float]:
    """Returns the share of late pictures and the cores used, while every avatar speaks if it shall."""
    while len(engine.faces) < n_rooms:  # noqa: ASYNC110 - the worker tells nobody
        await asyncio.sleep(0.1)
    for conversation in engine.conversations if talk else ():
        await conversation.do(Say(_TEXT))
    await asyncio.sleep(5)
    before = [face.n_late for face in engine.faces]
    wall, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    late = sum(face.n_late for face in engine.faces) - sum(before)
    return late / (n_rooms * wall * FRAME_RATE), cpu / wall


def _question() -> NDArray[np.float32]:
    """Returns a question with the silence after it, float32 (n_samples,) at 16 kHz."""
    spoken = np.concatenate(list(resampled(synthesized(_QUESTION, load_tts(load_config())), RATE)))
    return np.pad(spoken, (0, max(0, round(_ASK_EVERY * RATE) - len(spoken))))


async def _ask(caller: Caller, question: NDArray[np.float32]) -> None:
    while True:
        await caller.say(question, pause=0)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--most", type=int, default=4, help="rooms (default: 4)")
    parser.add_argument("--seconds", type=float, default=20, help="measured for each number of rooms (default: 20)")
    parser.add_argument("--conversation", action="store_true", help="callers ask, instead of avatars that speak alone")
    parser.add_argument("--skew", action="store_true", help="sound against picture in one room, instead of late ones")
    args = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    if args.skew:
        asyncio.run(bench_skew(args.seconds))
    else:
        asyncio.run(bench(args.most, args.seconds, conversation=args.conversation))


if __name__ == "__main__":
    main()
