"""Draws the skin's creases over the sheet, pixel by pixel, where the texture has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numba import njit

from avatar.render.face import to_output
from avatar.render.raster import FAR
from avatar.render.skin import Crease, grain_of, skin_creases, skin_depths, skin_of, window_around
from avatar.render.wrinkles import brightness_of, course, crease_depths, fine_folds, width_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Portrait
    from avatar.render.face import Face
    from avatar.render.raster import Canvas

_LEAST: Final = 0.006
"""A change of brightness by less is not seen."""
_REACH: Final = 0.03
"""Vertices so near to a crease, face widths, tell where it is in the picture."""
_FAINT: Final = 0.01
"""What changes brightness by less at depth 1 is left out."""
_SMOOTH: Final = 0.6
"""Broad folds show by at least this share even on the smoothest skin."""
_SMALLEST: Final = 3
"""Pixels: what of a fold the picture's edge leaves is no smaller."""


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def crease_skin(
    picture: NDArray[np.uint8],
    canvas: Canvas,
    box: NDArray[np.int32],
    relief: NDArray[np.float32],
    corner: NDArray[np.float32],
    depth: np.float32,
) -> None:
    """Darkens and lightens the sheet's pixels as one crease does.

    Args:
        picture: (size, size, 3).
        canvas: What each of its pixels shows of the sheet.
        box: (4,), left, top, right and bottom of where to look; the last two are one past the end.
        relief: (h, w), brightness that depth 1 adds to the texture.
        corner: (2,), column and row of the relief in the texture.
        depth: How deep the crease is.
    """
    height, width = np.float32(relief.shape[0] - 1), np.float32(relief.shape[1] - 1)
    nothing, most, half = np.float32(0.0), np.float32(255.0), np.float32(0.5)
    for y in range(box[1], box[3]):
        for x in range(box[0], box[2]):
            if canvas.depth[y, x] <= FAR:
                continue
            u, v = canvas.source[y, x, 0] - corner[0], canvas.source[y, x, 1] - corner[1]
            if u < nothing or v < nothing or u >= width or v >= height:
                continue
            column, row = int(u), int(v)
            if relief[row, column] == nothing and relief[row + 1, column + 1] == nothing:
                continue
            right, down = u - np.float32(column), v - np.float32(row)
            above = relief[row, column] + right * (relief[row, column + 1] - relief[row, column])
            below = relief[row + 1, column] + right * (relief[row + 1, column + 1] - relief[row + 1, column])
            light = np.float32(1.0) + depth * (above + down * (below - above))
            for channel in range(3):
                value = np.float32(picture[y, x, channel]) * light + half
                picture[y, x, channel] = np.uint8(min(max(value, nothing), most))


class Creases:
    """The creases of one portrait.

    Args:
        face: The face.
        portrait: The portrait at the texture's size.
        places: float32 (n, 2), column and row of the sheet's vertices in the texture.
        n_face: The first vertices, which lie on the face.
    """

    def __init__(self, face: Face, portrait: Portrait, places: NDArray[np.float32], n_face: int) -> None:
        bare = skin_of(portrait)
        folds = [_fold(face, fold, bare) for fold in range(crease_depths().shape[1])]
        self._creases = [_cut(crease) for crease in (*folds, *skin_creases(portrait, bare))]
        grain = grain_of(portrait, bare)
        of_folds = np.where(fine_folds(), grain, max(grain, _SMOOTH))
        self._depths = np.concatenate([crease_depths() * of_folds, skin_depths() * grain], 1).astype(np.float32)
        self._strongest = np.array([np.abs(crease.relief).max() for crease in self._creases], np.float32)
        reach = _REACH * portrait.face_width
        around = [_near(crease, places[:n_face], reach) for crease in self._creases]
        self._seen = np.array([len(vertices) > 0 for vertices in around])
        self._around = np.concatenate([vertices if len(vertices) else [0] for vertices in around]).astype(np.intp)
        self._starts = np.cumsum([0, *(max(len(vertices), 1) for vertices in around[:-1])])

    def depths(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns how deep each crease is (n_creases,) at weights (52,) of the face's units."""
        return np.maximum(units, 0) @ self._depths

    def draw(
        self,
        picture: NDArray[np.uint8],
        canvas: Canvas,
        place: NDArray[np.float32],
        depths: NDArray[np.float32],
        margin: float,
    ) -> None:
        """Draws creases over a picture of the sheet.

        Args:
            picture: uint8 (size, size, 3).
            canvas: What its pixels show.
            place: float32 (n_vertices, 2 or more), columns and rows of the sheet's vertices in it.
            depths: float32 (n_creases,), of each crease.
            margin: How far the canvas's texture goes on beyond the portrait, pixels.
        """
        size = len(picture)
        deep = np.flatnonzero(self._seen & (depths * self._strongest > _LEAST)).tolist()
        if not deep:
            return
        around = place[self._around, :2]
        low = np.clip(np.minimum.reduceat(around, self._starts), 0, size)
        high = np.clip(np.maximum.reduceat(around, self._starts) + 2, 0, size)
        boxes = np.concatenate([low, high], 1).astype(np.int32)
        for index in deep:
            crease, box = self._creases[index], boxes[index]
            corner = np.array([crease.left + margin, crease.top + margin], np.float32)
            crease_skin(picture, canvas, box, crease.relief, corner, np.float32(depths[index]))


def _fold(face: Face, fold: int, bare: NDArray[np.float32]) -> Crease:
    """Returns a fold drawn on the texture; `bare` (side, side) is where that shows skin."""
    line = (course(face, fold) * [1.0, -1.0] + 0.5) * face.texels - 0.5
    reach = width_of(face, fold) * face.texels
    rows, columns = window_around(line, reach + 1, len(bare))
    part = bare[rows, columns]
    if min(part.shape) < _SMALLEST:
        return Crease(np.zeros((2, 2), np.float32), 0.0, 0.0)
    corner = np.array([columns.start, rows.start])
    near = np.zeros(part.shape, np.uint8)
    path = (line - corner).round().astype(np.int32)
    cv2.polylines(near, [path], isClosed=False, color=(1.0,), thickness=2 * int(reach) + 1)
    down, across = np.nonzero(near)
    places = to_output((np.stack([across, down], 1) + corner).astype(np.float64), face.texels) * [1.0, -1.0]
    relief = np.zeros(part.shape, np.float32)
    relief[down, across] = brightness_of(face, fold, places) * part[down, across]
    return Crease(relief, float(corner[0]), float(corner[1]))


def _cut(crease: Crease) -> Crease:
    """Returns a crease without its faint parts."""
    strong = np.where(np.abs(crease.relief) > _FAINT, crease.relief, np.float32(0.0))
    rows, columns = np.nonzero(strong)
    if not len(rows):
        return Crease(np.zeros((2, 2), np.float32), 0.0, 0.0)
    top, left = max(int(rows.min()) - 1, 0), max(int(columns.min()) - 1, 0)
    part = np.ascontiguousarray(strong[top : int(rows.max()) + 2, left : int(columns.max()) + 2])
    return Crease(part, crease.left + left, crease.top + top)


def _near(crease: Crease, places: NDArray[np.float32], reach: float) -> NDArray[np.intp]:
    """Returns the vertices (k,) at places (n, 2) that lie on a crease or near it."""
    height, width = crease.relief.shape
    if height < _SMALLEST:
        return np.zeros(0, np.intp)
    low = np.array([crease.left, crease.top]) - reach
    high = np.array([crease.left + width, crease.top + height]) + reach
    return np.flatnonzero(((places >= low) & (places <= high)).all(1))
