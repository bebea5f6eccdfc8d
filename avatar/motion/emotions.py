"""Emotions over face and head: recipes of action units (FACS; Ekman & Friesen 1978, EMFACS), laid on neutral motion.

The network learned emotions at half their strength (a mean over many variations, in few sampler steps), so it is asked
for a neutral face, and the recipe is added to what it makes: exactly as strong as asked for, and growing with the
intensity. While the avatar utters something, lips follow the speech: corners keep more than half of the emotion, other
units of the mouth less, and a smile gives way to rounded lips altogether; brows, lids and cheeks carry it on. In pauses
it returns to the mouth. Lips are sealed afterwards, so bilabials close in every mood.

A negative `mouthSmile` takes off what the photo wears: a sad face that goes on smiling is read as happy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.amplitude import rounding_of
from avatar.motion.layout import COLUMNS, INDEX, N_BLENDSHAPES, N_MOTION
from avatar.motion.relative import LOWEST
from avatar.types import Emotion

if TYPE_CHECKING:
    from numpy.typing import NDArray

EMOTIONS: Final = tuple(Emotion)

_RECIPES: Final[dict[Emotion, dict[str, float]]] = {
    Emotion.NEUTRAL: {},
    Emotion.HAPPY: {
        "mouthSmile": 0.95, "cheekSquint": 0.8, "eyeSquint": 0.35, "mouthDimple": 0.2, "browOuterUp": 0.16,
        "browInnerUp": 0.1, "mouthUpperUp": 0.08, "pitch": 1.2, "y": 0.01,
    },
    Emotion.SAD: {
        "browInnerUp": 0.95, "browDown": 0.2, "mouthFrown": 0.6, "mouthShrugLower": 0.3, "eyeSquint": 0.15,
        "eyeBlink": 0.15, "mouthPress": 0.1, "mouthSmile": -0.7, "cheekSquint": -0.4, "pitch": -4.5, "roll": 2.5,
        "y": -0.03,
    },
    Emotion.ANGRY: {
        "browDown": 1.0, "eyeWide": 0.3, "eyeSquint": 0.4, "noseSneer": 0.4, "mouthPress": 0.55, "mouthFrown": 0.25,
        "mouthShrugLower": 0.15, "jawForward": 0.16, "mouthSmile": -0.75, "cheekSquint": -0.4, "pitch": -3.5, "z": 0.05,
    },
    Emotion.FEAR: {
        "browInnerUp": 1.0, "browOuterUp": 0.25, "browDown": 0.1, "eyeWide": 1.0, "mouthStretch": 0.9,
        "mouthFrown": 0.4, "mouthSmile": -0.6, "cheekSquint": -0.5, "pitch": 1.5, "z": -0.06,
    },
    Emotion.DISGUST: {
        "noseSneer": 1.0, "mouthUpperUp": 0.3, "browDown": 0.7, "cheekSquint": 0.55, "eyeSquint": 0.65,
        "mouthFrown": 0.45, "mouthShrugLower": 0.5, "mouthShrugUpper": 0.1, "mouthSmile": -0.7, "pitch": 1.5,
        "yaw": 3.5, "z": -0.04,
    },
    Emotion.SURPRISE: {
        "browInnerUp": 1.0, "browOuterUp": 1.0, "eyeWide": 1.0, "mouthSmile": -0.5,
        "cheekSquint": -0.3, "pitch": 3.5, "z": -0.04,
    },
    Emotion.CONTEMPT: {
        "mouthSmileLeft": 0.45, "mouthDimpleLeft": 1.0, "mouthSmileRight": -1.0, "mouthFrownRight": 0.3,
        "mouthLeft": 0.35, "mouthPress": 0.3, "browOuterUpLeft": 0.9, "browDownRight": 0.8, "noseSneerLeft": 0.3,
        "eyeSquint": 0.5, "eyeBlink": 0.15, "pitch": 4.5, "yaw": -3.0, "roll": -4.0,
    },
}  # fmt: skip
"""Units at full intensity (a name without its side stands for both); pose in degrees and interpupillary distances."""

HEAD_ENERGY: Final = np.array([1.0, 1.25, 0.65, 1.2, 0.85, 0.9, 1.1, 0.9])
"""Head-motion amplitude of each emotion relative to neutral."""

MOUTH: Final = np.array([name.startswith(("mouth", "jaw")) for name in COLUMNS])
SEALING: Final = np.array([name.startswith(("mouthPress", "mouthShrug")) for name in COLUMNS])

_CORNERS: Final = np.array([name.startswith(("mouthSmile", "mouthDimple", "mouthFrown")) for name in COLUMNS])
_YIELD: Final = 0.6 * MOUTH - 0.25 * _CORNERS + 0.2 * SEALING
"""Share that a unit loses while the avatar articulates."""

_SMILES: Final = np.array([name.startswith(("mouthSmile", "mouthStretch", "mouthDimple")) for name in COLUMNS])
_FULLY_ROUNDED: Final = 0.7
"""Pucker and funnel at which nothing is left of a smile."""
_ANGLES: Final = slice(N_BLENDSHAPES, N_BLENDSHAPES + 3)


def recipes() -> NDArray[np.float64]:
    """Returns each emotion's full expression, (8, 58); pose in degrees and interpupillary distances."""
    table = np.zeros((len(EMOTIONS), N_MOTION))
    for row, emotion in enumerate(EMOTIONS):
        for name, value in _RECIPES[emotion].items():
            names = (name,) if name in INDEX else (name + "Left", name + "Right")
            for full in names:
                table[row, INDEX[full]] = value
    return table


_TABLE: Final = recipes()
_TABLE[:, _ANGLES] = np.radians(_TABLE[:, _ANGLES])


def with_emotion(
    motion: NDArray[np.float32], intensities: NDArray[np.float32], articulating: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns motion with emotions on top, float32 (n_frames, 58).

    Blendshapes stay in [0, 1], but those that a photo wears (`relative.WORN`) may fall to -1: they take it off.

    Args:
        motion: float32 (n_frames, 58), of a neutral face.
        intensities: float32 (n_frames, 8), of each emotion in [0, 1].
        articulating: float32 (n_frames,), in [0, 1], how much the mouth is needed for speech.
    """
    if not intensities.any():
        return motion
    added = intensities.astype(np.float64) @ _TABLE
    added *= 1 - articulating[:, np.newaxis] * _YIELD * (added > 0)
    rounding = np.minimum(rounding_of(motion) / _FULLY_ROUNDED, 1)
    smiles = added[:, _SMILES]
    added[:, _SMILES] = smiles * (1 - rounding[:, np.newaxis] * (smiles > 0))
    result = motion + added
    result[:, :N_BLENDSHAPES] = np.clip(result[:, :N_BLENDSHAPES], LOWEST, 1)
    return result.astype(np.float32)


def head_energy(intensities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the head's amplitude under emotions, float64 (n_frames,); 1 is neutral."""
    return 1 + intensities.astype(np.float64) @ (HEAD_ENERGY - 1)
