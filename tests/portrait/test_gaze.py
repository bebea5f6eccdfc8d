from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait.gaze import FULL_SIDEWAYS, GazeMeter, look_coefficients
from avatar.portrait.types import Iris


def test_looking_to_the_pictures_right_is_out_for_the_left_eye_and_in_for_the_right():
    looks = look_coefficients(FULL_SIDEWAYS / 2, 0.0)
    assert looks["eyeLookOutLeft"] == pytest.approx(0.5)
    assert looks["eyeLookInRight"] == pytest.approx(0.5)
    assert looks["eyeLookInLeft"] == looks["eyeLookOutRight"] == 0
    assert len(looks) == 8


def test_a_gaze_beyond_the_unit_is_clipped():
    assert look_coefficients(0.0, -2.0)["eyeLookDownLeft"] == 1
    assert look_coefficients(0.0, -2.0)["eyeLookUpLeft"] == 0


@pytest.mark.model
def test_moving_the_irises_moves_the_gaze(fitter, seen):
    fit = fitter.fit(seen.points)
    meter = GazeMeter(fitter)
    right, up = meter.angles(fit, seen.points, seen.irises)
    assert abs(np.rad2deg(right)) < 10
    assert abs(np.rad2deg(up)) < 10
    shift = np.array([3.0, -1.5])
    moved = tuple(Iris(iris.centre + shift, iris.radius, iris.contour) for iris in seen.irises)
    further_right, further_up = meter.angles(fit, seen.points, moved)
    assert further_right > right + 0.2
    assert further_up > up + 0.1
