from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.continuity import BLINK_CURVE, LIDS, blinking, continued
from avatar.motion.layout import INDEX, neutral

YAW, JAW = INDEX["yaw"], INDEX["jawOpen"]


def test_a_slow_head_goes_on_from_where_it_was():
    before = neutral(2)
    before[:, YAW] = (0.10, 0.11)
    after = neutral(25)
    joined = continued(after, before)
    assert joined[0, YAW] == pytest.approx(0.116)
    assert np.abs(np.diff(joined[:, YAW])).max() < 0.02
    assert abs(joined[-1, YAW]) < 0.003


def test_lips_follow_the_sound_and_nothing_else():
    before, after = neutral(2), neutral(8)
    before[:, JAW] = 0.5
    np.testing.assert_array_equal(continued(after, before), after)


def test_the_first_chunk_is_left_as_it_is():
    after = np.random.default_rng(0).uniform(0, 1, (8, 58)).astype(np.float32)
    np.testing.assert_array_equal(continued(after, neutral(0)), after)


def ragged(*frames, n_frames=40):
    motion = neutral(n_frames)
    for frame in frames:
        motion[frame, LIDS] = 0.7
    return motion


def test_ragged_lids_become_one_whole_blink():
    shaped, _ = blinking(ragged(5, 7, 8), 100)
    for lid in LIDS:
        np.testing.assert_allclose(shaped[5:12, lid], BLINK_CURVE)
        assert not shaped[:5, lid].any()
        assert not shaped[12:, lid].any()


def test_lids_that_rest_low_stay_there():
    motion = neutral(10)
    motion[:, LIDS] = 0.1
    np.testing.assert_array_equal(blinking(motion, 100)[0], motion)


@pytest.mark.parametrize("cut", [1, 6, 7, 10, 25])
def test_a_blink_over_a_seam_is_the_same_as_in_one_chunk(cut):
    motion = ragged(5, 6, 20, 21, 33)
    whole, counts = blinking(motion, 100)
    first, first_counts = blinking(motion[:cut], 100)
    second, second_counts = blinking(motion[cut:], int(first_counts[-1]))
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_array_equal(np.concatenate([first_counts, second_counts]), counts)
