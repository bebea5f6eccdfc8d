from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.portrait.topology import OVAL
from avatar.render.face import Face, face_of
from avatar.render.outside import Outside

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

SIZE = 256


def outside_of(face: Face, person: np.ndarray, *, cut_out: bool = True) -> Outside:
    return Outside(face, face.points[list(OVAL)], person, cut_out=cut_out)


@pytest.fixture
def face(portrait: Portrait) -> Face:
    return face_of(portrait, SIZE)


@pytest.fixture
def person() -> np.ndarray:
    """A head with hair that ends below the picture's upper edge, and shoulders."""
    matte = np.zeros((SIZE, SIZE), np.float32)
    matte[30:190, 60:196] = 1
    matte[190:, 10:246] = 1
    return matte


def head_cut_above(person: np.ndarray) -> np.ndarray:
    matte = person.copy()
    matte[:30, 60:196] = 1
    return matte


def test_a_head_within_the_picture_needs_nothing_beyond_it(face: Face, person: np.ndarray) -> None:
    small = replace(face, points=face.points * [0.6, 0.6, 0.6] + [50, -20, 0], width=0.6 * face.width)
    outside = outside_of(small, person)
    assert outside.beyond == 0
    assert outside.points[:, 0].min() >= 0
    assert outside.points[:, 1].max() <= 0


def test_beyond_the_edge_that_cuts_a_head_the_sheet_goes_on(face: Face, person: np.ndarray) -> None:
    outside = outside_of(face, head_cut_above(person))
    assert outside.points[:, 1].max() > 0.3 * face.width
    assert outside.points[:, 0].min() >= 0
    assert outside.beyond >= outside.points[:, 1].max()


@pytest.mark.parametrize("mode", [{"cut_out": True}, {"cut_out": False}])
def test_a_head_follows_as_one_across_the_edge_that_cuts_it(
    face: Face, person: np.ndarray, mode: dict[str, bool]
) -> None:
    outside = outside_of(face, head_cut_above(person), **mode)
    at_edge = (np.abs(outside.points[:, 1]) < 1) & (np.abs(outside.points[:, 0] - SIZE / 2) < 40)
    assert at_edge.any()
    assert outside.follow()[at_edge].min() > 0.99


def test_the_room_beside_a_head_that_is_cut_stays(face: Face, person: np.ndarray) -> None:
    outside = outside_of(face, head_cut_above(person), cut_out=False)
    corner = (outside.points[:, 1] > -20) & (outside.points[:, 0] < 20)
    assert outside.follow()[corner].max() == 0


def test_shoulders_stay_where_the_picture_ends(face: Face, person: np.ndarray) -> None:
    small = replace(face, points=face.points * [0.6, 0.6, 0.6] + [50, -20, 0], width=0.6 * face.width)
    outside = outside_of(small, person)
    lowest = outside.points[:, 1] < -SIZE + 2
    assert outside.follow()[lowest].max() == 0
