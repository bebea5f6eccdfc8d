from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import INDEX
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER
from avatar.render.face import Face, face_of
from avatar.render.lips import closing_offsets, slid_along, snap_to_seam

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait


@pytest.fixture
def face(portrait: Portrait) -> Face:
    return face_of(portrait, 384)


@pytest.mark.parametrize("lift", [-3, 0, 3])
def test_inner_contours_move_onto_the_dark_line_between_the_lips(face: Face, lift: int) -> None:
    seam = face.picture(face.seam())
    picture = np.full((384, 384), 150, np.float32)
    for column in range(384):
        row = round(float(np.interp(column, seam[:, 0], seam[:, 1]))) - lift
        picture[row, column] = 30
    points = snap_to_seam(face, picture)
    middle = (points[list(LIP_INNER_UPPER)] + points[list(LIP_INNER_LOWER)])[3:8, 1] / 2
    np.testing.assert_allclose(-middle, seam[3:8, 1] - lift, atol=1.0)


def test_lips_stay_a_little_apart_so_that_they_can_open(face: Face) -> None:
    points = snap_to_seam(face, np.full((384, 384), 150, np.float32))
    gaps = points[list(LIP_INNER_UPPER[1:-1]), 1] - points[list(LIP_INNER_LOWER[1:-1]), 1]
    np.testing.assert_allclose(gaps, 0.8, atol=0.02)


def test_an_open_mouth_is_closed_mostly_by_the_lower_lip(face: Face) -> None:
    opened = replace(face, points=face.points + 0.5 * face.deltas[INDEX["jawOpen"]])
    assert not opened.mouth_closed
    offsets = closing_offsets(opened)
    closed = opened.points + offsets
    gaps = closed[list(LIP_INNER_UPPER)] - closed[list(LIP_INNER_LOWER)]
    np.testing.assert_allclose(gaps, 0, atol=1e-6)
    assert offsets[14, 1] > 2 * abs(offsets[13, 1])


def test_closing_a_mouth_leaves_the_eyes_where_they_are(face: Face) -> None:
    opened = replace(face, points=face.points + 0.5 * face.deltas[INDEX["jawOpen"]])
    assert np.abs(closing_offsets(opened)[[33, 133, 362, 263, 159, 386]]).max() < 0.05


def line(face: Face, beyond: float) -> np.ndarray:
    """Returns a picture with a dark line between the lips that goes on beyond both corners, in face widths."""
    seam = face.picture(face.seam())
    picture = np.full((384, 384), 150, np.float32)
    left, right = (round(float(seam[k, 0] + side * beyond * face.width)) for k, side in ((0, -1), (-1, 1)))
    for column in range(left, right + 1):
        picture[round(float(np.interp(column, seam[:, 0], seam[:, 1]))), column] = 30
    return picture


@pytest.mark.parametrize("beyond", [0.0, 0.035])
def test_corners_lie_where_the_dark_line_ends(face: Face, beyond: float) -> None:
    moved = snap_to_seam(face, line(face, beyond))[[78, 308], 0] - face.points[[78, 308], 0]
    np.testing.assert_allclose(moved / face.width, [-beyond, beyond], atol=0.014)


def test_corners_stay_where_no_line_is_seen(face: Face) -> None:
    moved = snap_to_seam(face, np.full((384, 384), 150, np.float32)) - face.points
    assert np.abs(moved[[78, 308], 0]).max() < 0.5


def test_skin_moves_as_before_though_corners_lie_further_out(face: Face) -> None:
    points = snap_to_seam(face, line(face, 0.035))
    slid = slid_along(face, points)
    for name in ("mouthSmileLeft", "mouthStretchRight"):
        before, after = face.deltas[INDEX[name]], slid[INDEX[name]]
        for contour in (list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)):
            here = np.interp(face.points[contour, 0], points[contour, 0], after[contour, 0])
            np.testing.assert_allclose(here[1:-1], before[contour, 0][1:-1], atol=0.012 * face.width)
    gaps = [deltas[INDEX["jawOpen"]] for deltas in (face.deltas, slid)]
    upper, lower = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)
    np.testing.assert_allclose(*((gap[upper] - gap[lower]) for gap in gaps), atol=1e-9)
