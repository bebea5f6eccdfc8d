"""Where things are among the 468 points of MediaPipe's face mesh.

"Right" and "left" are the person's own, so the right eye is on the picture's left. Contours run from one corner to the
other, both included; the oval runs once around.
"""

from __future__ import annotations

from typing import Final

N_LANDMARKS: Final = 468

OVAL: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The face's outline, clockwise on the picture from the top of the forehead."""

LIP_INNER_UPPER: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LIP_INNER_LOWER: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
LIP_OUTER_UPPER: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LIP_OUTER_LOWER: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LIPS: Final = tuple(sorted({*LIP_INNER_UPPER, *LIP_INNER_LOWER, *LIP_OUTER_UPPER, *LIP_OUTER_LOWER}))

RIGHT_LID_UPPER: Final = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_LID_LOWER: Final = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_LID_UPPER: Final = (263, 466, 388, 387, 386, 385, 384, 398, 362)
LEFT_LID_LOWER: Final = (263, 249, 390, 373, 374, 380, 381, 382, 362)
LIDS: Final = tuple(sorted({*RIGHT_LID_UPPER, *RIGHT_LID_LOWER, *LEFT_LID_UPPER, *LEFT_LID_LOWER}))

RIGHT_EYE: Final = (*RIGHT_LID_LOWER, *RIGHT_LID_UPPER[1:-1])
LEFT_EYE: Final = (*LEFT_LID_LOWER, *LEFT_LID_UPPER[1:-1])
"""The 16 points of an eye's contour, in the order of the iris model's first 16: lower lid, then upper lid."""

RIGHT_EYE_CORNERS: Final = (33, 133)
LEFT_EYE_CORNERS: Final = (263, 362)
"""Outer and inner corner."""
