from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait.blink import blinks_of, bridge, eye_openness


def test_openness_is_the_gap_over_the_width():
    lower = np.column_stack([np.linspace(0, 30, 9), np.full(9, 3.0)])
    upper = np.column_stack([np.linspace(3.75, 26.25, 7), np.full(7, -3.0)])
    assert eye_openness(np.vstack([lower, upper])) == pytest.approx(0.2)


def series(dip, length):
    openness = np.full((100, 1), 0.3)
    openness[40 : 40 + length] = dip
    return blinks_of(openness)[:, 0]


def test_a_short_closure_is_a_full_blink_in_the_same_frames():
    blink = series(0.1, 4)
    assert (blink[40:44] == 1).all()
    assert (blink[:40] == 0).all()
    assert (blink[44:] == 0).all()


def test_a_long_lowering_of_the_lids_is_no_blink():
    assert series(0.2, 30)[50:60].max() == 0


def test_eyes_that_are_narrow_by_nature_blink_just_as_fully():
    openness = np.full((60, 1), 0.15)
    openness[20:23] = 0.06
    assert blinks_of(openness)[21, 0] == 1


def test_hidden_gaze_is_carried_over_a_blink():
    values = np.array([[0.0], [9.0], [9.0], [3.0]])
    result = bridge(values, np.array([False, True, True, False]))
    np.testing.assert_allclose(result[:, 0], [0, 1, 2, 3])
    np.testing.assert_array_equal(bridge(values, np.ones(4, bool)), values)
