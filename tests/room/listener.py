"""A caller in a process of its own, which measures how sound and picture come together; for `scripts.bench_room`.

It reads one line of JSON from standard input (url, token, and after how many seconds it listens for how many) and
writes one: by how many seconds the sound of each mark came after its picture.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

from tests.room.caller import Caller

if TYPE_CHECKING:
    from tests.room.caller import Seen

MARK = 0.125
"""Side of the white square in the upper left corner that marks a picture, as a share of the picture's."""

_SIDE = 32
_BRIGHT = 200
_LOUD = 0.3


async def listen(url: str, token: str, wait: float, seconds: float) -> list[float]:
    """Returns the marks' skews in seconds."""
    caller = Caller(side=_SIDE)
    caller.listen()
    await caller.room.connect(url, token)
    try:
        await caller.until(lambda: bool(caller.seen and caller.heard))
        await asyncio.sleep(wait)
        caller.seen.clear()
        caller.heard.clear()
        await asyncio.sleep(seconds)
        return caller.skews(_BRIGHT, _LOUD, _corner)
    finally:
        await caller.aclose()


def _corner(seen: Seen) -> float:
    side = round(MARK * _SIDE)
    return float(seen.rgb[:side, :side].mean())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(listen(**json.loads(sys.stdin.readline())))))
