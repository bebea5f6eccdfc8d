from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import INDEX
from avatar.portrait import topology
from avatar.portrait.fitted import ears_of, exact_vertices, fit_landmarks, head_fit, landmark_deltas

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def fit(fitter, seen):
    return fit_landmarks(fitter, seen)


@pytest.fixture(scope="module")
def fitted(fitter, fit, seen):
    return head_fit(fitter.head, fit, exact_vertices(fitter.head, fit, seen.points))


def test_the_fit_is_near_and_the_bent_mesh_is_exact(fitter, fitted, seen):
    assert fitted.residual < 0.0125
    errors = fitter.head.at_landmarks(fitted.vertices)[:, :2] * [1, -1] - seen.points[:, :2]
    width = np.ptp(seen.points[:, 0])
    assert np.sqrt((errors**2).sum(1).mean()) < 0.0015 * width


def test_the_ears_lie_on_both_sides_beside_the_face(fitter, fitted, seen):
    left, right = ears_of(fitter.head, fitted.vertices)
    outline = seen.points[list(topology.OVAL), :2]
    width = np.ptp(outline[:, 0])
    for ear, edge, side in ((left, outline[:, 0].min(), -1), (right, outline[:, 0].max(), 1)):
        assert 0 < side * (ear[:, 0] - edge).mean() < 0.2 * width
        assert outline[:, 1].min() < ear[:, 1].mean() < outline[:, 1].max()


def test_eyeballs_and_teeth_move_as_wholes(fitter, fit, fitted):
    head = fitter.head
    shape = head.base + np.tensordot(fit.identity, head.identity, 1) + np.tensordot(fit.expression, head.units, 1)
    moved = fitted.vertices - fit.pose.apply(shape)
    for part in ("left_eye", "right_eye", "upper_teeth", "lower_teeth", "tongue"):
        np.testing.assert_allclose(moved[head.vertices_of(part)].std(0), 0, atol=1e-3)


def test_the_astronaut_is_seen_to_smile(fit):
    assert fit.expression[INDEX["mouthSmileLeft"]] > 0.2
    assert fit.expression[INDEX["mouthSmileRight"]] > 0.2
    assert fit.expression[INDEX["eyeBlinkLeft"]] < 0.2


def test_closing_the_mouth_cancels_an_open_jaw(fitter, fitted):
    deltas = landmark_deltas(fitter.head, fitted)
    both = deltas[INDEX["jawOpen"]] + deltas[INDEX["mouthClose"]]
    upper, lower = both[list(topology.LIP_INNER_UPPER[1:-1])], both[list(topology.LIP_INNER_LOWER[1:-1])]
    np.testing.assert_allclose(upper, lower, atol=1e-4)
    opened = deltas[INDEX["jawOpen"]]
    assert opened[14, 1] - opened[13, 1] < -10
