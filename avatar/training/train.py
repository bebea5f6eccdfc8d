"""Trains the motion network: ``python -m avatar.training.train --corpus build/corpus --out build/motion``.

The flow's target is the motion itself (x1) at flow times the sampler visits; a share of steps starts from pure noise,
where the few-step sampler decides most. Past motion is disturbed, so that the generator's own small errors, which come
back to it as past, are corrected rather than followed.
"""

from __future__ import annotations

import argparse
import copy
import math
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from avatar.errors import VisavisError
from avatar.motion.features import LOOK_AHEAD, MAX_CHUNK, MIN_CHUNK, SpeechFeatures
from avatar.motion.layout import COLUMNS, INDEX, N_BLENDSHAPES, N_MOTION
from avatar.motion.model import N_CHANNELS, PAST_FRAMES
from avatar.motion.sampler import NoiseShape
from avatar.motion.whisper import load_whisper
from avatar.training.checkpoint import CHECKPOINT_FILE, Trained, load, save
from avatar.training.dataset import Batch, Dataset, clip_files
from avatar.training.network import LIP_COLUMNS, MotionNetwork, NetworkSize

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_LEAST_DEVIATION: Final = 0.01
_TOKENS_PER_STEP: Final = 1664
_AVERAGING: Final = 0.999
_WHITE_SHARE: Final = 0.1
_MOST_PERSISTENT: Final = 0.95
_LEAST_SPEED: Final = 0.15
_VELOCITY_SHARE: Final = 0.5
_REPORT_EVERY: Final = 100
_WARM_UP: Final = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    Attributes:
        steps: Optimiser steps.
        minutes: The schedule ends after this time at the latest, however few steps were done.
        seed: Seed of everything random.
        learning_rate: At its highest, after 5 % of the schedule; a cosine takes it to zero.
        weight_decay: Of AdamW.
        noise_share: Share of the chunks that start from pure noise.
        past_noise: Deviation of the disturbance of past motion, normalised.
        past_dropout: Share of the chunks whose past is missing.
        user_cut: Share of the chunks whose user is not heard to the end, as in a live talk.
    """

    steps: int = 3000
    minutes: float = math.inf
    seed: int = 0
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    noise_share: float = 0.25
    past_noise: float = 0.08
    past_dropout: float = 0.05
    user_cut: float = 0.7


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, nargs="+", default=[Path("build/corpus")], help="one or more corpora")
    parser.add_argument("--out", type=Path, default=Path("build/motion"))
    parser.add_argument("--start", type=Path, help="go on from this checkpoint instead of from nothing")
    parser.add_argument("--steps", type=int, default=Plan().steps)
    parser.add_argument("--minutes", type=float, default=Plan().minutes, help="end the schedule by then at the latest")
    parser.add_argument("--learning-rate", type=float, default=Plan().learning_rate)
    parser.add_argument("--seed", type=int, default=Plan().seed)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        speech = SpeechFeatures(load_whisper(options.threads))
        cache = options.out / "features"
        files = [file for corpus in options.corpus for file in clip_files(corpus, "train")]
        training = Dataset(files, speech, cache, options.seed)
        validation = Dataset(clip_files(options.corpus[0], "validation"), speech, cache, options.seed)
    except VisavisError as error:
        print(error, f"hint: {error.hint}" if error.hint else "", sep="\n", file=sys.stderr)
        return 2
    plan = Plan(options.steps, options.minutes, options.seed, options.learning_rate)
    start = load(options.start) if options.start else NetworkSize()
    target = options.out / CHECKPOINT_FILE
    train(training, validation, plan, start, _print_line, partial(save, path=target))
    return 0


def train(
    training: Dataset,
    validation: Dataset,
    plan: Plan,
    start: NetworkSize | Trained,
    report: Callable[[str], None],
    keep: Callable[[Trained], None] | None = None,
) -> Trained:
    """Returns a trained network.

    Args:
        training: What to train on.
        validation: What to report the loss of.
        plan: How to train.
        start: How large the network is, or a network to go on from, whose normalisation is kept.
        report: Gets a line now and then.
        keep: Gets the network so far now and then.
    """
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    begun = start if isinstance(start, Trained) else _fresh(training, start)
    network, averaged = copy.deepcopy(begun.network), copy.deepcopy(begun.network)
    trained = replace(begun, network=averaged)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    normalised = (training.channels - begun.mean) / begun.deviation
    scale = _Scale(begun.mean, begun.deviation, begun.noise, _speed(normalised, training.valid))
    began, recent, step, progress = time.monotonic(), 0.0, 0, 0.0
    while progress < 1:
        step += 1
        minutes = (time.monotonic() - began) / 60
        progress = max(step / plan.steps, minutes / plan.minutes)
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * _rate(progress)
        n_frames = int(random.integers(MIN_CHUNK, MAX_CHUNK + 1))
        batch = training.draw(random, _TOKENS_PER_STEP // (PAST_FRAMES + n_frames), n_frames)
        loss = _loss(network.train(), _disturbed(batch, plan, random, scale), plan.noise_share, scale)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        _average(averaged, network, step)
        recent += (loss.item() - recent) / min(step, 100)
        if step % _REPORT_EVERY == 0 or progress >= 1:
            held = _validation_loss(averaged, validation, scale)
            report(f"step {step}/{plan.steps}  loss {recent:.4f}  validation {held:.4f}  {minutes:.1f} min")
            if keep is not None:
                keep(trained)
    averaged.eval()
    return trained


def _fresh(training: Dataset, size: NetworkSize) -> Trained:
    """Returns an untrained network, normalised by the data that it will be trained on."""
    motion = training.channels[training.valid]
    mean, deviation = motion.mean(axis=0), np.maximum(motion.std(axis=0), _LEAST_DEVIATION)
    noise = noise_like((training.channels - mean) / deviation, training.valid)
    return Trained(MotionNetwork(size, *training.feature_statistics()), size, mean, deviation, noise)


def _rate(progress: float) -> float:
    """Returns the learning rate's share of its highest: a straight rise over 5 % of the schedule, then a cosine."""
    return progress / _WARM_UP if progress < _WARM_UP else 0.5 + 0.5 * math.cos(math.pi * min(1.0, progress))


