"""Measures the committed motion model on voices it never heard: ``python -m avatar.training.evaluate``.

The generator runs as it does in a live stream: chunk after chunk, each from the motion before it. The same figures are
given for the corpus's own labels (the ceiling), a jaw driven by energy, and a small regression of the lips.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from avatar.errors import VisavisError
from avatar.motion import features
from avatar.motion.articulation import CLOSED_GAP, lip_gap, seal_lips
from avatar.motion.features import SAMPLES_PER_FRAME, SpeechFeatures
from avatar.motion.generator import FlowMotionGenerator
from avatar.motion.layout import N_MOTION
from avatar.motion.model import DATA_FOLDER, MotionModel
from avatar.motion.states import STATES
from avatar.motion.types import Controls, MotionGenerator, MotionRequest
from avatar.motion.whisper import load_whisper
from avatar.training import baselines, measures
from avatar.training.dataset import Clip, Dataset, clip_files, read_clip, to_float
from avatar.types import AvatarState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_CHUNK_SIZES: Final = (8, 12, 25, 4, 16)
_IDLE_SECONDS: Final = 240
_SPEAKING: Final = STATES.index(AvatarState.SPEAKING)


@dataclass(frozen=True, slots=True)
class Run:
    """Motion made for a clip.

    Attributes:
        motion: float32 (n_frames, 58), sealed.
        boundaries: First frames of its chunks.
    """

    motion: NDArray[np.float32]
    boundaries: tuple[int, ...]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("build/corpus"))
    parser.add_argument("--model", type=Path, default=DATA_FOLDER)
    parser.add_argument("--cache", type=Path, default=Path("build/motion/features"))
    parser.add_argument("--out", type=Path, default=Path("build/motion/evaluation.json"))
    parser.add_argument("--regression-steps", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        speech = SpeechFeatures(load_whisper())
        model = MotionModel(options.model)
        clips = [read_clip(path) for path in clip_files(options.corpus, "held_out")]
        training = Dataset(clip_files(options.corpus, "train"), speech, options.cache, options.seed)
    except VisavisError as error:
        print(error, f"hint: {error.hint}" if error.hint else "", sep="\n", file=sys.stderr)
        return 2

    def generator(seed: int) -> FlowMotionGenerator:
        return FlowMotionGenerator(model, speech, np.random.default_rng([options.seed, seed]))

    regression = baselines.train_regression(training, options.regression_steps, options.seed)
    systems: dict[str, list[Run]] = {
        "model": [drive(generator(index), clip) for index, clip in enumerate(clips)],
        "labels": [Run(labels(clip), ()) for clip in clips],
        "regression": [Run(regressed(regression, clip, speech), ()) for clip in clips],
        "energy": [Run(baselines.energy_jaw(to_float(clip.agent)), ()) for clip in clips],
    }
    results: dict[str, dict[str, float]] = {name: lip_figures(clips, runs) for name, runs in systems.items()}
    results["model"]["boundary ratio"] = float(
        np.mean([measures.boundary_ratio(run.motion, run.boundaries) for run in systems["model"]])
    )
    results["model"] |= idle_figures(generator(len(clips)))
    results["cost, share of real time"] = costs(generator)
    _print_table(results)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def drive(generator: MotionGenerator, clip: Clip, sizes: Sequence[int] = _CHUNK_SIZES) -> Run:
    """Returns the generator's motion for a clip, made in chunks of the given sizes in turn."""
    context, ahead = generator.audio_context, generator.look_ahead
    margin = (context * SAMPLES_PER_FRAME, (ahead + features.MAX_CHUNK) * SAMPLES_PER_FRAME)
    agent, user = (np.pad(to_float(sound), margin) for sound in (clip.agent, clip.user))
    chunks: list[NDArray[np.float32]] = []
    boundaries: list[int] = []
    start = 0
    while start < clip.n_frames:
        n_frames = sizes[len(chunks) % len(sizes)]
        frames = np.minimum(np.arange(start, start + n_frames), clip.n_frames - 1)
        cut = slice(start * SAMPLES_PER_FRAME, (start + context + n_frames + ahead) * SAMPLES_PER_FRAME)
        lips, head, right, up = clip.controls[start].tolist()
        request = MotionRequest(
            start,
            n_frames,
            agent[cut],
            user[cut],
            tuple(STATES[index] for index in clip.states[frames]),
            clip.emotion[frames],
            Controls(lips, head, (right, up)),
        )
        chunks.append(generator.generate(request).coefficients)
        boundaries.append(start)
        start += n_frames
    return Run(np.concatenate(chunks)[: clip.n_frames], tuple(boundaries))


def labels(clip: Clip) -> NDArray[np.float32]:
    """Returns the corpus's own motion with its lips sealed, float32 (n_frames, 58)."""
    channels = clip.channels
    return seal_lips(channels[:, :N_MOTION], channels[:, N_MOTION], channels[:, N_MOTION + 1])


