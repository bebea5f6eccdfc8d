"""The motion space: 58 numbers a frame at 25 fps.

Columns 0-51 are Apple's ARKit blendshape coefficients in [0, 1], in the order of Epic's Live Link Face (eyes first);
those that a photo wears may fall to -1, which takes them off (`relative.LOWEST`). "left" and "right" are the avatar's
own, so its left is on the picture's right. Columns 52-57 are the head's pose relative to the portrait:

- yaw, radians: positive turns the face to its own left (the picture's right);
- pitch, radians: positive looks up;
- roll, radians: positive tilts counter-clockwise on the screen;
- x, y, z, interpupillary distances: to the picture's right, up, and towards the viewer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _sided(*names: str) -> list[str]:
    return [name + side for name in names for side in ("Left", "Right")]


_EYE: Final = ("eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide")

BLENDSHAPES: Final[tuple[str, ...]] = (
    *(name + "Left" for name in _EYE),
    *(name + "Right" for name in _EYE),
    *("jawForward", "jawRight", "jawLeft", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft"),
    *_sided("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *_sided("mouthPress", "mouthLowerDown", "mouthUpperUp", "browDown"),
    *("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff"),
    *_sided("cheekSquint", "noseSneer"),
    "tongueOut",
)
"""ARKit names of columns 0-51."""

POSE: Final[tuple[str, ...]] = ("yaw", "pitch", "roll", "x", "y", "z")
"""Names of columns 52-57."""

COLUMNS: Final[tuple[str, ...]] = BLENDSHAPES + POSE

N_BLENDSHAPES: Final = len(BLENDSHAPES)
N_MOTION: Final = len(COLUMNS)

INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(COLUMNS)}
"""Column of each name."""


def neutral(n_frames: int) -> NDArray[np.float32]:
    """Returns motion at rest: float32 zeros (n_frames, 58)."""
    return np.zeros((n_frames, N_MOTION), np.float32)


def motion_from(values: dict[str, float]) -> NDArray[np.float32]:
    """Returns one frame (58,) with the named columns set and the others at rest."""
    frame = np.zeros(N_MOTION, np.float32)
    for name, value in values.items():
        frame[INDEX[name]] = value
    return frame
