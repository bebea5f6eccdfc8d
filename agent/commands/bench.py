"""`bench`: measures the live conversation against its budgets."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.commands.progress import note, stage
from agent.config import load_config
from avatar.errors import InputError

if TYPE_CHECKING:
    import argparse

    from agent.bench.figures import Figures
    from agent.config import Config

_MOST_TURNS: Final = 200
_FLASHES: Final = 20


def run(args: argparse.Namespace) -> int:
    """Holds ``args.turns`` scripted turns, and prints what was measured; as JSON with ``args.json``.

    Raises:
        VisavisError: The configuration or a model can't be used, or a part of the session fails.
    """
    if not 1 <= args.turns <= _MOST_TURNS:
        raise InputError("measuring", expected=f"1 to {_MOST_TURNS} turns", got=str(args.turns))
    config = load_config(args.config, portrait=args.portrait)
    figures = asyncio.run(_measure(config, args.turns))
    if args.json:
        print(json.dumps(figures.as_json()))
    else:
        print("\n".join(figures.lines()))
    return 0


async def _measure(config: Config, n_turns: int) -> Figures:
    from agent.bench.figures import Figures  # noqa: PLC0415 - loads numpy
    from agent.bench.script import make_script  # noqa: PLC0415 - likewise
    from agent.bench.skew import measure_skew  # noqa: PLC0415 - loads aiortc
    from agent.bench.talk import Bench, WatchedRenderer, WatchedStream  # noqa: PLC0415 - loads livekit-agents
    from agent.commands.face import open_generator, open_renderer  # noqa: PLC0415 - heavy
    from agent.options import PiperOptions  # noqa: PLC0415 - loads pydantic
    from agent.parts import load_parts  # noqa: PLC0415 - loads livekit-agents
    from agent.steady import settle  # noqa: PLC0415 - with the others
    from agent.tts import PiperEngine  # noqa: PLC0415 - likewise
    from avatar.stream import LIVE  # noqa: PLC0415 - heavy

    figures = Figures(_machine())
    renderer = WatchedRenderer(open_renderer(config.avatar.portrait, config.avatar.threads))
    stream = WatchedStream(open_generator(config.avatar.seed, config.avatar.threads), renderer, LIVE)
    with stage("loading the voice loop"):
        parts = load_parts(config)
    try:
        with stage("speaking the questions"):
            script = make_script(PiperEngine(PiperOptions(pause=0)), n_turns)
        settle()  # as the server does
        await Bench(stream, renderer, figures).hold(
            parts, config, script, lambda number: note(f"turn {number} of {n_turns} ...")
        )
        note("flashes and clicks to a WebRTC client ...")
        figures.av_skew = await measure_skew(stream, script.interruption.samples, _FLASHES)
    finally:
        await parts.aclose()
    figures.memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    load = os.getloadavg()[0]
    return (
        f"{names[0] if names else platform.processor()}, {os.cpu_count()} CPUs, load {load:.1f} at the start,"
        f" Python {platform.python_version()}"
    )
