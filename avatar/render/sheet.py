"""The sheet in motion: scratch memory, row bands and the strips that close the eyes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from avatar.render.raster import deform, draw_band, find_folds, put_pixels, uncross

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.pose import Camera
    from avatar.render.surface import Opening, Surface

_FOLD = 4.5
"""Step between neighbouring pixels' texture places, in output pixels, that tells a fold."""
_MAX_FOLDS = 20_000
_STRIP_SWITCH = 2.0
"""Pixels of lid motion over which the strip between the lids goes from the photo's eye to the lash line."""


class Sheet:
    """Bends, turns and draws one portrait's surface.

    Args:
        surface: The surface at rest.
        camera: Its camera.
        picture: uint8 (side, side, 3), the texture.
        resting: uint8 (size, size, 3), the texture at the output's size, shown wherever nothing moves.
        threads: Row bands drawn at the same time.
    """

    def __init__(
        self,
        surface: Surface,
        camera: Camera,
        picture: NDArray[np.uint8],
        resting: NDArray[np.uint8],
        threads: int,
    ) -> None:
        self._surface = surface
        self._camera = camera
        self._picture = np.ascontiguousarray(picture)
        self._resting = np.ascontiguousarray(resting)
        size, n = resting.shape[0], len(surface.rest)
        self._jump = _FOLD * picture.shape[0] / size
        self._texture = surface.texture.copy()
        self._home = ((surface.texture + 0.5) * (size / picture.shape[0]) - 0.5).astype(np.float32)
        self._screen = np.zeros((n, 3), np.float32)
        self._gain = np.ones(n, np.float32)
        self._moving = np.zeros(n, np.uint8)
        self._source = np.zeros((size, size, 3), np.float32)
        self._depth = np.zeros((size, size), np.float32)
        self._folds = np.zeros((threads, _MAX_FOLDS // threads, 5), np.int32)
        edges = np.linspace(0, size, threads + 1).astype(int)
        self._bands = [(int(a), int(b)) for a, b in zip(edges, edges[1:], strict=False)]
        self._pool = ThreadPoolExecutor(threads - 1, "render") if threads > 1 else None

    def move(self, moves: NDArray[np.float32], turn: NDArray[np.float64], shift: NDArray[np.float64]) -> None:
        """Puts every vertex where this frame has it.

        Args:
            moves: float32 (468, 4), what the landmarks add: x, y, z in pixels, and brightness.
            turn: float64 (3, 3), rotation of the head.
            shift: float64 (3,), move of the head, pixels.
        """
        surface, camera = self._surface, self._camera
        pivot = camera.undo(camera.pivot[None])[0]
        numbers = np.concatenate([camera.centre, [camera.distance], pivot, shift]).astype(np.float32)
        weights = surface.weights
        deform(
            weights.indptr,
            weights.indices,
            weights.data,
            surface.rest,
            self._home,
            moves,
            surface.follow,
            numbers,
            turn.astype(np.float32),
            self._screen,
            self._gain,
            self._moving,
        )
        for opening in (surface.mouth, *surface.eyes):
            uncross(self._screen, opening.upper, opening.lower)
        for opening, first in zip(surface.eyes, surface.strips, strict=True):
            self._hang_strip(opening, first)

    def contours(self, opening: Opening) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns columns and rows (n, 2) of an opening's upper and lower contour in this frame."""
        return self._screen[opening.upper, :2], self._screen[opening.lower, :2]

    def draw(self) -> NDArray[np.uint8]:
        """Returns the picture (size, size, 3) of the sheet alone."""
        out = np.empty_like(self._resting)
        self._in_bands(self._draw_band, out)
        counts = self._in_bands(self._find_band, out)
        for band, count in enumerate(counts):
            put_pixels(out, self._folds[band], count)
        return out

    def _hang_strip(self, opening: Opening, first: int) -> None:
        """Between moved lids the sheet shows the upper lash line, so that a closing eye ends in lashes."""
        last = first + len(opening.lower)
        self._screen[first:last] = self._screen[opening.lower]
        rest = self._surface.rest
        gap = self._screen[opening.lower, 1] - self._screen[opening.upper, 1]
        moved = float(np.abs(gap - (rest[opening.upper, 1] - rest[opening.lower, 1])).max())
        share = min(moved / _STRIP_SWITCH, 1.0)
        own, lashes = self._surface.texture[opening.lower], self._surface.texture[opening.upper]
        self._texture[first:last] = own + np.float32(share) * (lashes - own)

    def _draw_band(self, band: int, out: NDArray[np.uint8]) -> int:
        first, last = self._bands[band]
        draw_band(
            self._screen,
            self._texture,
            self._gain,
            self._moving,
            self._surface.faces,
            self._picture,
            self._resting,
            self._source,
            self._depth,
            out,
            first,
            last,
        )
        return 0

    def _find_band(self, band: int, out: NDArray[np.uint8]) -> int:
        first, last = self._bands[band]
        return find_folds(self._source, self._depth, out, self._jump, self._folds[band], first, last)

    def _in_bands(self, work: _BandWork, out: NDArray[np.uint8]) -> list[int]:
        if self._pool is None:
            return [work(0, out)]
        others = [self._pool.submit(work, band, out) for band in range(1, len(self._bands))]
        return [work(0, out), *(other.result() for other in others)]


if TYPE_CHECKING:
    from collections.abc import Callable

    _BandWork = Callable[[int, NDArray[np.uint8]], int]
