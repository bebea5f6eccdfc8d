"""Emotions over face and head: the recipes of `avatar.motion.emotions`, with variation.

While the mouth speaks, the emotion's mouth units yield to articulation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.emotions import EMOTIONS, MOUTH, SEALING, recipes
from avatar.motion.layout import COLUMNS, INDEX, N_BLENDSHAPES, N_MOTION
from avatar.training.corpus.scene import eased, pink_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.corpus.scene import Scene


def expression(scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
    """Returns what the clip's emotions add to face and pose, (n_frames, 58), pose in degrees.

    Intensities are followed in about half a second; each unit varies from clip to clip and drifts within it, left and
    right a little apart.
    """
    table = recipes()
    variety = rng.lognormal(0, 0.18, N_MOTION)
    variety[N_BLENDSHAPES:] *= rng.normal(1.0, 0.4, N_MOTION - N_BLENDSHAPES)
    for left, name in enumerate(COLUMNS):
        if name.endswith("Left") and name[:-4] + "Right" in INDEX:
            variety[INDEX[name[:-4] + "Right"]] = variety[left] * rng.lognormal(0, 0.06)
    intensity = eased(scene.emotion.astype(np.float64), 0.18)
    drift = np.stack([1 + 0.12 * pink_noise(scene.n_frames, rng, cutoff=0.4) for _ in EMOTIONS], axis=1)
    added = (intensity * np.clip(drift, 0.5, 1.4)) @ (table * variety)
    activity = scene.mouth_activity[:, np.newaxis]
    return added * (1 - activity * (0.4 * MOUTH + 0.45 * SEALING))
