"""`run_agent.py room` as a process."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agent.room.account import Account

_RUN_AGENT = Path(__file__).parents[2] / "run_agent.py"


@asynccontextmanager
async def command(account: Account, *arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Yields the running command, which leads a process group; it is killed afterwards if it still runs."""
    environment = {
        **os.environ,
        "LIVEKIT_URL": account.url,
        "LIVEKIT_API_KEY": account.key,
        "LIVEKIT_API_SECRET": account.secret,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, _RUN_AGENT, "room", *arguments),
        env=environment,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def joined(process: asyncio.subprocess.Process) -> asyncio.Task[bytes]:
    """Returns when the worker serves rooms, with what it says from then on."""
    assert process.stderr is not None
    async with asyncio.timeout(400):
        while not (line := await process.stderr.readline()).startswith(b"joins every new room"):
            assert line, "the worker ended"
    return asyncio.create_task(process.stderr.read())
