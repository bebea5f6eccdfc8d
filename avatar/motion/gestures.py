"""Gestures that are made on a word: nod, shake, tilt, wink, a look away or down, raised brows.

Each is a curve that is added to the motion that is made for the speech, and leaves it as it found it. Nods and shakes
take 2 to 2.5 cycles a second (Hadar et al. 1985); while the head turns, the eyes turn back, so that the gaze stays
where it was (the vestibulo-ocular reflex).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.motion.relative import LOWEST
from avatar.types import FRAME_RATE, Gesture

if TYPE_CHECKING:
    from numpy.typing import NDArray

FULL_LOOK: Final = np.radians(30.0)
"""Rotation of an eye whose look coefficient is 1."""

_POSE_LIMIT: Final = 1.0

Pulse = tuple[float, float, float, float, float]
"""When a pulse begins; how long it rises, stays and falls, in seconds; and how large it is."""

_NOD: Final = tuple((0.44 * cycle, 0.18, 0.0, 0.26, -0.15 * 0.6**cycle) for cycle in range(2))
_SHAKE: Final = ((0.0, 0.2, 0.0, 0.22, 0.16), (0.22, 0.2, 0.0, 0.22, -0.18), (0.46, 0.2, 0.0, 0.28, 0.11))

_RECIPES: Final[dict[Gesture, dict[str, tuple[Pulse, ...]]]] = {
    Gesture.NOD: {"pitch": _NOD, "y": tuple((*pulse[:4], 0.2 * pulse[4]) for pulse in _NOD)},
    Gesture.SHAKE: {"yaw": _SHAKE},
    Gesture.TILT: {
        "roll": ((0.0, 0.4, 0.7, 0.5, 0.12),),
        "yaw": ((0.05, 0.4, 0.6, 0.5, -0.03),),
        "browInnerUp": ((0.05, 0.25, 0.5, 0.4, 0.2),),
    },
    Gesture.WINK: {
        "eyeBlinkLeft": ((0.0, 0.1, 0.16, 0.16, 1.0),),
        "cheekSquintLeft": ((0.0, 0.2, 0.12, 0.3, 0.6),),
        "mouthSmileLeft": ((0.0, 0.16, 0.3, 0.4, 0.25),),
        "browOuterUpRight": ((0.0, 0.12, 0.2, 0.3, 0.25),),
        "roll": ((0.0, 0.2, 0.1, 0.4, -0.05),),
    },
    Gesture.LOOK_AWAY: {
        "look right": ((0.0, 0.08, 0.9, 0.1, -0.42),),
        "look up": ((0.0, 0.08, 0.9, 0.1, 0.14),),
        "yaw": ((0.06, 0.4, 0.6, 0.45, -0.09),),
        "pitch": ((0.06, 0.4, 0.6, 0.45, 0.03),),
    },
    Gesture.LOOK_DOWN: {
        "look up": ((0.0, 0.08, 0.9, 0.1, -0.55),),
        "pitch": ((0.06, 0.4, 0.6, 0.45, -0.12),),
    },
    Gesture.BROWS_UP: {
        "browInnerUp": ((0.0, 0.24, 0.4, 0.4, 0.85),),
        "browOuterUpLeft": ((0.0, 0.24, 0.4, 0.4, 0.85),),
        "browOuterUpRight": ((0.0, 0.24, 0.4, 0.4, 0.85),),
        "eyeWideLeft": ((0.0, 0.16, 0.4, 0.3, 0.15),),
        "eyeWideRight": ((0.0, 0.16, 0.4, 0.3, 0.15),),
        "pitch": ((0.0, 0.25, 0.3, 0.4, 0.03),),
    },
}  # fmt: skip
"""What each gesture adds: pose in radians and interpupillary distances, and gaze, to the picture's right and up, as the
coefficient of both eyes."""

LONGEST_GESTURE: Final = 2 * FRAME_RATE
"""Frames after which every gesture is over."""

_EYES_TURN_BACK: Final = frozenset({Gesture.NOD, Gesture.SHAKE})


def gesture_curves(gesture: Gesture, ages: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Returns what a gesture adds to each column, or to ``look right`` and ``look up``, float64 (n_frames,).

    Args:
        gesture: Which.
        ages: float64 (n_frames,), frames since it began.
    """
    seconds = ages / FRAME_RATE
    curves = {
        name: np.sum([pulse_curve(seconds, pulse) for pulse in pulses], axis=0)
        for name, pulses in _RECIPES[gesture].items()
    }
    if gesture in _EYES_TURN_BACK:
        for angle, look in (("yaw", "look right"), ("pitch", "look up")):
            if angle in curves:
                curves[look] = -curves[angle] / FULL_LOOK
    return curves


def with_gestures(
    motion: NDArray[np.float32], start: int, gestures: list[tuple[Gesture, float, int]]
) -> NDArray[np.float32]:
    """Returns motion with gestures on top, float32 (n_frames, 58), within the bounds of each column.

    Args:
        motion: float32 (n_frames, 58).
        start: Index of its first frame.
        gestures: Each with its strength in [0, 1] and the frame at which it begins.
    """
    if not gestures:
        return motion
    result = motion.astype(np.float64)
    looks = np.zeros((len(motion), 2))
    for gesture, strength, first in gestures:
        for name, curve in gesture_curves(
            gesture, np.arange(start - first, start - first + len(motion), dtype=np.float64)
        ).items():
            if name.startswith("look"):
                looks[:, int(name == "look up")] += strength * curve
            else:
                result[:, INDEX[name]] += strength * curve
    turn_eyes(result, looks)
    result[:, :N_BLENDSHAPES] = np.clip(result[:, :N_BLENDSHAPES], LOWEST, 1)
    result[:, N_BLENDSHAPES:] = np.clip(result[:, N_BLENDSHAPES:], -_POSE_LIMIT, _POSE_LIMIT)
    return result.astype(np.float32)


def turn_eyes(motion: NDArray[np.float64], looks: NDArray[np.float64]) -> None:
    """Turns both eyes, in place, by looks (n_frames, 2) to the picture's right and up.

    The avatar's left eye, on the picture's right, looks out to the right.
    """
    for side, towards_right in (("Left", ("eyeLookOut", "eyeLookIn")), ("Right", ("eyeLookIn", "eyeLookOut"))):
        for axis, (positive, negative) in enumerate((towards_right, ("eyeLookUp", "eyeLookDown"))):
            plus, minus = INDEX[positive + side], INDEX[negative + side]
            turned = motion[:, plus] - motion[:, minus] + looks[:, axis]
            moved = looks[:, axis] != 0
            motion[moved, plus], motion[moved, minus] = np.maximum(turned, 0)[moved], np.maximum(-turned, 0)[moved]


def pulse_curve(seconds: NDArray[np.float64], pulse: Pulse) -> NDArray[np.float64]:
    """Returns a pulse that rises and falls along raised cosines."""
    start, rise, hold, fall, size = pulse
    times = (start, start + rise, start + rise + hold, start + rise + hold + fall)
    share = np.interp(seconds, times, (0.0, 1.0, 1.0, 0.0))
    return size * (0.5 - 0.5 * np.cos(np.pi * share))
