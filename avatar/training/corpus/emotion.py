"""Emotions over face and head: recipes of action units (FACS; Ekman & Friesen 1978, EMFACS), with variation.

While the mouth speaks, the emotion's mouth units yield to articulation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import COLUMNS, INDEX, N_BLENDSHAPES, N_MOTION
from avatar.training.corpus.scene import eased, pink_noise
from avatar.types import Emotion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.corpus.scene import Scene

EMOTIONS: Final = tuple(Emotion)

_RECIPES: Final[dict[Emotion, dict[str, float]]] = {
    Emotion.NEUTRAL: {},
    Emotion.HAPPY: {
        "mouthSmile": 0.62, "cheekSquint": 0.45, "eyeSquint": 0.25, "mouthDimple": 0.12, "browOuterUp": 0.08,
        "mouthUpperUp": 0.06, "pitch": 0.8, "y": 0.01,
    },
    Emotion.SAD: {
        "browInnerUp": 0.65, "browDown": 0.15, "mouthFrown": 0.5, "mouthShrugLower": 0.25, "eyeSquint": 0.12,
        "eyeBlink": 0.1, "mouthPress": 0.08, "pitch": -4.0, "roll": 1.5, "y": -0.03,
    },
    Emotion.ANGRY: {
        "browDown": 0.75, "eyeWide": 0.22, "eyeSquint": 0.35, "noseSneer": 0.28, "mouthPress": 0.4, "mouthFrown": 0.15,
        "mouthShrugLower": 0.1, "jawForward": 0.12, "pitch": -2.5, "z": 0.04,
    },
    Emotion.FEAR: {
        "browInnerUp": 0.7, "browOuterUp": 0.3, "browDown": 0.2, "eyeWide": 0.6, "mouthStretch": 0.45,
        "mouthFrown": 0.12, "pitch": 1.0, "z": -0.05,
    },
    Emotion.DISGUST: {
        "noseSneer": 0.7, "mouthUpperUp": 0.16, "browDown": 0.35, "cheekSquint": 0.3, "eyeSquint": 0.25,
        "mouthFrown": 0.25, "mouthShrugLower": 0.25, "mouthShrugUpper": 0.15, "pitch": 1.0, "yaw": 2.5, "z": -0.03,
    },
    Emotion.SURPRISE: {
        "browInnerUp": 0.6, "browOuterUp": 0.65, "eyeWide": 0.6, "mouthFunnel": 0.06, "pitch": 2.0, "z": -0.02,
    },
    Emotion.CONTEMPT: {
        "mouthSmileLeft": 0.38, "mouthDimpleLeft": 0.45, "mouthLeft": 0.12, "browOuterUpLeft": 0.25, "eyeSquint": 0.18,
        "eyeBlink": 0.08, "pitch": 2.5, "roll": -2.0,
    },
}  # fmt: skip
"""Units at full intensity (a name without its side stands for both); pose in degrees and interpupillary distances."""

HEAD_ENERGY: Final = np.array([1.0, 1.25, 0.65, 1.2, 0.85, 0.9, 1.1, 0.9])
"""Head-motion amplitude of each emotion relative to neutral."""

_MOUTH: Final = np.array([name.startswith(("mouth", "jaw")) for name in COLUMNS])
_SEALING: Final = np.array([name.startswith(("mouthPress", "mouthShrug")) for name in COLUMNS])


def recipes() -> NDArray[np.float64]:
    """Returns each emotion's full expression, (8, 58); pose in degrees and interpupillary distances."""
    table = np.zeros((len(EMOTIONS), N_MOTION))
    for row, emotion in enumerate(EMOTIONS):
        for name, value in _RECIPES[emotion].items():
            names = (name,) if name in INDEX else (name + "Left", name + "Right")
            for full in names:
                table[row, INDEX[full]] = value
    return table


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
    return added * (1 - activity * (0.4 * _MOUTH + 0.45 * _SEALING))
