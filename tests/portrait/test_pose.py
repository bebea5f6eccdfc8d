from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait.follow import Placed
from avatar.portrait.pose import PoseMeter, angles_of
from avatar.render.pose import rotation


@pytest.mark.parametrize("angles", [(0.3, 0.2, -0.1), (-0.35, -0.26, 0.21), (0.0, 0.25, 0.0)])
def test_angles_are_those_that_the_renderer_turns_by(angles):
    assert angles_of(rotation(*angles)) == pytest.approx(angles)


@pytest.fixture
def meter():
    reference = Placed(rotation(0.1, -0.05, 0.02), np.array([0.3, 0.1, -0.2]))
    return PoseMeter(reference, pivot=np.array([0.0, -1.0, -0.5]), interpupillary=0.6)


def test_the_reference_itself_is_at_rest(meter):
    np.testing.assert_allclose(meter.measure(meter.reference), np.zeros(6), atol=1e-9)


def test_a_head_turned_about_its_neck_does_not_seem_to_move(meter):
    turn, neck = rotation(0.3, 0.15, -0.1), meter.reference.apply(meter.pivot)
    later = Placed(turn @ meter.reference.rotation, turn @ (meter.reference.place - neck) + neck)
    np.testing.assert_allclose(meter.measure(later), [0.3, 0.15, -0.1, 0, 0, 0], atol=1e-9)


def test_moves_are_told_in_distances_between_the_eyes(meter):
    later = Placed(meter.reference.rotation, meter.reference.place + np.array([0.3, -0.06, 0.6]))
    np.testing.assert_allclose(meter.measure(later), [0, 0, 0, 0.5, -0.1, 1.0], atol=1e-9)
