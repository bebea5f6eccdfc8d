"""Measures what LiveKit rooms leave behind in the worker that served them, as `run_agent.py room start` serves them.

    python -m scripts.bench_rooms_in_turn [--rooms 10]

In each room a caller is greeted, asks a question aloud and hears the answer; then the room is closed. A line for each
tells what the worker's process holds when it is in no room any more. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
import numpy as np
from livekit import api

from agent.commands.speak import synthesized
from agent.config import load_config
from agent.parts import load_tts
from agent.room.worker import HEALTH_PORT
from avatar.audio import resampled
from tests.room.caller import RATE, calling
from tests.room.process import command, joined
from tests.room.server import LiveKitServer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.room.account import Account

_QUESTION: Final = "What is the capital of France?"
_SETTLING: Final = 3.0
"""Seconds after which a room's threads have ended."""


async def bench(n_rooms: int) -> None:
    """Visits rooms one after another and prints a line for each."""
    question = np.concatenate(list(resampled(synthesized(_QUESTION, load_tts(load_config())), RATE)))
    with tempfile.TemporaryDirectory() as scratch:
        server = LiveKitServer(Path(scratch) / "server.log")
        server.start()
        try:
            # A full worker takes a while to say that it has a place again: it always has one.
            async with command(server.account, "start", "--rooms", "2") as process:
                reading = await joined(process)
                print("rooms     RSS  files  threads  children  load", flush=True)
                _print(0, process.pid)
                for number in range(1, n_rooms + 1):
                    await _visit(server.account, f"turn{number}", question)
                    await _left()
                    _print(number, process.pid)
                reading.cancel()
        finally:
            server.stop()


async def _visit(account: Account, room: str, question: NDArray[np.float32]) -> None:
    """Asks and is answered in a room, and closes it."""
    async with calling(account, room) as caller:

        def n_said() -> int:
            return sum(final and who != "caller" for final, who, _ in caller.lines.values())

        await caller.until(lambda: bool(caller.seen))
        await caller.open_microphone()
        await caller.until(lambda: n_said() >= 1)
        await caller.say(question)
        await caller.until(lambda: n_said() >= 2)
        async with api.LiveKitAPI(account.url, account.key, account.secret) as admin:
            await admin.room.delete_room(api.DeleteRoomRequest(room=room))
        await caller.until(lambda: not caller.room.isconnected())


async def _left() -> None:
    """Returns some time after the worker has left all rooms."""
    async with aiohttp.ClientSession() as client:
        while True:
            async with client.get(f"http://127.0.0.1:{HEALTH_PORT}/worker") as answer:
                if not (await answer.json()).get("active_jobs"):  # protobuf leaves out a zero
                    break
            await asyncio.sleep(0.1)
    await asyncio.sleep(_SETTLING)


def _print(n_rooms: int, pid: int) -> None:
    """Prints what a process holds."""
    process = Path(f"/proc/{pid}")
    threads = list((process / "task").iterdir())
    n_files = len(list((process / "fd").iterdir()))
    n_children = sum(len((thread / "children").read_text().split()) for thread in threads)
    rss = int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    print(
        f"{n_rooms:5}  {rss:4.0f} MB  {n_files:5}  {len(threads):7}  {n_children:8}  {os.getloadavg()[0]:4.1f}",
        flush=True,
    )


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rooms", type=int, default=10, help="how many (default: 10)")
    args = parser.parse_args()
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    asyncio.run(bench(args.rooms))


if __name__ == "__main__":
    main()
