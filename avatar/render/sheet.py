"""The sheet in motion: scratch memory, row bands and the strips that close the eyes."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from avatar.motion.layout import N_BLENDSHAPES
from avatar.render.creases import crease_skin
from avatar.render.deform import Pose, Screen, Vertices, deform, hang_strip, uncross
from avatar.render.folds import find_folds, put_pixels
from avatar.render.margins import carried_on
from avatar.render.raster import blank_canvas, rasterise, watch
from avatar.render.texture import pack, scratch_rows, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from avatar.render.creases import Creases
    from avatar.render.plates import Plates
    from avatar.render.pose import Camera
    from avatar.render.surface import Opening, Surface

    BandWork = Callable[[int, NDArray[np.uint8]], None]

_FOLD = 4.5
"""Step between neighbouring pixels' texture places, in output pixels, that tells a fold."""
_MAX_FOLDS = 20_000
_SPAN = 6.0
"""What a triangle costs in each row that it reaches, in pixels drawn."""
_STRIP_SWITCH = 2.0
"""Pixels of lid motion over which the strip between the lids goes from the photo's eye to the lash line."""


class Sheet:
    """Bends, turns and draws one portrait's surface.

    Args:
        surface: The surface at rest.
        camera: Its camera.
        plates: The pictures to draw it with.
        creases: The skin's creases.
        threads: Row bands drawn at the same time.
    """

    def __init__(
        self,
        surface: Surface,
        camera: Camera,
        plates: Plates,
        creases: Creases,
        threads: int,
    ) -> None:
        size, n = len(plates.resting), len(surface.rest)
        texels = len(plates.sheet) / size
        self._surface = surface
        self._faces = _clockwise(surface.faces, surface.texture)
        self._plates = plates
        self._creases = creases
        self._jump = _FOLD * texels
        margin = math.ceil(surface.beyond * texels)
        self._bare = carried_on(plates.sheet, margin)
        self._picture = self._bare.copy()
        self._relief = creases.relief(len(self._bare), margin)
        self._depths = creases.depths(np.zeros(N_BLENDSHAPES, np.float32))
        self._creased: Future[None] | None = None
        self._texture = surface.texture + np.float32(margin)
        home = ((surface.texture + 0.5) / texels - 0.5).astype(np.float32)
        self._vertices = Vertices(surface.rest, home, surface.follow)
        self._lens = camera.numbers()
        self._screen = Screen(
            np.zeros((n, 3), np.float32), self._texture.copy(), np.ones(n, np.float32), np.zeros(n, np.uint8)
        )
        self._canvas = blank_canvas(size)
        self._rows = [scratch_rows(size) for _ in range(threads)]
        self._folds = np.zeros((_MAX_FOLDS, 5), np.int32)
        self._bands = _bands(home[self._faces], size, threads)
        self._pool = ThreadPoolExecutor(threads - 1, "render") if threads > 1 else None
        self._movable: NDArray[np.uint8] | None = None
        self._still = plates.resting
        if plates.behind is not None:
            self._cut_out(plates.behind)
        self._behind = pack(self._still, np.full((size, size), 255, np.uint8))

    def move(
        self,
        moves: NDArray[np.float32],
        units: NDArray[np.float32],
        turn: NDArray[np.float64],
        shift: NDArray[np.float64],
    ) -> None:
        """Puts every vertex where this frame has it.

        Args:
            moves: float32 (468, 4), what the landmarks add: x, y, z in pixels, and brightness.
            units: float32 (52,), weights of the face's units, which crease the skin.
            turn: float64 (3, 3), rotation of the head.
            shift: float64 (3,), move of the head, pixels.
        """
        surface = self._surface
        self._finish_creases()
        self._depths = self._creases.depths(units)
        self._creased = self._pool.submit(self._crease) if self._pool else None
        pose = Pose(self._lens, turn.astype(np.float32), shift.astype(np.float32))
        deform(surface.weights, self._vertices, moves, pose, self._screen)
        for opening in (surface.mouth, *surface.eyes):
            uncross(self._screen.place, opening.upper, opening.lower)
        for opening, first in zip(surface.eyes, surface.strips, strict=True):
            hang_strip(self._screen, self._vertices, self._texture, opening.upper, opening.lower, first, _STRIP_SWITCH)
        if self._movable is not None and self._screen.moving.any():
            self._screen.moving[:] = self._movable

    def contours(self, opening: Opening) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns columns and rows (n, 2) of an opening's upper and lower contour in this frame."""
        place = self._screen.place
        return place[opening.upper, :2], place[opening.lower, :2]

    def draw(self) -> NDArray[np.uint8]:
        """Returns the picture (size, size, 3) of the sheet alone."""
        if not self._screen.moving.any():
            return self._plates.resting.copy()
        out = self._still.copy()
        if self._pool is None:
            self._crease()
        self._finish_creases()
        self._in_bands(self._draw_band, out)
        for opening in self._surface.eyes:
            watch(self._canvas, self._screen.place, opening.lower)
        put_pixels(out, self._folds, find_folds(self._canvas, out, self._jump, self._folds))
        return out

    def _cut_out(self, behind: NDArray[np.uint8]) -> None:
        """Prepares for a person in front of a room: once anything moves, all that ever moves is drawn, over the room.

        Triangles with nothing of the person are left out, and what never moves is a part of the room.
        """
        surface, size = self._surface, len(behind)
        self._faces = np.ascontiguousarray(self._faces[_show_something(self._picture, self._texture, self._faces)])
        bent = np.bincount(
            np.repeat(np.arange(len(surface.rest)), np.diff(surface.weights.indptr)),
            np.abs(surface.weights.values),
            len(surface.rest),
        )
        self._movable = ((surface.follow > 0) | (bent > 0)).astype(np.uint8)
        self._screen.place[:] = np.column_stack([self._vertices.home, surface.rest[:, 2]])
        self._screen.moving[:] = self._movable
        rasterise(self._screen, self._faces, self._canvas, self._jump, 0, size)
        covered = cv2.erode(self._canvas.covered().astype(np.uint8), np.ones((3, 3), np.uint8))
        self._still = np.where(covered[..., None] > 0, behind, self._plates.resting)

    def _crease(self) -> None:
        crease_skin(self._bare, self._relief, self._depths, self._picture)

    def _finish_creases(self) -> None:
        """Waits for the creases that another thread began to draw as the sheet moved."""
        if self._creased:
            self._creased.result()
            self._creased = None

    def _draw_band(self, band: int, out: NDArray[np.uint8]) -> None:
        rasterise(self._screen, self._faces, self._canvas, self._jump, *self._bands[band])
        show(self._picture, self._canvas, self._behind, out, self._rows[band], *self._bands[band])

    def _in_bands(self, work: BandWork, out: NDArray[np.uint8]) -> None:
        others = [self._pool.submit(work, band, out) for band in range(1, len(self._bands))] if self._pool else []
        work(0, out)
        for other in others:
            other.result()