def regressed(network: baselines.LipRegression, clip: Clip, speech: SpeechFeatures) -> NDArray[np.float32]:
    """Returns the regression's motion for a clip, in chunks of 25 frames with the generator's windows."""
    window, step = (
        features.window_frames(features.MAX_CHUNK) * SAMPLES_PER_FRAME,
        features.MAX_CHUNK * SAMPLES_PER_FRAME,
    )
    sound = np.pad(to_float(clip.agent), (features.CONDITION_PAST * SAMPLES_PER_FRAME, window))
    starts = range(0, clip.n_frames * SAMPLES_PER_FRAME, step)
    chunks = [baselines.regressed_motion(network, speech(sound[start : start + window])) for start in starts]
    return np.concatenate(chunks)[: clip.n_frames]


def lip_figures(clips: Sequence[Clip], runs: Sequence[Run]) -> dict[str, float]:
    """Returns the figures of the lips, in shares of 1, over all clips."""
    counts = {name: np.zeros(2, int) for name in ("closure recall", "tuck recall", "false closures", "closed at rest")}
    correlations: list[tuple[float, int]] = []
    for clip, run in zip(clips, runs, strict=True):
        gap, wanted = lip_gap(run.motion), lip_gap(labels(clip))
        rest = measures.rest_frames(clip.states == _SPEAKING, clip.phones)
        counts["closure recall"] += measures.closure_recall(gap, clip.phones)
        counts["tuck recall"] += measures.tuck_recall(run.motion, clip.phones)
        counts["false closures"] += measures.false_closures(gap, wanted)
        counts["closed at rest"] += (int((gap[rest] < CLOSED_GAP).sum()), int(rest.sum()))
        speaking = clip.states == _SPEAKING
        if speaking.sum() > 25:
            correlations.append(measures.correlation(gap[speaking], wanted[speaking]))
    figures = {name: float(found / max(total, 1)) for name, (found, total) in counts.items()}
    figures["aperture correlation"] = float(np.mean([value for value, _ in correlations]))
    figures["aperture lag, frames"] = float(np.mean([lag for _, lag in correlations]))
    return figures


def idle_figures(generator: MotionGenerator) -> dict[str, float]:
    """Returns blinks a minute and rest over four idle minutes in one go."""
    n_frames = _IDLE_SECONDS * 25
    silence = np.zeros(n_frames * SAMPLES_PER_FRAME, np.int16)
    clip = Clip(
        agent=silence,
        user=silence,
        channels=np.zeros((n_frames, N_MOTION + 2), np.float32),
        states=np.full(n_frames, STATES.index(AvatarState.IDLE), np.int8),
        emotion=np.zeros((n_frames, 8), np.float32),
        controls=np.tile(np.array([1, 1, 0, 0], np.float32), (n_frames, 1)),
        phones=(),
        user_phrase_ends=np.zeros(0, np.float32),
        voice="",
    )
    run = drive(generator, clip, (25,))
    return {
        "idle blinks a minute": 60 * len(measures.blink_starts(run.motion)) / _IDLE_SECONDS,
        "idle closed": float((lip_gap(run.motion) < CLOSED_GAP).mean()),
        "idle boundary ratio": measures.boundary_ratio(run.motion, run.boundaries),
    }


def costs(generator: Callable[[int], FlowMotionGenerator]) -> dict[str, float]:
    """Returns compute time over the chunk's length, on one thread, by chunk size; the median of nine chunks."""
    random = np.random.default_rng(0)
    figures: dict[str, float] = {}
    for n_frames in (4, 8, 12, 25):
        for name, level in (("speech", 0.1), ("silence", 0.0)):
            maker = generator(0)
            n_samples = (maker.audio_context + n_frames + maker.look_ahead) * SAMPLES_PER_FRAME
            sound = (level * random.standard_normal(n_samples)).astype(np.float32)
            seconds: list[float] = []
            for index in range(9):
                request = MotionRequest(
                    index * n_frames,
                    n_frames,
                    sound,
                    np.zeros_like(sound),
                    (AvatarState.SPEAKING,) * n_frames,
                    np.zeros((n_frames, 8), np.float32),
                    Controls(),
                )
                began = time.perf_counter()
                maker.generate(request)
                seconds.append(time.perf_counter() - began)
            figures[f"{n_frames} frames, {name}"] = float(np.median(seconds)) * 25 / n_frames
    return figures


def _print_table(results: dict[str, dict[str, float]]) -> None:
    for system, figures in results.items():
        print(system)
        for name, value in figures.items():
            print(f"  {name:28s} {value:8.3f}")


if __name__ == "__main__":
    sys.exit(main())
