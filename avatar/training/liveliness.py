"""Figures of the face and head beside the lips: speeds, blinks, prosody in the head, nods, emotions.

Angles of the pose are radians; nodding down is negative pitch. Frame f lies at (f + 0.5) / 25 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.stats import kstest, spearmanr

from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.training.measures import blink_starts
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NOD: Final = float(np.radians(1.2))
"""Least depth of a nod: how far the head goes down within `NOD_WITHIN` seconds, and half of it up again."""

NOD_WITHIN: Final = 1.0

_ANGLES: Final = slice(N_BLENDSHAPES, N_BLENDSHAPES + 3)
_PITCH: Final = INDEX["pitch"]
_JAW: Final = INDEX["jawOpen"]
_SMOOTH: Final = 6.0


def speeds(motion: NDArray[np.float32]) -> dict[str, float]:
    """Returns 95th percentiles of speed and jerk: head in degrees/s and degrees/s^3, jaw in full openings/s (/s^3)."""
    angles = np.degrees(motion[:, _ANGLES].astype(np.float64))
    head_speed = np.linalg.norm(np.diff(angles, axis=0), axis=1) * FRAME_RATE
    head_jerk = np.linalg.norm(np.diff(angles, n=3, axis=0), axis=1) * FRAME_RATE**3
    jaw = motion[:, _JAW].astype(np.float64)
    return {
        "head speed": float(np.percentile(head_speed, 95)),
        "head jerk": float(np.percentile(head_jerk, 95)),
        "jaw speed": float(np.percentile(np.abs(np.diff(jaw)), 95)) * FRAME_RATE,
        "jaw jerk": float(np.percentile(np.abs(np.diff(jaw, n=3)), 95)) * FRAME_RATE**3,
    }


def blink_figures(motion: NDArray[np.float32]) -> dict[str, float]:
    """Returns blinks a minute, and mean, spread and fit of the logarithm of their intervals.

    "fit" is the Kolmogorov-Smirnov distance of the intervals from the log-normal of their own mean and spread.
    """
    starts = blink_starts(motion) / FRAME_RATE
    figures = {"blinks a minute": 60 * FRAME_RATE * len(starts) / len(motion)}
    if len(starts) > 3:
        logs = np.log(np.diff(starts))
        standard = (logs - logs.mean()) / max(float(logs.std()), 1e-6)
        figures |= {
            "median blink interval, s": float(np.exp(np.median(logs))),
            "spread of log intervals": float(logs.std()),
            "distance from log-normal": float(np.asarray(kstest(standard, "norm"))[0]),
        }
    return figures


def head_follows_loudness(
    motion: NDArray[np.float32], loudness: NDArray[np.float32], speaking: NDArray[np.bool_]
) -> float:
    """Returns the correlation of the head's speed with the level of the speech, both over about half a second.

    Args:
        motion: float32 (n_frames, 58).
        loudness: float32 (n_frames,), log energy, see `features.prosody`.
        speaking: bool (n_frames,), where to look.
    """
    speed = np.linalg.norm(np.gradient(motion[:, _ANGLES], axis=0), axis=1)
    slow_speed, slow_level = gaussian_filter1d(speed, _SMOOTH), gaussian_filter1d(loudness, _SMOOTH)
    return float(np.corrcoef(slow_speed[speaking], slow_level[speaking])[0, 1])


def nods_at(motion: NDArray[np.float32], seconds: Sequence[float]) -> NDArray[np.bool_]:
    """Returns whether the head nods within a second after each of the times given, bool (n,)."""
    pitch = motion[:, _PITCH]
    found = np.zeros(len(seconds), bool)
    for index, time in enumerate(seconds):
        frame = int(time * FRAME_RATE)
        piece = pitch[frame : frame + int(NOD_WITHIN * FRAME_RATE) + 10]
        if len(piece) > 10:
            lowest = int(piece[:-9].argmin())
            depth = piece[: lowest + 1].max() - piece[lowest]
            found[index] = depth > NOD and piece[lowest:].max() - piece[lowest] > NOD / 2
    return found


def times_away(
    wanted: NDArray[np.bool_], ends: Sequence[float], n: int, random: np.random.Generator, *, least: float = 1.4
) -> list[float]:
    """Returns up to `n` times drawn from the wanted frames, at least so many seconds after and before any phrase end.

    A control for `nods_at`: the same head at moments that mean nothing.
    """
    times = (np.flatnonzero(wanted) + 0.5) / FRAME_RATE
    if len(ends):
        gaps = np.abs(times[:, np.newaxis] - np.asarray(ends)[np.newaxis]).min(axis=1)
        times = times[gaps > least]
    return [] if not len(times) else random.choice(times, min(n, len(times)), replace=False).tolist()


def emotion_figures(
    faces: NDArray[np.float32], neutral: NDArray[np.float32], recipe: NDArray[np.float64]
) -> tuple[float, float]:
    """Returns how an emotion shows: its direction (cosine with the recipe), and how monotonous its growth is (-1 to 1).

    Args:
        faces: float32 (n_intensities, 52), mean face at rising intensities, the last one full.
        neutral: float32 (52,), mean face without emotion.
        recipe: float64 (52,), the action units that the emotion is made of.
    """
    changes = (faces - neutral).astype(np.float64)
    length = np.linalg.norm(recipe)
    direction = float(changes[-1] @ recipe / max(np.linalg.norm(changes[-1]) * length, 1e-9))
    along = [0.0, *(changes @ recipe / length)]
    return direction, float(np.asarray(spearmanr(np.arange(len(along)), along))[0])
