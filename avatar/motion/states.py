"""Conditions of each frame that are not sound: dialogue state, emotion, controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.types import FRAME_RATE, AvatarState, Emotion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from avatar.motion.types import Controls

STATES: Final = tuple(AvatarState)
"""Order of the states in the model's inputs."""

N_STATES: Final = len(STATES)
N_EMOTIONS: Final = len(Emotion)
N_CONTROLS: Final = 4
N_STYLE: Final = N_STATES + N_EMOTIONS + N_CONTROLS

_EASE_SECONDS: Final = 0.16
_STEP: Final = 1 - float(np.exp(-1 / (_EASE_SECONDS * FRAME_RATE)))


def one_hot(states: Sequence[AvatarState]) -> NDArray[np.float32]:
    """Returns float32 (n_frames, 4), 1 in the column of each frame's state."""
    columns = np.array([STATES.index(state) for state in states], np.intp)
    return np.eye(N_STATES, dtype=np.float32)[columns]


def ease(targets: NDArray[np.float32], previous: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Returns targets followed with a time constant of 0.16 s, float32 (n_frames, n).

    So a change of state or emotion is never a step, and its first half second tells the model how long ago it was.

    Args:
        targets: float32 (n_frames, n).
        previous: float32 (n,), the frame before, or None to start at the first target.
    """
    value = targets[0] if previous is None else previous
    result = np.empty_like(targets)
    for index, target in enumerate(targets):
        value = value + _STEP * (target - value)
        result[index] = value
    return result


def control_values(controls: Controls) -> NDArray[np.float32]:
    """Returns the model's inputs for controls, float32 (4,): lip and head amplitude around 1, gaze right and up."""
    return np.array([controls.lip_amplitude - 1, controls.head_amplitude - 1, *controls.gaze], np.float32)
