"""Vocal effort, read from the sound's level: who shouts opens the mouth wider.

Jaw and lips open further the louder people talk (Schulman 1989; Geumann 2001), and the network's features hardly say
how loud. Plain speech, whose peaks need room, has a mean level of at most -16 dB of full scale while it is heard: two
people and 58 of 59 synthetic voices as they are, 54 of these brought to full scale. A shout fills the room above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD
from avatar.motion.layout import INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AUDIBLE: Final = 0.45
"""Log energy above which something is said (-44 dB)."""

_PLAIN, _SHOUTED = 0.8, 0.88
"""Mean log energies of what is said that are still plain speech (-16 dB), and a shout (-10 dB)."""

_ENOUGH: Final = 13
"""Frames that must be heard for a level to count in full (0.5 s)."""

_WIDER: Final = 0.35
"""Share by which a shout opens the mouth further."""

_OPENING: Final = [
    INDEX[name]
    for name in (
        "jawOpen", "mouthStretchLeft", "mouthStretchRight",
        "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    )
]  # fmt: skip


def effort(energy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns how much of a shout each frame is, in [0, 1], float32 (n_frames,); silence is none.

    Args:
        energy: float32 (CONDITION_PAST + n_frames + LOOK_AHEAD,), log energy of the frames and those around them.
    """
    around = np.lib.stride_tricks.sliding_window_view(energy, CONDITION_PAST + 1 + LOOK_AHEAD)
    heard = around > _AUDIBLE
    level = (around * heard).sum(axis=1) / np.maximum(heard.sum(axis=1), _ENOUGH)
    return np.clip((level - _PLAIN) / (_SHOUTED - _PLAIN), 0, 1).astype(np.float32)


def opened_by(motion: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion whose mouth opens wider with vocal effort, float32 (n_frames, 58).

    Args:
        motion: float32 (n_frames, 58), the network's, not yet widened to a person's amplitude.
        share: float32 (n_frames,), from `effort`.
    """
    result = motion.copy()
    result[:, _OPENING] *= 1 + _WIDER * share[:, np.newaxis]
    return result
