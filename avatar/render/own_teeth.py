"""The teeth that an open mouth shows in the photo: kept as a patch that is fixed to the skull."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER
from avatar.render.filters import blurred, inside, spread
from avatar.render.teeth import Patch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_GUM_TINT = (0.82, 0.62, 0.61)
_LEAST_ENAMEL = 0.47
"""What is darker than this in the mouth (mean of the channels) is no tooth to match the drawn ones to."""
_LEAST_PIXELS = 20
_LEAST_GAP = 0.034
"""Face widths between the lips below which what is seen of teeth lies in the lips' shade, and is too little to show."""
_LEAST_LIGHT = 0.75
"""A mouth darker than this part of the cheeks shows no teeth, though its lips may be open."""

_TOOTH, _LONGER = 0.068, 0.028
"""Height of an upper tooth, and how much of it at most goes on where a lip hides it in the photo, face widths."""
_LIP_EDGE = 0.007
"""How much of a tooth below the lip has some of the lip's colour, face widths."""
_SPECK = 0.025
"""Width of what is too thin to be a tooth, face widths."""
_CORNER = (0.6, 0.75)
"""From which part of the way to its corner on an opening is cleared of that, and from which wholly."""

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
    photo = (rgb / 255).astype(np.float32)
    gum = spread(photo, within, 0.012 * face.width) * np.array(_GUM_TINT)
    clear = _without_specks(photo, within, polygon, face.width)
    filled = _lengthened(clear, np.where(within[..., None], clear, gum), within, face.width)
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


def _lengthened(
    photo: NDArray[np.float32], filled: NDArray[np.float32], within: NDArray[np.bool_], width: float
) -> NDArray[np.float32]:
    """Returns a filled opening whose upper teeth go on under the lip that cuts them, up to their usual height.

    Args:
        photo: (size, size, 3), the teeth.
        filled: (size, size, 3), the same with gum around.
        within: (size, size), the opening.
        width: The face's, pixels.
    """
    columns = np.flatnonzero(within.any(0))
    rows = np.arange(len(photo))[:, None]
    top = within[:, columns].argmax(0) + max(1, round(_LIP_EDGE * width))
    shown = gaussian_filter1d(within[:, columns].sum(0).astype(np.float64), 0.02 * width)
    hidden = np.clip(_TOOTH * width - shown, 0, _LONGER * width)
    edge = gaussian_filter1d(top.astype(np.float64), 0.008 * width) - hidden
    source = np.minimum(top + (top - rows).clip(0) // 4, top + shown.astype(int) // 2)
    teeth = blurred(photo[source, columns], 0.6)
    share = np.clip((rows - edge) / (0.012 * width) + 0.5, 0, 1)
    share = np.where(rows < top, share, 0)[..., None].astype(np.float32)
    longer = filled.copy()
    longer[:, columns] += share * (teeth - filled[:, columns])
    return longer


def _without_specks(
    photo: NDArray[np.float32], within: NDArray[np.bool_], polygon: NDArray[np.float64], width: float
) -> NDArray[np.float32]:
    """Returns the photo without what is light and thin at the opening's corners: an edge of a lip, glints, no teeth.

    Args:
        photo: (size, size, 3).
        within: (size, size), the opening.
        polygon: (n, 2), its contour, columns and rows.
        width: The face's, pixels.
    """
    side = 2 * max(1, round(_SPECK * width / 2)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    dark = cv2.erode(np.where(within[..., None], photo, np.float32(1)), kernel)
    opened = np.minimum(cv2.dilate(np.where(within[..., None], dark, np.float32(0)), kernel), photo)
    left, right = polygon[:, 0].min(), polygon[:, 0].max()
    x = np.abs(2 * np.arange(photo.shape[1]) - left - right) / max(float(right - left), 1e-6)
    share = np.clip((x - _CORNER[0]) / (_CORNER[1] - _CORNER[0]), 0, 1).astype(np.float32)[None, :, None]
    return photo + share * (opened - photo)


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
