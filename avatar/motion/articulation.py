"""Seals and tucks the lips where the model's own channels say so, and measures how far they are apart.

The model makes openness and closure apart (LIP_CHANNELS): bilabials are too short for a curve of openness to reach
zero, but a viewer notices each one that is missed. Sealing is memoryless, so chunks join without a seam.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIP_CHANNELS: Final = ("closure", "tuck")
"""What the model makes beside the motion: sealed lips (p b m) and the lower lip under the teeth (f v), in [0, 1]."""

CLOSED_GAP: Final = 0.02
"""Gap, in interocular distances, below which lips count as closed: 1.3 mm on a face with 65 mm between the eyes."""

GAP_WEIGHTS: Final[dict[str, float]] = {
    "jawOpen": 0.389,
    "mouthClose": -0.390,
    "mouthFunnel": 0.115,
    "mouthPucker": -0.027,
    "mouthLowerDownLeft": 0.025,
    "mouthLowerDownRight": 0.025,
    "mouthUpperUpLeft": 0.031,
    "mouthUpperUpRight": 0.031,
    "mouthShrugUpper": 0.039,
    "mouthShrugLower": -0.053,
    "mouthRollLower": -0.029,
    "mouthRollUpper": -0.012,
    "mouthPressLeft": -0.011,
    "mouthPressRight": -0.011,
    "mouthSmileLeft": -0.015,
    "mouthSmileRight": -0.015,
}
"""Change of the inner lips' distance at full weight, in outer eye corner distances, on MakeHuman's CC0 head: the mean
of the vertical distances between the face mesh points 13-14, 82-87 and 312-317 under each ARKit unit."""

_GAP: Final = np.zeros(len(INDEX), np.float32)
for _name, _weight in GAP_WEIGHTS.items():
    _GAP[INDEX[_name]] = _weight

_JAW: Final = INDEX["jawOpen"]
_CLOSE: Final = INDEX["mouthClose"]
_FUNNEL: Final = INDEX["mouthFunnel"]
_SHRUG_UPPER: Final = INDEX["mouthShrugUpper"]
_ROLL_LOWER: Final = INDEX["mouthRollLower"]
_ROLLS: Final = (_ROLL_LOWER, INDEX["mouthRollUpper"])
_PRESSES: Final = (INDEX["mouthPressLeft"], INDEX["mouthPressRight"])
_LOWER_DOWN: Final = (INDEX["mouthLowerDownLeft"], INDEX["mouthLowerDownRight"])
_UPPER_UP: Final = (INDEX["mouthUpperUpLeft"], INDEX["mouthUpperUpRight"])
_PARTING: Final = (*_LOWER_DOWN, *_UPPER_UP, _SHRUG_UPPER)

_SEAL_FROM: Final = 0.40
_SEAL_FULL: Final = 0.70
_TUCK_FROM: Final = 0.10
_TUCK_FULL: Final = 0.25


def lip_gap(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the distance between the inner lips, float32 (...,), in interocular distances; negative is pressed.

    A proxy from the coefficients alone (GAP_WEIGHTS), for training, tests and evaluation without pictures.

    Args:
        motion: float32 (..., 58).
    """
    return motion @ _GAP


def seal_lips(
    motion: NDArray[np.float32], closure: NDArray[np.float32], tuck: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns the motion with lips sealed for p b m and the lower lip tucked for f v, float32 (n_frames, 58).

    A sealed mouth has `mouthClose` equal to what is left of `jawOpen`, lips slightly pressed and rolled in, and nothing
    that parts them. A tucked lip leaves a narrow opening.

    Args:
        motion: float32 (n_frames, 58), where openness ignores bilabials.
        closure: float32 (n_frames,), the model's closure channel.
        tuck: float32 (n_frames,), the model's tuck channel.
    """
    sealed = _ramp(closure, _SEAL_FROM, _SEAL_FULL)
    tucked = _ramp(tuck, _TUCK_FROM, _TUCK_FULL) * (1 - sealed)
    result = motion.copy()

    result[:, _JAW] *= (1 - 0.6 * sealed) * (1 - 0.6 * tucked)
    result[:, _CLOSE] += sealed * (result[:, _JAW] - result[:, _CLOSE])
    result[:, _FUNNEL] *= (1 - sealed) * (1 - 0.8 * tucked)
    for column in _PARTING:
        result[:, column] *= 1 - sealed
    for column in _PRESSES:
        result[:, column] = np.maximum(result[:, column], 0.30 * sealed)
    for column in _ROLLS:
        result[:, column] = np.maximum(result[:, column], 0.15 * sealed)

    result[:, _ROLL_LOWER] = np.maximum(result[:, _ROLL_LOWER], 0.50 * tucked)
    for column in _LOWER_DOWN:
        result[:, column] *= 1 - tucked
    for column in _UPPER_UP:
        result[:, column] = np.maximum(result[:, column], 0.20 * tucked)
    return result


def _ramp(values: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    share = np.clip((values - start) / (end - start), 0, 1)
    return (share * share * (3 - 2 * share)).astype(np.float32)
