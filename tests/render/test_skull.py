from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from avatar.portrait.topology import OVAL
from avatar.render.face import Face, face_of
from avatar.render.outside import Outside
from avatar.render.skull import depth_floor, depth_of_head
from avatar.render.topology import CHIN, EARS, NOSE_TIP

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

SIZE = 256
FOREHEAD = 10


@pytest.fixture
def face(portrait: Portrait) -> Face:
    return face_of(portrait, SIZE)


def matte(face: Face, hair: float) -> np.ndarray:
    """A person whose outline is the face's oval, so many face widths larger above and beside."""
    ears, chin = face.points[list(EARS), :2].mean(0) * [1, -1], -face.points[CHIN, 1]
    rows, columns = np.mgrid[:SIZE, :SIZE]
    radius = (0.62 + hair) * face.width
    ball = np.hypot(columns - ears[0], 0.8 * (rows - ears[1] + 0.2 * face.width)) < radius
    return (ball | (rows > chin)).astype(np.float32)


def above(face: Face, distance: float) -> np.ndarray:
    """Places so many face widths above the forehead's edge."""
    return face.points[[FOREHEAD], :2] + [0, distance * face.width]


def test_a_head_bends_back_from_its_forehead_to_its_crown(face: Face) -> None:
    person = matte(face, 0.0)
    low, middle, high = (float(depth_of_head(face, person, above(face, d))[0]) for d in (0.05, 0.2, 0.35))
    assert face.points[NOSE_TIP, 2] > low > middle > high
    assert low - middle < middle - high


def test_both_sides_of_a_head_are_alike(face: Face) -> None:
    ears = face.points[list(EARS), :2]
    places = ears + np.array([[-0.05, 0.1], [0.05, 0.1]]) * face.width
    left, right = depth_of_head(face, matte(face, 0.0), places)
    assert left == pytest.approx(right, abs=0.02 * face.width)


def test_thick_hair_lies_nearer_than_the_scalp(face: Face) -> None:
    place = above(face, 0.35)
    bald, hairy = (float(depth_of_head(face, matte(face, hair), place)[0]) for hair in (0.0, 0.3))
    assert hairy > bald + 0.05 * face.width


def test_what_lies_beyond_a_head_lies_behind_its_edge(face: Face) -> None:
    ear = face.points[EARS[1], :2]
    near, far = depth_of_head(face, matte(face, 0.0), ear + np.array([[0.1, 0.2], [0.4, 0.2]]) * face.width)
    assert far < near


def test_a_head_lies_where_the_face_lies(face: Face) -> None:
    smaller = replace(face, points=face.points * 0.5, width=0.5 * face.width)
    person = np.zeros((SIZE, SIZE), np.float32)
    whole = depth_of_head(face, person, above(face, 0.1))
    half = depth_of_head(smaller, person, above(smaller, 0.1))
    np.testing.assert_allclose(2 * half, whole, atol=0.01 * face.width)


def test_a_place_beside_a_near_point_is_never_far_behind_it() -> None:
    points = np.array([[0.0, 0.0, 10.0], [100.0, 0.0, 0.0]])
    np.testing.assert_allclose(depth_floor(np.array([[0.0, 0.0], [5.0, 0.0], [100.0, 0.0]]), points), [10, 2, 0])


@pytest.mark.parametrize("hair", [0.0, 0.3])
def test_the_sheet_around_a_face_is_never_so_steep_that_it_folds_over(face: Face, hair: float) -> None:
    points = Outside(face, face.points[list(OVAL)], matte(face, hair), cut_out=True).points
    apart = cdist(points[:, :2], points[:, :2]) + np.eye(len(points))
    assert ((points[:, None, 2] - points[None, :, 2]) / apart).max() < 1.7
