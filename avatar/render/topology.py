"""Landmarks that only the renderer needs.

Contours run from the picture's left to its right; "left" and "right" eyes are the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from avatar.portrait.topology import LEFT_LID_LOWER, LEFT_LID_UPPER, RIGHT_LID_LOWER, RIGHT_LID_UPPER

CHIN: Final = 152
NOSE_BRIDGE: Final = 168
NOSE_TIP: Final = 1
EARS: Final = (234, 454)
"""Where the oval meets the ears, the picture's left first."""
JAW_POINTS: Final = (17, 18, 200, 83, 313)
"""Points below the lower lip that move with the jaw and little with the lips."""


@dataclass(frozen=True, slots=True)
class EyeIndices:
    """Contours around one eye.

    Attributes:
        side: "Right" or "Left", the person's own, as in ARKit's names.
        upper: The upper lid's edge, corner to corner, the picture's left first.
        lower: The lower lid's edge, same corners.
        upper_second: Ring above the upper edge, for its inner points.
        upper_third: The ring above that.
    """

    side: str
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    upper_second: tuple[int, ...]
    upper_third: tuple[int, ...]


EYES: Final = (
    EyeIndices(
        side="Right",
        upper=RIGHT_LID_UPPER,
        lower=RIGHT_LID_LOWER,
        upper_second=(247, 30, 29, 27, 28, 56, 190),
        upper_third=(113, 225, 224, 223, 222, 221, 189),
    ),
    EyeIndices(
        side="Left",
        upper=LEFT_LID_UPPER[::-1],
        lower=LEFT_LID_LOWER[::-1],
        upper_second=(414, 286, 258, 257, 259, 260, 467),
        upper_third=(413, 441, 442, 443, 444, 445, 342),
    ),
)
"""The picture's left eye first."""
