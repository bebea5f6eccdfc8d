from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from avatar.render.deform import Screen
from avatar.render.raster import Canvas, blank_canvas, rasterise, watch
from avatar.render.texture import pack, scratch_rows, show

SIZE = 32
FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
PICTURE = np.random.default_rng(5).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
JUMP = 4.5
OPAQUE = np.full((SIZE, SIZE), 255, np.uint8)


def square(shift: float = 0.0, light: float = 1.0, moving: int = 1, depth: float = 0.0) -> Screen:
    corners = np.array([[0, 0], [SIZE - 1, 0], [SIZE - 1, SIZE - 1], [0, SIZE - 1]], np.float32)
    place = np.column_stack([corners + np.float32([shift, 0]), np.full(4, depth)]).astype(np.float32)
    return Screen(place, corners, np.full(4, light, np.float32), np.full(4, moving, np.uint8))


def drawn(
    screen: Screen,
    faces: np.ndarray = FACES,
    behind: np.ndarray = PICTURE,
    bands: int = 1,
) -> np.ndarray:
    canvas, rows, out = blank_canvas(SIZE), scratch_rows(SIZE), behind.copy()
    for first, last in pairwise([round(SIZE * k / bands) for k in range(bands + 1)]):
        rasterise(screen, faces, canvas, JUMP, first, last)
        show(pack(PICTURE, OPAQUE), canvas, pack(behind, OPAQUE), out, rows, first, last)
    return out


def test_a_sheet_in_its_place_shows_the_picture() -> None:
    inner = slice(0, SIZE - 2)
    np.testing.assert_array_equal(drawn(square())[inner, inner], PICTURE[inner, inner])


def test_a_sheet_moved_by_whole_pixels_moves_the_picture() -> None:
    out = drawn(square(shift=3))
    np.testing.assert_array_equal(out[:-2, 3:-2], PICTURE[:-2, :-5])
    np.testing.assert_array_equal(out[:, :3], PICTURE[:, :3])


def test_what_does_not_move_shows_what_is_behind() -> None:
    behind = np.full_like(PICTURE, 77)
    np.testing.assert_array_equal(drawn(square(moving=0), behind=behind), behind)


@pytest.mark.parametrize("bands", [2, 3, 5])
def test_bands_do_not_change_the_picture(bands: int) -> None:
    np.testing.assert_array_equal(drawn(square(1.37, 0.9), bands=bands), drawn(square(1.37, 0.9)))


def test_brightness_scales_colours_and_stops_at_white() -> None:
    inner = slice(0, SIZE - 2)
    out = drawn(square(light=1.5)).astype(int)[inner, inner]
    np.testing.assert_allclose(out, np.minimum(1.5 * PICTURE[inner, inner], 255), atol=1)


def test_the_nearer_of_two_sheets_is_seen_in_any_order() -> None:
    far, near = square(depth=-5), square(shift=4, depth=5)
    both = Screen(*(np.concatenate(pair) for pair in zip(far, near, strict=True)))
    order = np.concatenate([FACES, FACES + 4])
    ahead = drawn(both, order)
    np.testing.assert_array_equal(ahead, drawn(both, order[::-1].copy()))
    np.testing.assert_array_equal(ahead[:-2, 4:-2], PICTURE[:-2, :-6])


def noted(screen: Screen, bands: int = 1) -> Canvas:
    canvas = blank_canvas(SIZE)
    for first, last in pairwise([round(SIZE * k / bands) for k in range(bands + 1)]):
        rasterise(screen, FACES, canvas, JUMP, first, last)
    return canvas


def test_folds_need_not_be_looked_for_on_a_flat_sheet() -> None:
    canvas = noted(square())
    assert (canvas.folded[:, 0] >= canvas.folded[:, 1]).all()


@pytest.mark.parametrize("bands", [1, 2, 5])
def test_where_the_sheet_shows_its_back_folds_are_looked_for(bands: int) -> None:
    screen = square()
    screen.place[2] = [4, 6, 0]  # the lower right corner, drawn over to the upper left
    canvas = noted(screen, bands)
    turned = canvas.folded[:, 0] < canvas.folded[:, 1]
    assert turned[2:30].all()
    assert canvas.folded[turned, 0].min() >= -1
    assert canvas.folded[turned, 1].max() <= SIZE + 2


def test_where_the_sheet_is_pushed_together_folds_are_looked_for() -> None:
    screen = square()
    screen.place[:, 0] = screen.place[:, 0] / 8 + 10
    canvas = noted(screen)
    assert canvas.folded[10].tolist() == [9, 15]


def test_folds_are_looked_for_along_an_edge_that_is_watched() -> None:
    canvas = noted(square())
    place = np.array([[4.5, 6.2, 0], [9.5, 7.8, 0], [20.5, 40.0, 0]], np.float32)
    watch(canvas, place, np.array([0, 1], np.int32))
    assert canvas.folded[5:9].tolist() == [[3, 11]] * 4
    watch(canvas, place, np.array([1, 2], np.int32))
    assert canvas.folded[4, 0] > canvas.folded[4, 1]
    assert canvas.folded[SIZE - 1].tolist() == [8, 22]
