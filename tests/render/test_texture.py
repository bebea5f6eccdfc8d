from __future__ import annotations

import numpy as np

from avatar.render.raster import FAR, blank_canvas
from avatar.render.texture import pack, scratch_rows, show

SIZE = 24
RNG = np.random.default_rng(2)
PICTURE = RNG.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
BEHIND = RNG.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
SOLID = np.full((SIZE, SIZE), 255, np.uint8)
INNER = slice(0, SIZE - 2)


def shown(sheet: np.ndarray, shift: float = 0.0, light: float = 1.0, left: int = 0, right: int = SIZE) -> np.ndarray:
    canvas, out = blank_canvas(SIZE), BEHIND.copy()
    columns, rows = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    nearest = np.zeros_like(rows)
    canvas.source[:] = np.stack([columns + shift, rows, np.full_like(columns, light, np.float32), nearest], -1)
    canvas.span[:] = left, right
    show(sheet, canvas, pack(BEHIND, SOLID), out, scratch_rows(SIZE), 0, SIZE)
    return out


def test_opaque_texels_hide_what_is_behind() -> None:
    out = shown(pack(PICTURE, SOLID))
    np.testing.assert_array_equal(out[INNER, INNER], PICTURE[INNER, INNER])


def test_clear_texels_show_exactly_what_is_behind() -> None:
    out = shown(pack(np.zeros_like(PICTURE), np.zeros((SIZE, SIZE), np.uint8)))
    np.testing.assert_array_equal(out, BEHIND)


def test_half_clear_texels_mix_with_what_is_behind() -> None:
    opacity = np.full((SIZE, SIZE), 128, np.uint8)
    out = shown(pack(PICTURE // 2, opacity)).astype(float)[INNER, INNER]
    np.testing.assert_allclose(out, PICTURE[INNER, INNER] // 2 + BEHIND[INNER, INNER] * (127 / 255), atol=2)


def test_places_between_texels_are_interpolated() -> None:
    out = shown(pack(PICTURE, SOLID), shift=0.5).astype(float)
    middle = (PICTURE[:, :-1].astype(float) + PICTURE[:, 1:]) / 2
    np.testing.assert_allclose(out[INNER, : SIZE - 3], middle[INNER, : SIZE - 3], atol=1)


def test_only_the_covered_span_of_a_row_changes() -> None:
    out = shown(pack(PICTURE, SOLID), left=5, right=9)
    np.testing.assert_array_equal(out[INNER, 5:9], PICTURE[INNER, 5:9])
    np.testing.assert_array_equal(out[:, :5], BEHIND[:, :5])
    np.testing.assert_array_equal(out[:, 9:], BEHIND[:, 9:])


def test_gaps_in_a_span_show_what_is_behind() -> None:
    canvas, out = blank_canvas(SIZE), BEHIND.copy()
    canvas.source[..., 2] = 1.0
    canvas.source[..., 3] = FAR
    canvas.span[:] = 0, SIZE
    show(pack(PICTURE, SOLID), canvas, pack(BEHIND, SOLID), out, scratch_rows(SIZE), 0, SIZE)
    np.testing.assert_array_equal(out, BEHIND)
