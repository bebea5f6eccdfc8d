from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait.landmarks import Landmarks
from avatar.portrait.types import Iris
from avatar.training import real_clips


def face(gap):
    points = np.zeros((468, 3), np.float32)
    points[33, 0], points[263, 0] = -1, 1
    for upper, lower in ((13, 14), (82, 87), (312, 317)):
        points[upper, 1], points[lower, 1] = -gap / 2, gap / 2
    iris = Iris(np.zeros(2, np.float32), 0.0, np.zeros((0, 2), np.float32))
    return Landmarks(points, 1.0, (iris, iris))


def test_the_aperture_is_the_lips_distance_over_that_of_the_eyes():
    values = real_clips.aperture([face(0.2), None, face(0.6)])
    np.testing.assert_allclose(values, [0.1, np.nan, 0.3], rtol=1e-5)


def test_a_late_copy_of_the_real_mouth_is_found_with_its_lag():
    real = np.random.default_rng(0).random(300).astype(np.float32)
    late = np.roll(real, 2)
    found = real_clips.figures({"real": real, "rendered": late, "coefficients": real, "energy": 1 - real})
    assert found["rendered"] == pytest.approx(1, abs=0.02)
    assert found["rendered lag"] == 2
    assert found["coefficients lag"] == 0


def test_how_far_lips_open_is_told_without_their_extremes():
    real = np.linspace(0, 1, 1001, dtype=np.float32)
    found = real_clips.figures({"real": real, "rendered": 0.5 * real, "coefficients": real, "energy": 0 * real})
    assert found["real span"] == pytest.approx(0.93)
    assert found["rendered span"] == pytest.approx(0.465)
    assert found["energy span"] == 0


def test_slower_lips_are_told_apart_from_quick_ones():
    time = np.arange(300, dtype=np.float32) / 25
    slow, quick = (0.1 * np.sin(2 * np.pi * rate * time) for rate in (1, 3))
    found = real_clips.figures({"real": slow, "rendered": quick, "coefficients": slow, "energy": slow})
    assert found["rendered speed"] > 2.5 * found["real speed"]
    assert found["rendered jerk"] > 15 * found["real jerk"]
    assert found["real speed"] == pytest.approx(0.2 * np.pi, rel=0.05)
    assert found["coefficients at no lag"] == 1
