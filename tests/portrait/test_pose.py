from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import N_BLENDSHAPES
from avatar.portrait.fit import Fit, Pose
from avatar.portrait.pose import PoseMeter, angles_of
from avatar.render.pose import rotation


@pytest.mark.parametrize("angles", [(0.3, 0.2, -0.1), (-0.35, -0.26, 0.21), (0.0, 0.25, 0.0)])
def test_angles_are_those_that_the_renderer_turns_by(angles):
    assert angles_of(rotation(*angles)) == pytest.approx(angles)


@pytest.fixture
def meter(fitter):
    pose = Pose(rotation(0.1, -0.05, 0.02), 200.0, np.array([500.0, -500.0, 0.0]))
    identity = np.zeros(len(fitter.head.identity))
    return PoseMeter.of(fitter, Fit(pose, identity, np.zeros(N_BLENDSHAPES), 0.0))


@pytest.mark.model
def test_the_reference_itself_is_at_rest(meter):
    np.testing.assert_allclose(meter.measure(meter.reference), np.zeros(6), atol=1e-9)


@pytest.mark.model
def test_a_head_turned_about_its_neck_does_not_seem_to_move(meter):
    """Where a pinhole camera sees a turned head is what the meter must undo."""
    turn = rotation(0.3, 0.15, -0.1)
    first = meter.reference
    distance = 6 * meter.face_width + meter.nearest
    arm = first.rotation @ (meter.middle - meter.pivot)
    moved = (turn - np.eye(3)) @ arm
    depth = moved[2]
    axis = np.array([arm[0], arm[1] - 0.5 * meter.face_width])
    zoom = distance / (distance - depth)
    seen = first.apply(meter.middle)
    seen[:2] += first.scale * ((axis + moved[:2]) * zoom - axis)
    scale, turned = first.scale * zoom, turn @ first.rotation
    later = Pose(turned, scale, seen - scale * turned @ meter.middle)
    np.testing.assert_allclose(meter.measure(later), [0.3, 0.15, -0.1, 0, 0, 0], atol=1e-9)


@pytest.mark.model
def test_a_larger_picture_means_a_nearer_head(meter):
    first = meter.reference
    nearer = Pose(
        first.rotation, first.scale * 1.1, first.translation - 0.1 * first.scale * first.rotation @ meter.middle
    )
    assert meter.measure(nearer)[5] > 0.3
    shifted = Pose(first.rotation, first.scale, first.translation + np.array([20.0, -10.0, 0.0]))
    expected = np.array([20, -10]) / (first.scale * meter.interpupillary)
    np.testing.assert_allclose(meter.measure(shifted)[3:5], expected, rtol=1e-6)
