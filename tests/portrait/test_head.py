from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import BLENDSHAPES, INDEX
from avatar.portrait import topology
from avatar.portrait.head import load_head

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def head():
    return load_head()


@pytest.fixture(scope="module")
def landmarks(head):
    return head.at_landmarks(head.base)


def unit(head, name):
    return head.at_landmarks(head.units[INDEX[name]])


def test_every_arkit_unit_moves_the_head_and_no_unit_tears_it(head):
    reach = np.linalg.norm(head.units, axis=-1).max(1)
    assert reach.shape == (len(BLENDSHAPES),)
    assert (reach > 0.02).all()
    assert (reach < 1.2).all()


def test_an_opening_jaw_parts_the_lips(head):
    moves = unit(head, "jawOpen")[:, 1]
    upper, lower = moves[list(topology.LIP_INNER_UPPER[3:-3])], moves[list(topology.LIP_INNER_LOWER[3:-3])]
    assert (upper > -0.05).all()
    assert (lower < -0.15).all()


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_a_blink_lowers_the_lid_of_its_own_eye_only(head, side):
    moves = unit(head, f"eyeBlink{side}")[:, 1]
    lids = {"Left": topology.LEFT_LID_UPPER, "Right": topology.RIGHT_LID_UPPER}
    assert moves[list(lids.pop(side)[3:-3])].mean() < -0.05
    (other,) = lids.values()
    assert np.abs(moves[list(other)]).max() < 0.005


def test_the_smile_of_one_side_mirrors_the_other(head):
    left, right = unit(head, "mouthSmileLeft"), unit(head, "mouthSmileRight")
    np.testing.assert_allclose(left[head.mirror] * [-1, 1, 1], right, atol=0.03)
    assert left[291, 1] > 0.05
    assert left[291, 0] > 0.02


def test_landmarks_sit_where_their_names_say(head, landmarks):
    assert landmarks[152, 1] < landmarks[list(topology.OVAL), 1].min() + 0.01  # the chin
    assert landmarks[4, 2] > landmarks[:, 2].max() - 0.01  # the nose's tip
    assert abs(landmarks[4, 0]) < 0.01
    assert landmarks[list(topology.LEFT_EYE), 0].min() > 0.1  # the person's left is the picture's right
    np.testing.assert_allclose(landmarks[head.mirror] * [-1, 1, 1], landmarks, atol=0.06)


def test_lid_landmarks_lie_on_the_eyeballs_edge(head, landmarks):
    for part, eye in (("left_eye", topology.LEFT_EYE), ("right_eye", topology.RIGHT_EYE)):
        ball = head.base[head.vertices_of(part)]
        distance = np.linalg.norm(landmarks[list(eye)] - ball.mean(0), axis=1)
        assert (np.abs(distance - np.ptp(ball[:, 1]) / 2) < 0.06).all()


def test_the_tessellation_covers_the_face_but_neither_mouth_nor_eyes(head, landmarks):
    corners = landmarks[head.tessellation, :2]
    assert corners.shape == (852, 3, 2)
    edges = {frozenset(e) for t in head.tessellation.tolist() for e in zip(t, [*t[1:], t[0]], strict=True)}
    assert frozenset((13, 14)) not in edges
    assert frozenset((159, 145)) not in edges
    assert frozenset((10, 338)) in edges


def test_parts_are_where_a_person_has_them(head):
    upper, lower, tongue = (head.base[head.vertices_of(n)].mean(0) for n in ("upper_teeth", "lower_teeth", "tongue"))
    lips = head.base[head.masks["lips"] > 0.5].mean(0)
    assert upper[1] > lower[1]
    assert max(upper[2], lower[2], tongue[2]) < lips[2]
    assert head.masks["ears"][head.base[:, 0].argmax()] > 0.5
