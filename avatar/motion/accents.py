"""The head and brows mark the accents of the avatar's own speech.

Heads dip on pitch accents, with some turn and tilt (Busso et al. 2007; Graf et al. 2002), and brows rise on a minority
of them (Krahmer & Swerts 2007). An accent is a frame whose level tops its neighbours and the recent level of the
speech. It is judged `AHEAD` frames early, as soon as the model's look-ahead shows what follows it, so that the dip
arrives with the syllable, however the motion is cut into chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.motion.features import LOOK_AHEAD
from avatar.motion.gestures import pulse_curve
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BESIDE: Final = 2
AHEAD: Final = LOOK_AHEAD - _BESIDE
"""Frames from the one that is made to the one that is judged."""

_QUIET: Final = 0.45
"""Log energy (see `features.prosody`) below which nothing is speech: -44 dB."""

_FORGETTING: Final = 0.02
_APART: Final = 9
_FROM: Final = 0.015
"""How far an accent lies above the recent level and above the least of its neighbours (1.2 dB)."""

_FULL: Final = 0.075
"""Height of an accent of strength 1 (6 dB)."""

_CHANCE: Final = 0.55
_BROW_CHANCE: Final = 0.3
_LONGEST: Final = FRAME_RATE


class Accent(NamedTuple):
    """One accent: its first frame, seconds of rise and fall, degrees, and height of the brows."""

    start: int
    rise: float
    fall: float
    pitch: float
    yaw: float
    roll: float
    brows: float


class Emphasis(NamedTuple):
    """What a frame inherits from the one before: recent level, frames since the last accent, accents under way."""

    level: float = 0.55
    since: int = _APART
    accents: tuple[Accent, ...] = ()


def emphasised(
    before: Emphasis, start: int, energy: NDArray[np.float32], random: np.random.Generator
) -> list[Emphasis]:
    """Returns the accents under way at each frame.

    Args:
        before: At the frame before the first.
        start: Index of the first frame.
        energy: float32 (2 + n_frames + LOOK_AHEAD,), log energy of the speech from two frames before the first on.
        random: Source of the variety.
    """
    result: list[Emphasis] = []
    held = before
    for offset in range(len(energy) - _BESIDE - LOOK_AHEAD):
        judged = offset + _BESIDE + AHEAD
        held = _judged(held, start + offset, energy[judged - _BESIDE : judged + _BESIDE + 1], random)
        result.append(held)
    return result


def accent_curves(held: list[Emphasis], start: int) -> NDArray[np.float64]:
    """Returns yaw, pitch and roll in radians and the rise of the brows, float64 (n_frames, 4)."""
    curves = np.zeros((len(held), 4))
    for accent in dict.fromkeys(accent for one in held for accent in one.accents):
        seconds = (start - accent.start + np.arange(len(held))) / FRAME_RATE
        dip = pulse_curve(seconds, (0.0, accent.rise, 0.04, accent.fall, 1.0))
        curves[:, :3] += dip[:, np.newaxis] * np.radians((accent.yaw, accent.pitch, accent.roll))
        if accent.brows:
            curves[:, 3] += pulse_curve(seconds, (0.0, accent.rise, 0.12, 1.3 * accent.fall, accent.brows))
    return curves


def _judged(held: Emphasis, frame: int, around: NDArray[np.float32], random: np.random.Generator) -> Emphasis:
    accents = tuple(accent for accent in held.accents if frame - accent.start < _LONGEST)
    peak, since = float(around[_BESIDE]), held.since + 1
    if peak < _QUIET:
        return Emphasis(held.level, since, accents)
    height = peak - held.level
    level = held.level + _FORGETTING * height
    stands_out = peak == around.max() and min(height, peak - float(around.min())) >= _FROM
    if since < _APART or not stands_out or random.random() > _CHANCE:
        return Emphasis(level, since, accents)
    strength = min(1.3, 0.4 + 0.6 * height / _FULL)
    rise = min(AHEAD / FRAME_RATE, float(random.uniform(0.18, 0.2)))
    accent = Accent(
        frame + AHEAD - round(rise * FRAME_RATE),
        rise,
        float(random.uniform(0.35, 0.55)),
        -strength * float(random.uniform(1.0, 3.2)),
        strength * float(random.normal(0, 1.5)),
        strength * float(random.normal(0, 1.0)),
        strength * float(random.uniform(0.12, 0.32)) if random.random() < _BROW_CHANCE else 0.0,
    )
    return Emphasis(level, 0, (*accents, accent))
