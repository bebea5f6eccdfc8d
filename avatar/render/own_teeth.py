"""The teeth that an open mouth shows in the photo: kept as a patch that is fixed to the skull."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER
from avatar.render.filters import blurred, inside, spread
from avatar.render.teeth import Patch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_GUM_TINT = (0.80, 0.66, 0.64)
_LEAST_ENAMEL = 0.47
"""What is darker than this in the mouth (mean of the channels) is no tooth to match the drawn ones to."""
_LEAST_PIXELS = 20
_LEAST_GAP = 0.034
"""Face widths between the lips below which what is seen of teeth lies in the lips' shade, and is too little to show."""
_LEAST_LIGHT = 0.75
"""A mouth darker than this part of the cheeks shows no teeth, though its lips may be open."""

_CHEEKS = (50, 280)
_LUMINANCE = np.array([0.30, 0.59, 0.11])


class OwnTeeth(NamedTuple):
    """What the photo shows between its lips.

    Attributes:
        patch: The opening, with gum above it; its origin is the teeth's seat.
        enamel: float64 (3,), the teeth's colour in the light; None if no teeth are seen.
        drop: How far the biting edge of the upper teeth lies below the seat, face widths.
    """

    patch: Patch
    enamel: NDArray[np.float64] | None
    drop: float


def own_teeth(face: Face, rgb: NDArray[np.uint8], seat: NDArray[np.float64]) -> OwnTeeth | None:
    """Returns what an open mouth shows, or None if that is too little to use or no teeth.

    Args:
        face: The face; lips at the photo's own place.
        rgb: uint8 (size, size, 3), the picture.
        seat: (3,), the point of the skull that the patch is fixed to.
    """
    contour = [*LIP_INNER_UPPER, *LIP_INNER_LOWER[::-1]]
    polygon = face.picture(face.points[contour])
    mask = inside(polygon, (face.size, face.size))
    within = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 128
    shown = rgb[within].astype(np.float64) / 255
    if len(shown) < _LEAST_PIXELS or face.mouth_gap < _LEAST_GAP:
        return None
    light = shown @ _LUMINANCE
    enamel = shown[light >= np.percentile(light, 75)].mean(0)
    if enamel @ _LUMINANCE < _LEAST_LIGHT * _cheek_light(face, rgb):
        return None
    photo = rgb.astype(np.float32) / 255
    gum = spread(photo, within, 0.012 * face.width) * np.array(_GUM_TINT)
    filled = np.where(within[..., None], photo, gum)
    # A lip that rises above its place in the photo uncovers gum, so the patch reaches up behind it.
    raised = mask.copy()
    for rows in range(1, round(0.05 * face.width)):
        raised[:-rows] = np.maximum(raised[:-rows], mask[rows:])
    lower = face.picture(face.points[list(LIP_INNER_LOWER)])
    lip = np.interp(np.arange(rgb.shape[1]), lower[:, 0], lower[:, 1])
    keep = (np.arange(rgb.shape[0])[:, None] < lip[None] - 0.5) | (mask > 0)
    alpha = blurred(np.where(keep, raised, 0) / 255.0, 0.8)
    rgba = np.dstack([filled * alpha[..., None], alpha]).astype(np.float32)
    left, top = np.maximum(np.floor(polygon.min(0) - 0.1 * face.width).astype(int), 0)
    right, bottom = np.ceil(polygon.max(0) + 0.1 * face.width).astype(int)
    column, row = face.picture(seat)
    origin = (float(column - left), float(row - top))
    patch = Patch(np.ascontiguousarray(rgba[top:bottom, left:right]), face.width, origin)
    bright = within & (photo @ _LUMINANCE.astype(np.float32) > 0.7 * float(enamel @ _LUMINANCE))
    return OwnTeeth(
        patch, enamel if enamel.mean() > _LEAST_ENAMEL else None, _biting_edge(bright, column, row, face.width)
    )


def _cheek_light(face: Face, rgb: NDArray[np.uint8]) -> float:
    """Returns the luminance of the brighter cheek, 0 to 1."""
    reach = max(1, round(0.02 * face.width))
    lights: list[float] = []
    for column, row in np.clip(face.picture(face.points[list(_CHEEKS)]), 0, face.size - 1).astype(int):
        patch = rgb[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
        lights.append(float(np.median(patch.reshape(-1, 3), 0) @ _LUMINANCE) / 255)
    return max(lights)


def _biting_edge(bright: NDArray[np.bool_], column: float, row: float, width: float) -> float:
    """Returns how far below `row` the bright pixels around a column end, face widths."""
    reach = max(1, round(0.05 * width))
    rows = np.nonzero(bright[:, max(0, round(column) - reach) : round(column) + reach + 1].any(1))[0]
    return max(0.0, (float(rows.max()) + 1 - row) / width) if len(rows) else 0.0
