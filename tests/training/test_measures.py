from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import INDEX, neutral
from avatar.training import measures

OPEN, CLOSED = 0.1, 0.0


def gap_with(*closed, n_frames=50):
    gap = np.full(n_frames, OPEN, np.float32)
    gap[list(closed)] = CLOSED
    return gap


def test_a_closure_counts_within_sixty_milliseconds_of_its_contact():
    phones = [("p", 0.40, 0.46), ("a", 0.46, 0.9), ("m", 1.0, 1.2)]
    assert measures.closure_recall(gap_with(10, 26), phones) == (2, 2)
    assert measures.closure_recall(gap_with(13, 24), phones) == (1, 2)
    assert measures.closure_recall(gap_with(13, 22), phones) == (0, 2)
    assert measures.closure_recall(gap_with(29), phones) == (0, 2)


def test_a_tuck_is_the_lower_lip_rolled_in():
    motion = neutral(20)
    motion[5, INDEX["mouthRollLower"]] = 0.4
    assert measures.tuck_recall(motion, [("f", 0.2, 0.26), ("v", 0.6, 0.66), ("p", 0.2, 0.3)]) == (1, 2)


def test_closures_far_from_every_wanted_one_are_false():
    made, wanted = gap_with(10, 11, 20, 40), gap_with(12, 41)
    assert measures.false_closures(made, wanted) == (1, 3)


def test_rest_is_not_speaking_or_a_long_silence():
    speaking = np.zeros(100, bool)
    speaking[20:80] = True
    rest = measures.rest_frames(speaking, [("a", 0.9, 1.2), ("_", 1.2, 1.5), ("o", 2.4, 2.6)])
    assert rest[:15].all()
    assert not rest[17:48].any()
    assert rest[49:53].all()
    assert not rest[54:80].any()
    assert rest[-10:].all()


def test_correlation_finds_the_lag_of_a_late_curve():
    curve = np.random.default_rng(0).normal(size=200)
    value, lag = measures.correlation(np.roll(curve, 3), curve)
    assert lag == 3
    assert value == pytest.approx(1)


def test_a_wink_is_no_blink():
    motion = neutral(30)
    motion[5:8, INDEX["eyeBlinkLeft"]] = 1
    motion[15:18, INDEX["eyeBlinkLeft"]] = motion[15:18, INDEX["eyeBlinkRight"]] = 0.9
    np.testing.assert_array_equal(measures.blink_starts(motion), [15])


def test_a_jump_at_a_seam_raises_the_boundary_ratio():
    motion = np.cumsum(np.random.default_rng(0).normal(0, 0.01, (400, 58)), axis=0)
    seams = range(0, 400, 20)
    assert measures.boundary_ratio(motion, seams) == pytest.approx(1, abs=0.1)
    jumpy = motion + 0.05 * (np.arange(400) // 20 % 2)[:, None]
    assert measures.boundary_ratio(jumpy, seams) > 2
