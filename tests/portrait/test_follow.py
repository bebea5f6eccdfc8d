from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.portrait.fit import Fit, Pose
from avatar.portrait.follow import Followed, HeadFollower, Placed, View
from avatar.render.pose import rotation

STILL = np.zeros(N_BLENDSHAPES)


def seen(follower, shape, placed):
    """Landmarks as the model gives them: pixels, y down, depth in pixels from no particular zero."""
    there = placed.apply(shape)
    points = np.column_stack([follower.view.project(there), follower.view.scale * there[:, 2] - 30.0])
    return points * [1.0, -1.0, -1.0]


@pytest.fixture
def follower(fitter, rng):
    identity = rng.normal(0, 0.5, len(fitter.head.identity))
    pose = Pose(rotation(0.05, -0.1, 0.02), 200.0, np.array([500.0, -480.0, 0.0]))
    return HeadFollower(fitter, identity, Fit(pose, identity, STILL, 0.0))


def test_slopes_are_how_the_picture_changes(rng):
    view = View(np.array([200.0, -300.0]), 150.0, 9.0)
    points, step = rng.normal(0, 0.5, (4, 3)), rng.normal(0, 1e-6, (4, 3))
    change = view.project(points + step) - view.project(points)
    np.testing.assert_allclose(np.einsum("npi,ni->np", view.slopes(points), step), change, rtol=1e-4, atol=1e-9)


@pytest.mark.model
@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.35, 0.1, -0.1), (-0.3, -0.2, 0.15)])
def test_a_near_head_that_turns_and_speaks_gives_back_its_pose_and_expression(follower, angles):
    expression = STILL.copy()
    expression[[INDEX["jawOpen"], INDEX["mouthSmileLeft"]]] = 0.4, 0.6
    placed = Placed(rotation(*angles), np.array([0.1, -0.1, 0.5]))
    points = seen(follower, follower.shape(expression), placed)
    found = None
    for _ in range(3):
        found = follower.follow(points, found)
    assert found.residual < 0.003
    np.testing.assert_allclose(found.placed.rotation, placed.rotation, atol=0.02)
    np.testing.assert_allclose(found.placed.place, placed.place, atol=0.05)
    assert found.expression[INDEX["jawOpen"]] == pytest.approx(0.4, abs=0.08)
    assert found.expression[INDEX["mouthSmileLeft"]] == pytest.approx(0.6, abs=0.2)


@pytest.mark.model
def test_what_all_views_agree_on_becomes_part_of_the_head(follower, rng):
    """Also in depth, which only turned views show."""
    odd = rng.normal(0, 0.02, (468, 3))
    views = []
    for yaw in (-0.4, -0.2, 0.0, 0.2, 0.4):
        placed = Placed(rotation(yaw, 0.1, 0.0), np.zeros(3))
        views.append((seen(follower, follower.shape(STILL) + odd, placed), Followed(placed, STILL, 0.0)))
    before = follower.shape(STILL)
    follower.correct(views)
    left = before + odd - follower.shape(STILL)
    assert np.sqrt((left[:, :2] ** 2).mean()) < 0.002
    assert np.sqrt((left[:, 2] ** 2).mean()) < 0.008


@pytest.mark.model
def test_what_is_known_is_not_fitted(follower):
    expression = STILL.copy()
    expression[INDEX["eyeBlinkLeft"]] = 0.8
    points = seen(follower, follower.shape(expression), Placed(np.eye(3), np.zeros(3)))
    found = follower.follow(points, known={"eyeBlinkLeft": 0.3, "eyeLookUpRight": 0.2})
    assert found.expression[INDEX["eyeBlinkLeft"]] == pytest.approx(0.3)
    assert found.expression[INDEX["eyeLookUpRight"]] == pytest.approx(0.2)
    assert found.expression[INDEX["eyeLookUpLeft"]] == 0.0
