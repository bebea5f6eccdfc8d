"""A trained motion network on disk, with all that it is normalised by."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from avatar.errors import InputError
from avatar.motion.sampler import NoiseShape
from avatar.training.network import MotionNetwork, NetworkSize

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CHECKPOINT_FILE: Final = "network.npz"


@dataclass(frozen=True, slots=True)
class Trained:
    """A network and what its inputs and outputs are normalised by.

    Attributes:
        network: With averaged weights.
        size: Its widths.
        mean: float32 (N_CHANNELS,), of the motion.
        deviation: float32 (N_CHANNELS,), of the motion.
        noise: What the flow starts from.
    """

    network: MotionNetwork
    size: NetworkSize
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    noise: NoiseShape


def save(trained: Trained, path: Path) -> None:
    """Writes a network and its normalisation, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".scratch.npz")
    state = {f"network.{name}": value.numpy() for name, value in trained.network.state_dict().items()}
    sizes = {f"size.{name}": np.array(value) for name, value in asdict(trained.size).items()}
    arrays: dict[str, Any] = {"mean": trained.mean, "deviation": trained.deviation, **state, **sizes}
    arrays |= {"persistence": trained.noise.persistence, "mixing": trained.noise.mixing}
    np.savez(scratch, **arrays)
    scratch.replace(path)


def load(path: Path) -> Trained:
    """Returns what `save` wrote."""
    with np.load(path) as stored:
        values = dict(stored)
    size = NetworkSize(**{name.removeprefix("size."): int(values[name]) for name in values if name.startswith("size.")})
    blank = np.zeros(size.n_features, np.float32)
    network = MotionNetwork(size, blank, blank)
    prefix = "network."
    network.load_state_dict(
        {name.removeprefix(prefix): torch.as_tensor(value) for name, value in values.items() if name.startswith(prefix)}
    )
    noise = NoiseShape(values["persistence"], values["mixing"])
    return Trained(network.eval(), size, values["mean"], values["deviation"], noise)


def blended(trained: Trained, start: Trained, share: float) -> Trained:
    """Returns a network on the straight line between where its training began and where it ended.

    What a training learned stays for the most part, and what it forgot comes back (Wortsman et al. 2022).

    Args:
        trained: Where it ended; its normalisation is kept.
        start: Where it began.
        share: Of `start`, 0 to 1.

    Raises:
        InputError: The two differ in size or normalisation, so no line joins them.
    """
    alike = trained.size == start.size and all(
        np.array_equal(one, other) for one, other in ((trained.mean, start.mean), (trained.deviation, start.deviation))
    )
    if not alike:
        raise InputError(
            "blending two networks",
            expected="one trained on from the other",
            got="another size or normalisation",
            hint="take the checkpoint that `--start` named",
        )
    network = copy.deepcopy(trained.network)
    with torch.no_grad():
        for kept, other in zip(network.parameters(), start.network.parameters(), strict=True):
            kept.lerp_(other, share)
    return replace(trained, network=network)
