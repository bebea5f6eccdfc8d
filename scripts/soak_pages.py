"""Watches the memory while pages come and go: ``python -m scripts.soak_pages``, with the real models.

Each page sees the avatar, opens its microphone, hears the greeting begin and leaves. What the process holds is printed
as they go: memory, threads, open files and conversations that are still there. Garbage is collected only by the
program itself. It fails if the memory grows in the second half.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp

from agent.config import load_config
from agent.web import talk
from agent.web.gallery import PhotoGallery
from agent.web.live import LiveEngine
from agent.web.server import Address, serving

if TYPE_CHECKING:
    from agent.web.hub import Hub

_ALLOWED_MIB: Final = 32.0
"""How much more memory may be held at the end than half-way: the allocator's own unrest."""
_PATIENCE: Final = 60.0


async def come_and_go(client: aiohttp.ClientSession, url: str) -> None:
    """Is one page: sees and hears the avatar begin, and leaves."""
    async with client.ws_connect(f"{url}api/session") as page:
        session = (await page.receive_json(timeout=_PATIENCE))["session"]
        async with client.ws_connect(f"{url}api/sessions/{session}/media", max_msg_size=0) as media:
            await media.receive_bytes(timeout=_PATIENCE)
            await page.send_json({"type": "microphone", "live": True})
            while (await page.receive_json(timeout=_PATIENCE)).get("state") != "speaking":
                pass
            await page.send_json({"type": "end"})
            while (await page.receive_json(timeout=_PATIENCE))["type"] != "ended":
                pass


async def soak(n_pages: int) -> float:
    """Lets pages come and go; returns how many MiB more are held at the end than in the middle."""
    config, held = load_config(), list[float]()
    print("  pages  memory MiB  threads  open files  conversations", flush=True)
    with PhotoGallery(config) as gallery:
        engine = LiveEngine(config, gallery)
        try:
            async with (
                serving(engine, gallery, Address(port=0), limit=1) as (url, hub),
                aiohttp.ClientSession() as client,
            ):
                while not hub.ready:  # noqa: ASYNC110 - it tells pages alone
                    await asyncio.sleep(0.2)
                for number in range(n_pages):
                    await come_and_go(client, url)
                    await _let_go(hub)
                    held.append(_look(number + 1))
        finally:
            await engine.aclose()
    return held[-1] - held[len(held) // 2]


async def _let_go(hub: Hub) -> None:
    while hub.sessions:  # noqa: ASYNC110 - nobody is told
        await asyncio.sleep(0.05)
    await asyncio.sleep(2 * talk.LET_GO_AFTER)


def _look(n_pages: int) -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    memory = pages * resource.getpagesize() / 2**20
    n_files = len(list(Path("/proc/self/fd").iterdir()))
    n_talks = sum(isinstance(each, talk.LiveConversation) for each in gc.get_objects())
    print(f"{n_pages:>7} {memory:>11.1f} {threading.active_count():>8} {n_files:>11} {n_talks:>14}", flush=True)
    return memory


def main() -> None:
    """Runs the soak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=200, help="how many come and go (default: 200, half an hour)")
    grown = asyncio.run(soak(parser.parse_args().pages))
    print(f"{grown:+.1f} MiB in the second half; allowed are {_ALLOWED_MIB:.0f}")
    if grown > _ALLOWED_MIB:
        sys.exit(1)


if __name__ == "__main__":
    main()
