from __future__ import annotations

import numpy as np

from avatar.render.folds import find_folds, put_pixels
from avatar.render.raster import FAR, Canvas, blank_canvas

SIZE = 32
PICTURE = np.random.default_rng(5).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)


def flat() -> Canvas:
    canvas = blank_canvas(SIZE)
    canvas.source[..., 0], canvas.source[..., 1] = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    canvas.span[:] = 0, SIZE
    canvas.folded[:] = 0, SIZE
    return canvas


def test_only_jumps_in_the_texture_count_as_folds() -> None:
    canvas, found = flat(), np.zeros((500, 5), np.int32)
    assert find_folds(canvas, PICTURE, 4.5, found) == 0
    canvas.source[:, 16:, 0] += 10
    n = find_folds(canvas, PICTURE, 4.5, found)
    assert n > 0
    assert set(found[:n, 1].tolist()) == {15, 16}
    smoothed = PICTURE.copy()
    put_pixels(smoothed, found, n)
    assert np.abs(smoothed[5:25, 15].astype(int) - PICTURE[5:25, 15]).max() > 5


def test_the_end_of_the_sheet_is_no_fold() -> None:
    canvas, found = flat(), np.zeros((500, 5), np.int32)
    canvas.source[:, 16:, 0] += 10
    canvas.source[:, 16, 3] = FAR
    assert find_folds(canvas, PICTURE, 4.5, found) == 0


def test_folds_are_looked_for_only_where_there_may_be_any() -> None:
    canvas, found = flat(), np.zeros((500, 5), np.int32)
    canvas.source[:, 16:, 0] += 10
    canvas.folded[:] = 20, SIZE
    canvas.folded[8:10] = 10, 20
    assert find_folds(canvas, PICTURE, 4.5, found) == 6
    assert set(found[:6, 0].tolist()) == {8, 9, 10}
