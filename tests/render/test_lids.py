from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import INDEX
from avatar.render.face import Face, face_of
from avatar.render.lids import with_fitted_lids
from avatar.render.topology import EYES, EyeIndices

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait


@pytest.fixture
def face(portrait: Portrait) -> Face:
    return face_of(portrait, 256)


def gap(points: np.ndarray, eye: EyeIndices) -> np.ndarray:
    return points[list(eye.upper[1:-1]), 1] - points[list(eye.lower[1:-1]), 1]


@pytest.mark.parametrize("eye", EYES)
def test_a_full_blink_closes_every_column_and_no_more(face: Face, eye: EyeIndices) -> None:
    closed = face.points + with_fitted_lids(face)[INDEX["eyeBlink" + eye.side]]
    np.testing.assert_allclose(gap(closed, eye), 0, atol=1e-6)


@pytest.mark.parametrize("eye", EYES)
def test_a_blink_leaves_the_other_eye_open(face: Face, eye: EyeIndices) -> None:
    other = EYES[1] if eye is EYES[0] else EYES[0]
    winking = face.points + with_fitted_lids(face)[INDEX["eyeBlink" + eye.side]]
    np.testing.assert_allclose(gap(winking, other), gap(face.points, other), atol=0.3)


@pytest.mark.parametrize("eye", EYES)
def test_the_upper_lid_follows_the_gaze(face: Face, eye: EyeIndices) -> None:
    deltas = with_fitted_lids(face)
    middle = eye.upper[4]
    assert deltas[INDEX["eyeLookDown" + eye.side], middle, 1] < -0.5
    assert deltas[INDEX["eyeLookUp" + eye.side], middle, 1] > 0.2


def test_raised_brows_hardly_move_the_lids(face: Face) -> None:
    before, after = face.deltas[INDEX["browInnerUp"]], with_fitted_lids(face)[INDEX["browInnerUp"]]
    for eye in EYES:
        lid = list(eye.upper)
        assert np.abs(after[lid]).max() <= 0.11 * np.abs(before[lid]).max() + 1e-9
    np.testing.assert_allclose(after[105], before[105])
