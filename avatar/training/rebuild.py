"""Rebuilds everything the motion model is made of, from text to figures: ``python -m avatar.training.rebuild``.

Corpus, features, training, export into the package, evaluation. Finished clips and features are kept, so it may be
stopped and started again. MODEL_CARD.md beside the weights says how long it takes and what came out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from avatar.motion.model import DATA_FOLDER
from avatar.training import evaluate, export, train
from avatar.training.checkpoint import CHECKPOINT_FILE
from avatar.training.corpus import build


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code of the first step that failed, or 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build"), help="folder for the corpus and what is made of it")
    parser.add_argument("--out", type=Path, default=DATA_FOLDER, help="folder for the weights")
    parser.add_argument("--hours", type=float, default=build.HOURS, help="hours of speech to train on, copies counted")
    parser.add_argument("--steps", type=int, default=train.Plan().steps)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    corpus, motion, seed = str(options.work / "corpus"), options.work / "motion", str(options.seed)
    steps = (
        (build.main, ["--out", corpus, "--hours", str(options.hours), "--seed", seed]),
        (train.main, ["--corpus", corpus, "--out", str(motion), "--steps", str(options.steps), "--seed", seed]),
        (export.main, ["--checkpoint", str(motion / CHECKPOINT_FILE), "--out", str(options.out)]),
        (
            evaluate.main,
            [
                *("--corpus", corpus, "--model", str(options.out), "--cache", str(motion / "features")),
                *("--out", str(motion / "evaluation.json"), "--seed", seed),
            ],
        ),
    )
    for step, given in steps:
        print(f"{step.__module__} {' '.join(given)}", flush=True)
        code = step(given)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