def noise_like(normalised: NDArray[np.float32], valid: NDArray[np.bool_]) -> NoiseShape:
    """Returns noise that resembles motion in its speed and in its correlations between channels.

    Args:
        normalised: float32 (n, N_CHANNELS), of zero mean and unit variance where valid.
        valid: bool (n,), whether a frame belongs to a clip.
    """
    steady = valid[1:] & valid[:-1]
    later, before, all_of_it = normalised[1:][steady], normalised[:-1][steady], normalised[valid]
    persistence = (later * before).mean(axis=0) / np.maximum((all_of_it**2).mean(axis=0), 1e-6)
    covariance = all_of_it.T @ all_of_it / len(all_of_it)
    spread = np.sqrt(np.maximum(np.diag(covariance), 1e-6))
    correlation = (1 - _WHITE_SHARE) * covariance / np.outer(spread, spread)
    np.fill_diagonal(correlation, 1)
    mixing = np.linalg.cholesky(correlation.astype(np.float64))
    return NoiseShape(np.clip(persistence, 0, _MOST_PERSISTENT).astype(np.float32), mixing.astype(np.float32))


def _speed(normalised: NDArray[np.float32], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    steady = valid[1:] & valid[:-1]
    return np.sqrt(np.mean(np.diff(normalised, axis=0)[steady] ** 2, axis=0))


class _Scale:
    """Normalises motion, and says how much each channel counts."""

    def __init__(
        self,
        mean: NDArray[np.float32],
        deviation: NDArray[np.float32],
        noise: NoiseShape,
        speed: NDArray[np.float32],
    ) -> None:
        self._mean = torch.as_tensor(mean)
        self._deviation = torch.as_tensor(deviation)
        self.noise = noise
        # Errors of slow channels are small in velocity but seen as trembling.
        self.velocity_weights = torch.as_tensor(np.maximum(speed, _LEAST_SPEED) ** -2)
        self.weights = torch.ones(N_CHANNELS)
        self.weights[list(LIP_COLUMNS)] = 2.0
        # Brows and head move rarely; at equal weight they were learned last and came out weak.
        self.weights[[INDEX[name] for name in COLUMNS if name.startswith("brow")]] = 2.0
        self.weights[N_BLENDSHAPES:N_MOTION] = 2.0
        self.weights[[INDEX["jawOpen"], N_CHANNELS - 2, N_CHANNELS - 1]] = 6.0
        # A channel that the corpus never moves is noise of its own rounding.
        self.weights[torch.as_tensor(deviation) <= _LEAST_DEVIATION] = 0.1

    def normalised(self, channels: NDArray[np.float32]) -> Tensor:
        return (torch.as_tensor(channels) - self._mean) / self._deviation


@dataclass(frozen=True, slots=True)
class _Inputs:
    """A batch as tensors, normalised."""

    agent: Tensor
    user: Tensor
    style: Tensor
    past: Tensor
    valid: Tensor
    target: Tensor


def _tensors(batch: Batch, scale: _Scale) -> _Inputs:
    valid = torch.as_tensor(batch.valid)
    past = scale.normalised(batch.past) * valid[..., None]
    agent, user, style = (torch.as_tensor(values) for values in (batch.agent, batch.user, batch.style))
    return _Inputs(agent, user, style, past, valid, scale.normalised(batch.target))


def _disturbed(batch: Batch, plan: Plan, random: np.random.Generator, scale: _Scale) -> _Inputs:
    inputs = _tensors(batch, scale)
    n_chunks, n_frames = batch.target.shape[:2]
    user = inputs.user.clone()
    for index in np.flatnonzero(random.random(n_chunks) < plan.user_cut):
        user[index, -int(random.integers(1, n_frames + LOOK_AHEAD + 8)) :] = 0
    valid = inputs.valid.clone()
    for index in np.flatnonzero(random.random(n_chunks) < plan.past_dropout):
        valid[index, : int(random.integers(1, PAST_FRAMES + 1))] = 0
    amount = plan.past_noise * torch.rand(n_chunks, 1, 1)
    shape = inputs.past.shape
    past = inputs.past + amount * (torch.randn(shape[0], 1, shape[2]) + torch.randn(shape))
    return _Inputs(inputs.agent, user, inputs.style, past * valid[..., None], valid, inputs.target)


def _loss(network: MotionNetwork, inputs: _Inputs, noise_share: float, scale: _Scale) -> Tensor:
    n_chunks = len(inputs.target)
    moment = 0.95 * torch.rand(n_chunks) * (torch.rand(n_chunks) >= noise_share)
    noise = torch.as_tensor(scale.noise.shape(torch.randn_like(inputs.target).numpy()))
    condition, lips = network.conditioner(inputs.agent, inputs.user, inputs.style)
    share = moment[:, None, None]
    noisy = (1 - share) * noise + share * inputs.target
    drawn = network.transformer(noisy, moment, inputs.past, inputs.valid, condition)
    columns = list(LIP_COLUMNS)
    wanted = inputs.target[..., columns]
    lip_loss = _error(lips[:, PAST_FRAMES:], wanted, scale, columns)
    return _error(drawn, inputs.target, scale, list(range(N_CHANNELS))) + 0.5 * lip_loss


def _error(drawn: Tensor, wanted: Tensor, scale: _Scale, columns: list[int]) -> Tensor:
    """Returns squared error of motion plus that of its velocity; both count alike in a channel of any speed.

    The frame before the chunk is given, so an error of the first frame is an error of velocity too.
    """
    error = drawn - wanted
    velocity = torch.diff(error, dim=1, prepend=torch.zeros_like(error[:, :1]))
    each = error.square() + _VELOCITY_SHARE * scale.velocity_weights[columns] * velocity.square()
    return (scale.weights[columns] * each).mean() / scale.weights[columns].mean()


@torch.no_grad()
def _average(averaged: MotionNetwork, network: MotionNetwork, step: int) -> None:
    """Moves an exponential average of the weights; early on it forgets faster."""
    share = 1 - min(_AVERAGING, step / (step + 10))
    for kept, current in zip(averaged.parameters(), network.parameters(), strict=True):
        kept.lerp_(current, share)


@torch.no_grad()
def _validation_loss(network: MotionNetwork, validation: Dataset, scale: _Scale) -> float:
    random = np.random.default_rng(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        batches = [validation.draw(random, 64, n_frames) for n_frames in (MIN_CHUNK, 12, MAX_CHUNK)]
        losses = [_loss(network.eval(), _tensors(batch, scale), 0.25, scale) for batch in batches]
    return float(torch.stack(losses).mean())


def _print_line(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
