from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.portrait.fit import Pose, bounded_ridge, similarity


def turn(yaw, pitch, roll):
    y, p, r = np.deg2rad([yaw, -pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def test_a_similarity_is_recovered_and_undone(rng):
    pose = Pose(turn(20, -10, 5), 240.0, np.array([500.0, -480.0, 30.0]))
    points = rng.normal(size=(60, 3))
    found = similarity(points, pose.apply(points), rng.uniform(0.2, 1, 60))
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-9)
    assert found.scale == pytest.approx(240)
    np.testing.assert_allclose(found.back(found.apply(points)), points, atol=1e-9)


def test_bounded_ridge_meets_the_conditions_of_optimality(rng):
    root = rng.normal(size=(12, 12))
    matrix, target = root @ root.T + 0.1 * np.eye(12), rng.normal(size=12) * 3
    x = bounded_ridge(matrix, target, np.full(12, -0.2), np.full(12, 0.3), np.zeros(12), 5000)
    slope = matrix @ x - target
    assert (x >= -0.2).all()
    assert (x <= 0.3).all()
    free = (x > -0.2) & (x < 0.3)
    assert 0 < free.sum() < 12
    np.testing.assert_allclose(slope[free], 0, atol=1e-3)
    assert (slope[x == -0.2] > -1e-3).all()
    assert (slope[x == 0.3] < 1e-3).all()


def drawn(fitter, identity, expression, pose):
    return pose.apply(fitter.shape(identity, expression)) * [1, -1, -1]


@pytest.fixture
def pose():
    return Pose(turn(12, -6, 4), 210.0, np.array([512.0, -540.0, 0.0]))


@pytest.fixture
def identity(fitter, rng):
    return rng.normal(size=len(fitter.head.identity)) * 0.5


@pytest.mark.model
def test_a_synthetic_face_gives_back_its_pose_and_expression(fitter, identity, pose):
    expression = np.zeros(N_BLENDSHAPES)
    expression[[INDEX["jawOpen"], INDEX["mouthSmileLeft"], INDEX["eyeBlinkRight"], INDEX["browInnerUp"]]] = (
        *(0.5, 0.6, 0.7),
        0.4,
    )
    fit = fitter.fit(drawn(fitter, identity, expression, pose))
    assert fit.residual < 0.004
    np.testing.assert_allclose(fit.pose.rotation, pose.rotation, atol=0.03)
    assert fit.pose.scale == pytest.approx(210, rel=0.03)
    found = {name: fit.expression[INDEX[name]] for name in ("jawOpen", "mouthSmileLeft", "eyeBlinkRight")}
    assert found["jawOpen"] == pytest.approx(0.5, abs=0.12)
    assert found["mouthSmileLeft"] == pytest.approx(0.6, abs=0.25)
    assert found["eyeBlinkRight"] == pytest.approx(0.7, abs=0.2)
    assert fit.expression[INDEX["mouthSmileRight"]] < 0.15
    assert fit.expression[INDEX["eyeBlinkLeft"]] < 0.1


@pytest.mark.model
def test_gaze_is_taken_as_told_and_never_guessed(fitter, identity, pose):
    points = drawn(fitter, identity, np.zeros(N_BLENDSHAPES), pose)
    assert fitter.fit(points).expression[INDEX["eyeLookOutLeft"]] == 0
    told = fitter.fit(points, known={"eyeLookOutLeft": 0.4})
    assert told.expression[INDEX["eyeLookOutLeft"]] == pytest.approx(0.4)
