"""Compares motion with real people, for ``python -m avatar.training.evaluate --clips VIDEO ...``.

Each video's mouth is tracked; motion is made from its sound alone, drawn on a portrait, and tracked with the same
landmark model. Both apertures are the distance of the inner lips over that of the outer eye corners.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.audio import read_audio
from avatar.motion.articulation import lip_gap
from avatar.portrait.landmarks import LandmarkModel, Landmarks
from avatar.portrait.setup import default_portrait_path, load_portrait
from avatar.portrait.track import follow_face
from avatar.portrait.video import read_frames
from avatar.render.renderer import PortraitRenderer
from avatar.training import baselines
from avatar.training.dataset import to_float
from avatar.training.drive import clip_of, drive
from avatar.training.measures import correlation
from avatar.types import FRAME_RATE, SPEECH_RATE, AvatarState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from avatar.motion.types import MotionGenerator
    from avatar.render.types import Renderer

_INNER_LIPS: Final = ((13, 14), (82, 87), (312, 317))
_EYE_CORNERS: Final = (33, 263)
_SIZE: Final = 512


def default_renderer() -> PortraitRenderer:
    """Returns a renderer of the default portrait, whose face rests as the product's does.

    Raises:
        VisavisError: The portrait or a model file is missing or damaged.
    """
    return PortraitRenderer(load_portrait(default_portrait_path(), note=lambda _: None), _SIZE, relaxed=True)


def compare(video: Path, renderer: Renderer, generator: MotionGenerator) -> dict[str, NDArray[np.float32]]:
    """Returns apertures over time, float32 (n_frames,) each.

    "real" is the tracked person, "rendered" what was drawn and tracked again, "coefficients" the proxy of
    `lip_gap`, "energy" that of a jaw driven by loudness.

    Raises:
        InputError: The video can't be read.
    """
    tracker = LandmarkModel()
    real = aperture(follow_face(read_frames(video), tracker))
    clip = clip_of(read_audio(video, SPEECH_RATE), AvatarState.SPEAKING)
    motion = drive(generator, clip).motion
    n_frames = min(len(real), len(motion))
    motion = motion[:n_frames]
    energy = baselines.energy_jaw(to_float(clip.agent))[:n_frames]
    return {
        "real": real[:n_frames],
        "rendered": aperture(follow_face(_pictures(renderer, motion), tracker)),
        "coefficients": lip_gap(motion),
        "energy": lip_gap(energy),
    }


def figures(curves: dict[str, NDArray[np.float32]]) -> dict[str, float]:
    """Returns each aperture's highest correlation with the real one within six frames, and that lag in frames.

    And at no lag; and how far lips open (from the 5th to the 98th percentile), and how fast and how abruptly they move
    (95th percentiles), in distances of the eye corners and seconds.
    """
    known = np.isfinite(curves["real"])
    real = curves["real"][known]
    found: dict[str, float] = {f"real {what}": value for what, value in _extent(real).items()}
    for name in ("rendered", "coefficients", "energy"):
        made = np.where(np.isfinite(curves[name]), curves[name], np.nanmedian(curves[name]))[known]
        value, lag = correlation(made, real)
        found |= {
            name: round(value, 3),
            f"{name} lag": lag,
            f"{name} at no lag": round(correlation(made, real, 0)[0], 3),
        }
        found |= {f"{name} {what}": value for what, value in _extent(made).items()}
    return found


def aperture(seen: Sequence[Landmarks | None]) -> NDArray[np.float32]:
    """Returns the distance between the inner lips over that of the outer eye corners, NaN where no face was seen."""
    result = np.full(len(seen), np.nan, np.float32)
    for index, landmarks in enumerate(seen):
        if landmarks is not None:
            points = landmarks.points
            apart = np.mean([np.linalg.norm(points[upper] - points[lower]) for upper, lower in _INNER_LIPS])
            result[index] = apart / np.linalg.norm(points[_EYE_CORNERS[0]] - points[_EYE_CORNERS[1]])
    return result


def _extent(values: NDArray[np.float32]) -> dict[str, float]:
    low, high = np.percentile(values, (5, 98)).tolist()
    speed, jerk = (float(np.percentile(np.abs(np.diff(values, n=order)), 95)) * FRAME_RATE**order for order in (1, 3))
    return {"span": round(high - low, 3), "speed": round(speed, 3), "jerk": round(jerk, 1)}


def _pictures(renderer: Renderer, motion: NDArray[np.float32]) -> Iterable[NDArray[np.uint8]]:
    return (renderer.render(coefficients) for coefficients in motion)
