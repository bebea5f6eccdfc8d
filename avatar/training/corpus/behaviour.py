"""A clip's whole motion but the lips: emotion, brows, gaze, head and blinks put together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.emotions import HEAD_ENERGY
from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.training.corpus.blinks import blink_curve, blink_times
from avatar.training.corpus.brows import move_brows
from avatar.training.corpus.emotion import expression
from avatar.training.corpus.gaze import gaze_path, look
from avatar.training.corpus.head import head_pose, listening_nods
from avatar.training.corpus.scene import pink_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.corpus.scene import Scene

_POSE: Final = slice(N_BLENDSHAPES, N_BLENDSHAPES + 6)
_ANGLES: Final = slice(N_BLENDSHAPES, N_BLENDSHAPES + 3)
_MAX_ANGLE: Final = np.radians(22.0)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A clip's motion and the events in it, for statistics and tests.

    Attributes:
        motion: float32 (n_frames, 58).
        blinks: Seconds at which blinks begin.
        nods: Seconds at which a listener's nods begin.
    """

    motion: NDArray[np.float32]
    blinks: list[float]
    nods: list[float]


def behave(scene: Scene, lips: NDArray[np.float32], rng: np.random.Generator) -> Behaviour:
    """Returns the motion of a clip: everything but the lips, added to them.

    Args:
        scene: The clip's conditions.
        lips: float32 (n_frames, 58), from `lips.to_coefficients`.
        rng: Source of chance.
    """
    emotion = expression(scene, rng)
    energy = 1 + scene.emotion.astype(np.float64) @ (HEAD_ENERGY - 1)
    lively = replace(scene, head_amplitude=(scene.head_amplitude * energy).astype(np.float32))
    gaze = gaze_path(scene, rng)
    nods = listening_nods(scene, rng)
    blinks = blink_times(scene, gaze.shifts, rng)
    pose = head_pose(lively, gaze.head, nods, rng) + emotion[:, _POSE]
    motion = lips + emotion.astype(np.float32)
    warmth = scene.by_state(0.03, 0.07, 0.03, 0.04) * (1 + 0.4 * pink_noise(scene.n_frames, rng, cutoff=0.2))
    for side in ("Left", "Right"):
        motion[:, INDEX["mouthSmile" + side]] += np.clip(warmth, 0, None)
    move_brows(motion, scene, nods, rng)
    look(motion, gaze.direction, pose[:, :2])
    closed = blink_curve(blinks, scene.n_frames, rng)
    for side in ("Left", "Right"):
        lid = motion[:, INDEX["eyeBlink" + side]]
        motion[:, INDEX["eyeBlink" + side]] = np.maximum(lid, closed)
        motion[:, INDEX["eyeWide" + side]] *= 1 - closed
    motion[:, _POSE] = pose
    motion[:, _ANGLES] = _MAX_ANGLE * np.tanh(np.radians(pose[:, :3]) / _MAX_ANGLE)
    motion[:, :N_BLENDSHAPES] = motion[:, :N_BLENDSHAPES].clip(0, 1)
    return Behaviour(motion.astype(np.float32), blinks, nods)
