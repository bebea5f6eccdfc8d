"""`web`: the conversation as a page, the default command."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import webbrowser
from typing import TYPE_CHECKING, Final

from agent.config import load_config
from avatar.errors import InputError

if TYPE_CHECKING:
    import argparse

    from agent.config import Config
    from agent.web.conversation import LoadStage

_LAST_PORT: Final = 65_535


def run(args: argparse.Namespace) -> int:
    """Serves the page until Ctrl-C, at ``args.host`` and ``args.port``, for ``args.sessions`` pages at a time.

    ``args.config``, ``args.portrait`` and ``args.seed`` say with whom; ``args.open`` opens the page in a browser.

    Raises:
        VisavisError: The configuration or a model can't be used, or the address can't be listened on.
    """
    if args.sessions < 1:
        raise InputError("starting the page", expected="at least 1 session", got=str(args.sessions))
    if not 0 <= args.port <= _LAST_PORT:
        raise InputError("starting the page", expected=f"a port from 0 to {_LAST_PORT}", got=str(args.port))
    config = load_config(args.config, portrait=args.portrait, seed=args.seed)
    try:
        asyncio.run(serve(config, args))
    except KeyboardInterrupt:
        _note("\nbye")
    return 0


async def serve(config: Config, args: argparse.Namespace) -> None:
    """Serves the page until the process is asked to end."""
    started = time.monotonic()
    _note("starting ...")
    from agent.web.gallery import PhotoGallery  # noqa: PLC0415 - heavy
    from agent.web.live import LiveEngine  # noqa: PLC0415 - heavy
    from agent.web.server import Address, serving  # noqa: PLC0415 - heavy

    def progress(stage: LoadStage) -> None:
        if stage.state in ("ready", "failed"):
            _note(f"  {stage.name}: {stage.state} after {time.monotonic() - started:.1f} s")

    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    with PhotoGallery(config) as gallery:
        engine = LiveEngine(config, gallery)
        try:
            address = Address(args.host, args.port)
            async with serving(engine, gallery, address, limit=args.sessions, on_stage=progress) as (url, _):
                print(f"Talk at {url} (Ctrl-C ends)", flush=True)
                if args.open:
                    await asyncio.to_thread(webbrowser.open, url)
                await ending.wait()
        finally:
            await engine.aclose()


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
