"""`doctor`: what this machine has and lacks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from agent.config import load_config
from agent.doctor import Verdict, examine

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Prints a line for every check, as they come; returns 1 if something is broken, 0 if not.

    Raises:
        InputError: The configuration can't be read.
    """
    config = load_config(args.config)
    verdicts: Counter[Verdict] = Counter()
    for check in examine(config, args.port):
        verdicts[check.verdict] += 1
        print(f"{check.verdict:>4}  {check.name}: {check.found}", flush=True)
        if check.fix:
            print(f"      {check.fix}")
    print(f"{verdicts[Verdict.GOOD]} good, {verdicts[Verdict.OPTIONAL]} optional missing, {verdicts[Verdict.BAD]} bad")
    return 1 if verdicts[Verdict.BAD] else 0
