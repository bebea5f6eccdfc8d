from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.render.face import face_of
from avatar.render.seam import draw_seam, seam_light

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

SIZE, WIDTH = 96, 200.0


def lips(gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns contours that run a little downwards across the picture."""
    columns = np.linspace(20, 76, 15)
    rows = np.linspace(46.2, 49.7, 15)
    half = 0.5 * gap * np.sin(np.pi * np.linspace(0, 1, 15))
    upper, lower = (np.stack([columns, rows + side * half], 1).astype(np.float32) for side in (-1, 1))
    return upper, lower


def stepped() -> np.ndarray:
    """Returns a dark upper lip on a light lower one, cut in steps."""
    picture = np.full((SIZE, SIZE, 3), 200, np.uint8)
    for column in range(SIZE):
        picture[: 47 + (column - 20) // 16, column] = 120
    return picture


def steepest(picture: np.ndarray) -> int:
    return int(np.abs(np.diff(picture[:, 25:70].astype(int), axis=1)).max())


def test_pressed_lips_meet_in_a_smoother_and_unbroken_dark_line() -> None:
    picture, resting = stepped(), np.full(15, 0.8, np.float32)
    before = steepest(picture)
    draw_seam(picture, *lips(0.0), resting, WIDTH, 0.6, 0.0)
    assert steepest(picture) < 0.4 * before
    line = picture[44:53, 30:66].min(0)
    assert line.max() < 119
    assert line.mean() < 110


@pytest.mark.parametrize("gap", [0.8, 6.0])
def test_lips_at_rest_or_apart_stay_as_they_are(gap: float) -> None:
    picture = stepped()
    upper, lower = lips(gap)
    draw_seam(
        picture, upper, lower, lower[:, 1] - upper[:, 1] if gap < 1 else np.zeros(15, np.float32), WIDTH, 0.6, 0.0
    )
    columns = slice(30, 66)
    np.testing.assert_array_equal(picture[:, columns], stepped()[:, columns])


def test_the_line_fades_towards_the_corners_and_keeps_the_lips_hue() -> None:
    picture = np.full((SIZE, SIZE, 3), (200, 120, 100), np.uint8)
    draw_seam(picture, *lips(0.0), np.full(15, 0.8, np.float32), WIDTH, 0.6, 0.0)
    darkest = picture[40:56].min(0).astype(float)
    assert darkest[24, 0] > darkest[48, 0] + 20
    assert darkest[48, 0] / darkest[48, 2] > 2.2


def test_lips_that_roll_in_are_shaded_beside_their_line_too() -> None:
    pictures = [np.full((SIZE, SIZE, 3), 200, np.uint8) for _ in range(2)]
    for picture, rolled in zip(pictures, (0.0, 1.0), strict=True):
        draw_seam(picture, *lips(0.0), np.full(15, 0.8, np.float32), WIDTH, 0.6, rolled)
    beside, away = (slice(51, 53), 48), (slice(60, 70), slice(None))
    assert pictures[1][beside].mean() < pictures[0][beside].mean() - 8
    np.testing.assert_array_equal(pictures[1][away], pictures[0][away])


def test_the_line_is_as_dark_as_in_the_photo(portrait: Portrait) -> None:
    face = face_of(portrait, 384)
    luminance = portrait.rgb.mean(-1)
    assert seam_light(face, luminance) < 0.8
    assert seam_light(face, np.full_like(luminance, 90.0)) == pytest.approx(1.0)
