"""Measures how many LiveKit rooms this machine carries: pictures that come late, and cores used, room by room.

    python -m scripts.bench_room [--most 4] [--seconds 20]

Every room's avatar speaks all the time, which is the worst case. Nobody decodes the pictures: callers are elsewhere.
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

from livekit import rtc

from agent.config import load_config
from agent.room.capacity import measure_capacity, usable_cores
from agent.room.models import ModelLoop
from agent.room.worker import RoomWorker, WorkerOptions
from agent.web.conversation import Say
from agent.web.gallery import PhotoGallery
from agent.web.live import LiveConversation, LiveEngine
from avatar.types import FRAME_RATE
from tests.room.server import LiveKitServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.web.conversation import Choice
    from avatar.stream import AvatarStream

_MOST_LATE: Final = 0.01
_TEXT: Final = "The sea was calm that morning, and the boats went out early to the islands in the south. " * 12


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


async def bench(most: int, seconds: float) -> None:
    """Adds rooms one by one and prints a line for each number of them."""
    config = load_config()
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
                    room = rtc.Room()
                    token = server.account.token(f"bench{n_rooms}", "caller")
                    await room.connect(server.account.url, token, rtc.RoomOptions(auto_subscribe=False))
                    stack.push_async_callback(room.disconnect)
                    late, cores = await _measure(engine, n_rooms, seconds)
                    load = os.getloadavg()[0]
                    print(f"{n_rooms} room(s): {late:6.2%} late, {cores:.2f} cores, load {load:.1f}", flush=True)
                    if late > _MOST_LATE:
                        break
            ending.set()
            await serving
        finally:
            await engine.aclose()
            server.stop()


async def _measure(engine: CountingEngine, n_rooms: int, seconds: float) -> tuple[float, float]:
    """Returns the share of late pictures and the cores used while every avatar speaks."""
    while len(engine.faces) < n_rooms:  # noqa: ASYNC110 - the worker tells nobody
        await asyncio.sleep(0.1)
    for conversation in engine.conversations:
        await conversation.do(Say(_TEXT))
    await asyncio.sleep(5)
    before = [face.n_late for face in engine.faces]
    wall, cpu = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    late = sum(face.n_late for face in engine.faces) - sum(before)
    return late / (n_rooms * wall * FRAME_RATE), cpu / wall


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--most", type=int, default=4, help="rooms (default: 4)")
    parser.add_argument("--seconds", type=float, default=20, help="measured for each number of rooms (default: 20)")
    args = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    asyncio.run(bench(args.most, args.seconds))


if __name__ == "__main__":
    main()
