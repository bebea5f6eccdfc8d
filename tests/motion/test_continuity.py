from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.continuity import BLINK_CURVE, LIDS, BlinkClock, blink_interval, blinking, continued, steadied
from avatar.motion.layout import INDEX, neutral

YAW, PITCH, JAW = INDEX["yaw"], INDEX["pitch"], INDEX["jawOpen"]


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


def test_a_trembling_head_is_steadied_and_a_nod_is_kept():
    trembling, nodding = neutral(50), neutral(50)
    trembling[:, [PITCH, JAW]] = np.random.default_rng(0).standard_normal((50, 2))
    nodding[:, PITCH] = -0.08 * np.sin(2 * np.pi * 2.5 * np.arange(50) / 25)
    steady = steadied(trembling, neutral(2))
    jerk, jerk_before = (np.abs(np.diff(motion[:, PITCH], n=3)).mean() for motion in (steady, trembling))
    assert jerk < 0.25 * jerk_before
    np.testing.assert_array_equal(steady[:, JAW], trembling[:, JAW])
    assert np.ptp(steadied(nodding, neutral(2))[:, PITCH]) > 0.75 * np.ptp(nodding[:, PITCH])


def test_a_head_that_turns_evenly_stays_as_it_is_when_steadied():
    motion = neutral(14)
    motion[:, YAW] = np.arange(14) / 100
    np.testing.assert_allclose(steadied(motion[2:], motion[:2])[:, YAW], motion[2:, YAW], atol=1e-6)


def ragged(*frames, n_frames=40):
    motion = neutral(n_frames)
    for frame in frames:
        motion[frame, LIDS] = 0.7
    return motion


RESTED = BlinkClock(90, 100)


def far():
    return 100


def test_ragged_lids_late_in_the_interval_become_one_whole_blink():
    shaped, _ = blinking(ragged(5, 7, 8, n_frames=15), BlinkClock(80, 100), far)
    for lid in LIDS:
        np.testing.assert_allclose(shaped[5:12, lid], BLINK_CURVE)
        assert not shaped[:5, lid].any()
        assert not shaped[12:, lid].any()


def test_lids_that_fall_soon_after_a_blink_do_not_blink():
    shaped, _ = blinking(ragged(5), BlinkClock(10, 100), far)
    assert shaped[:, LIDS].max() < 0.2


def test_a_blink_comes_when_it_is_due_though_the_network_has_none():
    shaped, clocks = blinking(neutral(20), RESTED, far)
    np.testing.assert_allclose(shaped[9:16, LIDS[0]], BLINK_CURVE)
    assert clocks[9] == (0, 100)


def test_lids_that_rest_low_stay_there():
    motion = neutral(8)
    motion[:, LIDS] = 0.1
    np.testing.assert_array_equal(blinking(motion, RESTED, far)[0], motion)


def test_intervals_between_blinks_are_log_normal_about_sixteen_a_minute():
    random = np.random.default_rng(0)
    seconds = np.array([blink_interval(random) for _ in range(4000)]) / 25
    assert 60 / seconds.mean() == pytest.approx(15.5, abs=0.5)
    assert np.log(seconds).std() == pytest.approx(0.5, abs=0.03)
    assert seconds.min() >= 0.7


@pytest.mark.parametrize("cut", [1, 6, 7, 10, 25])
def test_a_blink_over_a_seam_is_the_same_as_in_one_chunk(cut):
    motion = ragged(5, 6, 20, 21, 33)
    whole, clocks = blinking(motion, RESTED, far)
    first, first_clocks = blinking(motion[:cut], RESTED, far)
    second, second_clocks = blinking(motion[cut:], first_clocks[-1], far)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    assert [*first_clocks, *second_clocks] == clocks
