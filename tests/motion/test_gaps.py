from __future__ import annotations

import numpy as np

from avatar.motion.gaps import bridge_gaps
from avatar.motion.layout import INDEX, N_MOTION

JAW, YAW = INDEX["jawOpen"], INDEX["yaw"]


def motion_with_gap(n_frames, first, last):
    """Jaw at 0.8 and yaw at 0.2 before the gap, 0.4 and -0.2 after it, zeros within."""
    motion = np.zeros((n_frames, N_MOTION), np.float32)
    motion[:first, [JAW, YAW]] = [0.8, 0.2]
    motion[last:, [JAW, YAW]] = [0.4, -0.2]
    known = np.ones(n_frames, bool)
    known[first:last] = False
    return motion, known


def test_a_short_gap_is_crossed_without_coming_to_rest():
    motion, known = motion_with_gap(20, 8, 13)
    bridged = bridge_gaps(motion, known)
    np.testing.assert_array_equal(bridged[known], motion[known])
    jaw, yaw = bridged[:, JAW], bridged[:, YAW]
    assert (np.diff(jaw) <= 1e-6).all()
    assert jaw.min() >= 0.399
    assert np.abs(np.diff(yaw)).max() < 0.11


def test_in_a_long_gap_the_face_comes_to_rest_and_leaves_it_smoothly():
    motion, known = motion_with_gap(100, 20, 80)
    bridged = bridge_gaps(motion, known)
    assert (bridged[30:70] == 0).all()
    assert bridged[24, JAW] > 0.3
    assert bridged[75, JAW] > 0.1
    assert np.abs(np.diff(bridged[:, JAW])).max() < 0.13


def test_before_the_first_known_frame_and_after_the_last_the_face_is_at_rest():
    motion, known = motion_with_gap(60, 0, 60)
    motion[30, JAW], known[30] = 0.8, True
    bridged = bridge_gaps(motion, known)
    assert (bridged[[0, 15, 45, 59]] == 0).all()
    assert 0 < bridged[25, JAW] < bridged[28, JAW] < 0.8
    assert bridged[31, JAW] > 0.7


def test_motion_that_is_known_throughout_is_unchanged():
    motion, _ = motion_with_gap(20, 8, 8)
    np.testing.assert_array_equal(bridge_gaps(motion, np.ones(20, bool)), motion)
