"""Draws the skin's creases into the texture, so that the sheet carries them along."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np
from numba import njit

from avatar.render.face import to_output
from avatar.render.skin import Crease, grain_of, skin_creases, skin_depths, skin_of, window_around
from avatar.render.wrinkles import brightness_of, course, crease_depths, fine_folds, width_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Portrait
    from avatar.render.face import Face

_LEAST: Final = 0.006
"""A change of brightness by less is not seen."""
_FAINT: Final = 0.01
"""What changes brightness by less at depth 1 is left out."""
_SMOOTH: Final = 0.6
"""Broad folds show by at least this share even on the smoothest skin."""
_SMALLEST: Final = 3
"""Pixels: what of a fold the picture's edge leaves is no smaller."""


class Relief(NamedTuple):
    """What the creases do to a texture's brightness, texel after texel of those that any crease reaches.

    Attributes:
        runs: int32 (n_runs, 4), neighbours in a row that one crease reaches: the crease, the first of their values and
            of the texels, and how many they are.
        values: float32 (n_values,), brightness that depth 1 adds.
        rows: int32 (n_rows, 3), neighbours in a row that any crease reaches: the first's place in the texture, the
            first of the texels, and how many they are.
        light: float32 (n_texels,), scratch.
    """

    runs: NDArray[np.int32]
    values: NDArray[np.float32]
    rows: NDArray[np.int32]
    light: NDArray[np.float32]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def crease_skin(
    bare: NDArray[np.uint32], relief: Relief, depths: NDArray[np.float32], creased: NDArray[np.uint32]
) -> None:
    """Darkens and lightens a texture's texels as creases do.

    Args:
        bare: (side, side), the texture without them, see `avatar.render.texture.pack`.
        relief: The creases.
        depths: (n_creases,), how deep they are.
        creased: (side, side), filled where any crease may reach.
    """
    one, nothing = np.float32(1.0), np.float32(0.0)
    before, after = bare.reshape(-1), creased.reshape(-1)
    relief.light[:] = one
    for k in range(relief.runs.shape[0]):
        depth, value, texel, n = depths[relief.runs[k, 0]], relief.runs[k, 1], relief.runs[k, 2], relief.runs[k, 3]
        if depth != nothing:
            for x in range(n):
                relief.light[np.uintp(texel + x)] *= one + depth * relief.values[np.uintp(value + x)]
    low, eight, sixteen, solid = np.uint32(0xFF), np.uint32(8), np.uint32(16), np.uint32(0xFF000000)
    most, half = np.float32(255.0), np.float32(0.5)
    for k in range(relief.rows.shape[0]):
        place, texel, n = relief.rows[k, 0], relief.rows[k, 1], relief.rows[k, 2]
        for x in range(n):
            at = np.uintp(place + x)
            colour, factor = before[at], max(relief.light[np.uintp(texel + x)], nothing)
            red = np.int32(min(np.float32(np.int32(colour & low)) * factor + half, most))
            green = np.int32(min(np.float32(np.int32((colour >> eight) & low)) * factor + half, most))
            blue = np.int32(min(np.float32(np.int32((colour >> sixteen) & low)) * factor + half, most))
            after[at] = np.uint32(red) | (np.uint32(green) << eight) | (np.uint32(blue) << sixteen) | (colour & solid)


class Creases:
    """The creases of one portrait.

    Args:
        face: The face.
        portrait: The portrait at the texture's size.
    """

    def __init__(self, face: Face, portrait: Portrait) -> None:
        bare = skin_of(portrait)
        folds = [_fold(face, fold, bare) for fold in range(crease_depths().shape[1])]
        self._creases = [*folds, *skin_creases(portrait, bare)]
        grain = grain_of(portrait, bare)
        of_folds = np.where(fine_folds(), grain, max(grain, _SMOOTH))
        self._depths = np.concatenate([crease_depths() * of_folds, skin_depths() * grain], 1).astype(np.float32)
        self._strongest = np.array([np.abs(crease.relief).max() for crease in self._creases], np.float32)

    def depths(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns how deep each crease is (n_creases,) at weights (52,) of the face's units; 0 if it isn't seen."""
        depths = np.maximum(units, 0) @ self._depths
        return np.where(depths * self._strongest > _LEAST, depths, np.float32(0.0))

    def relief(self, side: int, margin: int) -> Relief:
        """Returns what the creases do to a texture (side, side) that goes on beyond the portrait by some pixels."""
        around = [_places(crease, side, margin) for crease in self._creases]
        reached = np.unique(np.concatenate([places for places, _ in around]))
        rows = [(reached[first], first, n) for first, n in _neighbours(reached)]
        runs: list[tuple[int, int, int, int]] = []
        before = 0
        for crease, (places, _) in enumerate(around):
            texels = np.searchsorted(reached, places)
            runs += [(crease, before + first, texels[first], n) for first, n in _neighbours(places)]
            before += len(places)
        return Relief(
            np.array(runs, np.int32).reshape(-1, 4),
            np.concatenate([values for _, values in around]),
            np.array(rows, np.int32).reshape(-1, 3),
            np.ones(len(reached), np.float32),
        )


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


def _places(crease: Crease, side: int, margin: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns where in a texture (side, side) a crease is more than faint, (n,) in order, and what it adds there."""
    rows, columns = np.nonzero(np.abs(crease.relief) > _FAINT)
    places = (rows + int(crease.top) + margin) * side + columns + int(crease.left) + margin
    return places, crease.relief[rows, columns]


def _neighbours(places: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Returns the first, and how many there are, of each run of whole numbers (n,) that follow each other."""
    ends = np.flatnonzero(np.diff(places) != 1) + 1
    edges = [0, *ends.tolist(), len(places)] if len(places) else [0]
    return [(first, last - first) for first, last in pairwise(edges)]
