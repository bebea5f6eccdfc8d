"""Detects the contacts of the lips: ``python -m avatar.training.contacts --corpus build/corpus``.

Whether /p b m/ seal the lips and /f v/ tuck the lower one follows from the sound, so it is not drawn from noise like
the rest of the face: a small network gives the chance of each at every frame. Its thresholds, set on validation
voices, trade missed contacts against false ones, which a sampled channel cannot.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from avatar.errors import VisavisError
from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD, MAX_CHUNK, SpeechFeatures
from avatar.motion.layout import N_MOTION
from avatar.motion.whisper import load_whisper
from avatar.training.dataset import Dataset, clip_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CONTACTS_FILE: Final = "contacts.npz"

_WIDTH: Final = 112
_CHUNKS: Final = 64
_LEARNING_RATE: Final = 2e-3
_WEIGHT_DECAY: Final = 0.02
_NOISE: Final = 0.15
_DROPOUT: Final = 0.3
_WARM_UP: Final = 0.1
_REPORT_EVERY: Final = 200


@dataclass(frozen=True, slots=True)
class ContactPlan:
    """How to train the detector.

    Attributes:
        steps: Optimiser steps.
        minutes: The schedule ends after this time at the latest.
        seed: Seed of everything random.
    """

    steps: int = 2000
    minutes: float = math.inf
    seed: int = 0


class ContactNetwork(nn.Module):
    """Logits of closure and tuck at each frame.

    Args:
        mean: float32 (n_features,), of the agent's features.
        deviation: float32 (n_features,), of the agent's features.
    """

    def __init__(self, mean: NDArray[np.float32], deviation: NDArray[np.float32]) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.offset: Tensor
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))
        self.register_buffer("offset", torch.zeros(2))
        self.dropout = nn.Dropout(_DROPOUT)
        self.entry = nn.Linear(len(mean), _WIDTH)
        self.convolutions = nn.ModuleList(nn.Conv1d(_WIDTH, _WIDTH, 5, padding=2) for _ in range(3))
        self.exit = nn.Linear(_WIDTH, 2)

    def forward(self, agent: Tensor) -> Tensor:
        """Returns logits (batch, n, 2), moved by `offset`.

        Args:
            agent: (batch, CONDITION_PAST + n + LOOK_AHEAD, n_features).
        """
        values = (agent - self.mean) / self.deviation
        if self.training:
            values = values + _NOISE * torch.randn_like(values)
        values = functional.gelu(self.entry(self.dropout(values))).transpose(1, 2)
        for convolution in self.convolutions:
            values = values + self.dropout(functional.gelu(convolution(values)))
        return self.exit(values.transpose(1, 2)[:, CONDITION_PAST:-LOOK_AHEAD]) + self.offset


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("build/corpus"))
    parser.add_argument("--out", type=Path, default=Path("build/motion"))
    parser.add_argument("--steps", type=int, default=ContactPlan().steps)
    parser.add_argument("--minutes", type=float, default=ContactPlan().minutes, help="end the schedule by then")
    parser.add_argument("--seed", type=int, default=ContactPlan().seed)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        speech = SpeechFeatures(load_whisper())
        cache = options.out / "features"
        training = Dataset(clip_files(options.corpus, "train"), speech, cache, options.seed)
    except VisavisError as error:
        print(error, f"hint: {error.hint}" if error.hint else "", sep="\n", file=sys.stderr)
        return 2
    plan = ContactPlan(options.steps, options.minutes, options.seed)
    save_contacts(train_contacts(training, plan, print), options.out / CONTACTS_FILE)
    return 0


def train_contacts(training: Dataset, plan: ContactPlan, report: Callable[[str], None]) -> ContactNetwork:
    """Returns a trained detector, its offset zero."""
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    network = ContactNetwork(*training.feature_statistics()).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    began, recent, step, progress = time.monotonic(), 0.0, 0, 0.0
    while progress < 1:
        step += 1
        minutes = (time.monotonic() - began) / 60
        progress = max(step / plan.steps, minutes / plan.minutes)
        rise = min(1.0, progress / _WARM_UP)
        for group in optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * rise * (0.5 + 0.5 * math.cos(math.pi * min(1.0, progress)))
        batch = training.draw(random, _CHUNKS, MAX_CHUNK)
        wanted = torch.as_tensor(batch.target[..., N_MOTION:])
        loss = functional.binary_cross_entropy_with_logits(network(torch.as_tensor(batch.agent)), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        recent += (loss.item() - recent) / min(step, 100)
        if step % _REPORT_EVERY == 0 or progress >= 1:
            report(f"step {step}/{plan.steps}  loss {recent:.4f}  {minutes:.1f} min")
    return network.eval()


def save_contacts(network: ContactNetwork, path: Path) -> None:
    """Writes a detector, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".scratch.npz")
    np.savez(scratch, **{name: value.numpy() for name, value in network.state_dict().items()})
    scratch.replace(path)


def load_contacts(path: Path) -> ContactNetwork:
    """Returns what `save_contacts` wrote."""
    with np.load(path) as stored:
        state = {name: torch.as_tensor(stored[name]) for name in stored.files}
    blank = np.zeros(len(state["mean"]), np.float32)
    network = ContactNetwork(blank, blank)
    network.load_state_dict(state)
    return network.eval()


if __name__ == "__main__":
    sys.exit(main())