def _bands(corners: NDArray[np.float32], size: int, n: int) -> list[tuple[int, int]]:
    """Returns the first row, and one past the last, of `n` bands of a picture that cost about the same to draw.

    Args:
        corners: float32 (n_faces, 3, 2), columns and rows at rest.
        size: The picture's height.
        n: How many bands.
    """
    top, bottom = (
        np.clip(rows.round().astype(int), 0, size) for rows in (corners[..., 1].min(1), corners[..., 1].max(1))
    )
    along, across = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = 0.5 * np.abs(along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0])
    each = area / np.maximum(bottom - top, 1) + _SPAN
    steps = np.bincount(top, each, size + 1) - np.bincount(bottom, each, size + 1)
    cost = np.cumsum(np.cumsum(steps) + 1.0)
    edges = np.searchsorted(cost, cost[-1] * np.arange(1, n) / n)
    return list(pairwise([0, *edges.tolist(), size]))


def _clockwise(faces: NDArray[np.int32], texture: NDArray[np.float32]) -> NDArray[np.int32]:
    """Returns triangles (n, 3) whose corners are in the same order at rest, as the raster wants them."""
    (ax, ay), (bx, by), (cx, cy) = (texture[faces[:, corner]].T for corner in range(3))
    turned = (bx - ax) * (cy - ay) < (cx - ax) * (by - ay)
    return np.where(turned[:, None], faces[:, ::-1], faces)


def _show_something(
    picture: NDArray[np.uint32], texture: NDArray[np.float32], faces: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Returns which triangles (n, 3) have anything but clear texels (side, side) in the box around them, (n,)."""
    totals = cv2.integral(((picture >> np.uint32(24)) > 0).astype(np.uint8))
    corners = texture[faces]
    left, top = np.clip(np.floor(corners.min(1)).astype(int), 0, len(picture)).T
    right, bottom = np.clip(np.floor(corners.max(1)).astype(int) + 2, 0, len(picture)).T
    return totals[bottom, right] - totals[top, right] - totals[bottom, left] + totals[top, left] > 0
