"""Controls that are laid on the motion that the network makes: amplitudes of head and brows, and where the eyes rest.

They hold exactly, whatever the network learned of them. Lip amplitude is left to the network, which knows the phones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.gestures import FULL_LOOK, turn_eyes
from avatar.motion.layout import COLUMNS, INDEX, N_BLENDSHAPES
from avatar.motion.relative import LOWEST
from avatar.motion.types import Controls

if TYPE_CHECKING:
    from numpy.typing import NDArray

NATURAL: Final = np.array([1, 1, 0, 0], np.float32)
"""Amounts that change nothing."""

_BROWS: Final = np.array([name.startswith("brow") for name in COLUMNS])
_POSE: Final = slice(N_BLENDSHAPES, None)
_POSE_LIMIT: Final = 1.0
_GAZE_RANGE: Final = np.radians((25.0, 16.0))
"""Radians (right, up) that the gaze (1, 1) stands for."""

_HEAD_SHARE: Final = 0.32
"""Part of a lasting shift of gaze that the head takes (Goossens & Van Opstal 1997)."""


def amounts_of(controls: Controls) -> NDArray[np.float32]:
    """Returns what controls ask of the motion, float32 (4,): amplitude of head and of brows, gaze right and up."""
    return np.array([controls.head_amplitude * controls.energy, controls.energy, *controls.gaze], np.float32)


def for_network(controls: Controls) -> Controls:
    """Returns the controls that the network carries out itself."""
    return Controls(lip_amplitude=controls.lip_amplitude)


def with_controls(motion: NDArray[np.float32], amounts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion of another amplitude and gaze, float32 (n_frames, 58), within the bounds of each column.

    Where the head moves otherwise than before, the eyes make up for it, so that they rest where they are asked to.

    Args:
        motion: float32 (n_frames, 58).
        amounts: float32 (n_frames, 4), as `amounts_of` gives them, frame by frame.
    """
    if np.array_equal(amounts, np.broadcast_to(NATURAL, amounts.shape)):
        return motion
    result = motion.astype(np.float64)
    result[:, _POSE] *= amounts[:, :1]
    result[:, _BROWS] *= amounts[:, 1:2]
    asked = amounts[:, 2:] * _GAZE_RANGE
    angles = [INDEX["yaw"], INDEX["pitch"]]
    result[:, angles] += _HEAD_SHARE * asked
    turn_eyes(result, (asked - (result[:, angles] - motion[:, angles])) / FULL_LOOK)
    result[:, :N_BLENDSHAPES] = np.clip(result[:, :N_BLENDSHAPES], LOWEST, 1)
    result[:, _POSE] = np.clip(result[:, _POSE], -_POSE_LIMIT, _POSE_LIMIT)
    return result.astype(np.float32)
