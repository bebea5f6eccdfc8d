from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from avatar.render.eye_contour import widen_to_eyes
from avatar.render.face import Face, face_of
from avatar.render.topology import EYES

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

SKIN, WHITE = (214, 150, 120), (236, 234, 232)


@pytest.fixture
def face(portrait: Portrait) -> Face:
    return face_of(portrait, 384)


def with_eyes(face: Face, growth: float, skin: tuple[int, int, int] = SKIN) -> np.ndarray:
    picture = np.full((384, 384, 3), skin, np.uint8)
    for eye in EYES:
        outline = face.picture(face.points[[*eye.upper, *eye.lower[::-1]]])
        outward = outline - outline.mean(0)
        grown = outline + growth * outward / np.linalg.norm(outward, axis=1, keepdims=True)
        cv2.fillPoly(picture, [(grown * 16).round().astype(np.int32)], WHITE, cv2.LINE_AA, 4)
    return picture


def heights(points: np.ndarray) -> np.ndarray:
    return np.array([points[eye.upper[4], 1] - points[eye.lower[4], 1] for eye in EYES])


def test_contours_grow_to_eyes_that_are_drawn_larger(face: Face) -> None:
    growth = 0.02 * face.width
    grown = heights(widen_to_eyes(face, with_eyes(face, growth))) - heights(face.points)
    np.testing.assert_allclose(grown, 2 * growth, atol=1.5)


def test_contours_that_fit_stay(face: Face) -> None:
    np.testing.assert_array_equal(widen_to_eyes(face, with_eyes(face, 0.0)), face.points)


def test_a_black_and_white_picture_changes_nothing(face: Face) -> None:
    grey = with_eyes(face, 0.02 * face.width, skin=(150, 150, 150))
    np.testing.assert_array_equal(widen_to_eyes(face, grey), face.points)


def test_brows_and_nose_hardly_notice(face: Face) -> None:
    points = widen_to_eyes(face, with_eyes(face, 0.02 * face.width))
    assert np.abs(points[[1, 105, 334, 152]] - face.points[[1, 105, 334, 152]]).max() < 1
