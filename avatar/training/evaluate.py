"""Measures the committed motion model on voices it never heard: ``python -m avatar.training.evaluate``.

The generator runs as it does in a live stream: chunk after chunk, each from the motion before it. The same figures are
given for the corpus's own labels (the ceiling) and, of the lips, for a jaw driven by energy, a small regression and an
MFCC matcher. With `--clips`, motion made from the sound of real talking videos is drawn, tracked again and compared
with the people.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from avatar.errors import VisavisError
from avatar.motion import features
from avatar.motion.features import SAMPLES_PER_FRAME, SpeechFeatures
from avatar.motion.generator import FlowMotionGenerator
from avatar.motion.model import DATA_FOLDER, MotionModel
from avatar.motion.whisper import load_whisper
from avatar.training import baselines, figures, real_clips
from avatar.training.dataset import Clip, Dataset, clip_files, read_clip, to_float
from avatar.training.drive import Run, drive, labels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Results = dict[str, dict[str, float]]

PARTS: Final = ("lips", "face", "idle", "emotions", "mixes", "cost")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path("build/corpus"))
    parser.add_argument("--split", choices=("held_out", "validation"), default="held_out")
    parser.add_argument("--model", type=Path, default=DATA_FOLDER)
    parser.add_argument("--cache", type=Path, default=Path("build/motion/features"))
    parser.add_argument("--out", type=Path, default=Path("build/motion/evaluation.json"))
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="leave out the other parts")
    parser.add_argument("--clips", type=Path, nargs="+", default=(), help="videos of talking people")
    parser.add_argument("--regression-steps", type=int, default=800, help="0 leaves the regression out")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        results = evaluate(options)
    except VisavisError as error:
        print(error, f"hint: {error.hint}" if error.hint else "", sep="\n", file=sys.stderr)
        return 2
    for system, found in results.items():
        print(system)
        for name, value in found.items():
            print(f"  {name:36s} {value:8.3f}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def evaluate(options: argparse.Namespace) -> Results:
    """Returns figures by system and name; `options` are those of the command line.

    Raises:
        InputError: The corpus has no clips of the split.
        ModelError: Weights are missing or damaged.
    """
    speech = SpeechFeatures(load_whisper())
    model = MotionModel(options.model)
    wanted = set(options.only)

    def generator(seed: int) -> FlowMotionGenerator:
        return FlowMotionGenerator(model, speech, np.random.default_rng([options.seed, seed]))

    results: Results = {}
    if wanted & {"lips", "face", "emotions", "mixes"}:
        clips = [read_clip(path) for path in clip_files(options.corpus, options.split)]
        results |= _of_clips(clips, speech, generator, options)
        if "emotions" in wanted:
            results["emotions"] = figures.emotion_figures(generator, next(clip for clip in clips if spoken(clip)))
        if "mixes" in wanted:
            results["mixes"] = figures.mix_figures(generator, clips, options.seed)
    if "idle" in wanted:
        results["idle"] = figures.idle_figures(generator(0))
    if "cost" in wanted:
        results["cost, share of real time"] = figures.costs(generator)
    if options.clips:
        renderer = real_clips.default_renderer()
        for video in options.clips:
            curves = real_clips.compare(video, renderer, generator(0))
            results[f"aperture against {video.name}"] = real_clips.figures(curves)
    return results


def _of_clips(
    clips: Sequence[Clip],
    speech: SpeechFeatures,
    generator: Callable[[int], FlowMotionGenerator],
    options: argparse.Namespace,
) -> Results:
    wanted = set(options.only)
    results: Results = {}
    if not wanted & {"lips", "face"}:
        return results
    systems: dict[str, list[Run]] = {
        "model": [drive(generator(index), clip) for index, clip in enumerate(clips)],
        "labels": [Run(labels(clip), ()) for clip in clips],
    }
    faces = {name: figures.face_figures(clips, runs, options.seed) for name, runs in systems.items()}
    if "lips" in wanted:
        systems |= _baselines(clips, speech, options)
        results = {name: figures.lip_figures(clips, runs) for name, runs in systems.items()}
    if "face" in wanted:
        results |= {f"{name}, face": found for name, found in faces.items()}
    return results


def _baselines(clips: Sequence[Clip], speech: SpeechFeatures, options: argparse.Namespace) -> dict[str, list[Run]]:
    runs = {"energy": [Run(baselines.energy_jaw(to_float(clip.agent)), ()) for clip in clips]}
    if baselines.has_matcher():
        runs["MFCC matcher"] = [Run(baselines.matched_motion(to_float(clip.agent)), ()) for clip in clips]
    else:
        print("no MFCC matcher: `uv pip install --no-deps pylipsync==0.2.1` adds it", file=sys.stderr)
    if options.regression_steps:
        training = Dataset(clip_files(options.corpus, "train"), speech, options.cache, options.seed)
        regression = baselines.train_regression(training, options.regression_steps, options.seed)
        runs["regression"] = [Run(regressed(regression, clip, speech), ()) for clip in clips]
    return runs


def spoken(clip: Clip) -> bool:
    """Returns whether the avatar says more than a few words in a clip."""
    return len(clip.phones) > 40


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


if __name__ == "__main__":
    sys.exit(main())
