"""Measures how many LiveKit rooms this machine carries: pictures that come late, and cores used, room by room.

    python -m scripts.bench_room [--most 4] [--seconds 20] [--conversation]

Every room's avatar speaks all the time, which is the worst for pictures; with `--conversation` every caller asks a
question each twelve seconds, which is heard, answered and spoken. Nobody decodes the pictures: callers are elsewhere.
It stops after the first number of rooms with more than 1 % late pictures.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import tempfile
import time
from contextlib import AsyncExitStack
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
from avatar.types import FRAME_RATE
from tests.room.caller import RATE, Caller
from tests.room.server import LiveKitServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agent.web.conversation import Choice
    from avatar.stream import AvatarStream

_MOST_LATE: Final = 0.01
_TEXT: Final = "The sea was calm that morning, and the boats went out early to the islands in the south. " * 12
_QUESTION: Final = "What is the capital of France?"
_ASK_EVERY: Final = 12.0


class CountingEngine(LiveEngine):
    """Keeps what it hands out."""

    faces: list[AvatarStream]
    conversations: list[LiveConversation]

    async def face(self, avatar: str) -> AvatarStream:
        """Returns a face of its own."""
        face = await super().face(avatar)
        self.faces.append(face)
        return face

    def open(self, choice: Choice, earlier: Sequence[tuple[str, str]] = ()) -> LiveConversation:
        """Returns a new conversation."""
        conversation = super().open(choice, earlier)
        self.conversations.append(conversation)
        return conversation


async def bench(most: int, seconds: float, *, conversation: bool) -> None:
    """Adds rooms one by one and prints a line for each number of them."""
    config = load_config()
    question = _question() if conversation else None
    with tempfile.TemporaryDirectory() as scratch, PhotoGallery(config) as gallery:
        server = LiveKitServer(Path(scratch) / "server.log")
        server.start()
        engine = CountingEngine(config, gallery)
        engine.faces, engine.conversations = [], []
        try:
            await engine.load(lambda _: None)
            choice = gallery.options().default()
            measured = await asyncio.to_thread(measure_capacity, await engine.face(choice.avatar))
            print(f"{usable_cores()} cores; the worker would take {measured} room(s)")
            engine.faces.clear()
            worker = RoomWorker(server.account, ModelLoop(engine), WorkerOptions(most, health_port=0), print)
            ending = asyncio.Event()
            serving = asyncio.create_task(worker.run(ending, drain=False))
            await worker.registered.wait()
            async with AsyncExitStack() as stack:
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
            ending.set()
            await serving
        finally:
            await engine.aclose()
            server.stop()


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
    args = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    asyncio.run(bench(args.most, args.seconds, conversation=args.conversation))


if __name__ == "__main__":
    main()
