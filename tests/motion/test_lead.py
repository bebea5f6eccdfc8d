from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import INDEX, N_MOTION
from avatar.motion.lead import LEAD, LEADING, heard_early, shown_in_time
from avatar.motion.model import N_CHANNELS

OTHERS = [column for column in range(N_CHANNELS) if column not in LEADING]


def made(n_frames, start=0):
    """Channels whose every value is the index of its frame."""
    return np.tile(np.arange(start, start + n_frames, dtype=np.float32)[:, None], (1, N_CHANNELS))


def test_what_is_heard_comes_early_and_ends_with_the_last_frame():
    values = np.arange(10, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(heard_early(values)[:, 0], [*range(LEAD, 10), *[9] * LEAD])


def test_openness_and_contacts_lead_all_else():
    shown = shown_in_time(made(8, 20), made(20))
    for column in (INDEX["jawOpen"], N_MOTION, N_MOTION + 1):
        np.testing.assert_array_equal(shown[:, column], np.arange(20, 28))
    np.testing.assert_array_equal(shown[:, OTHERS], made(8, 20 - LEAD)[:, OTHERS])
    assert {INDEX["mouthPucker"], INDEX["mouthFunnel"], INDEX["pitch"]} <= set(OTHERS)


def test_the_first_frame_of_all_counts_where_none_was_made():
    shown = shown_in_time(made(5), made(0))
    np.testing.assert_array_equal(shown[:, OTHERS[0]], [*[0] * LEAD, *range(5 - LEAD)])


@pytest.mark.parametrize("sizes", [(4, 4, 12), (1, 1, 18), (20,)])
def test_chunks_join_however_they_are_cut(sizes):
    whole = np.random.default_rng(0).random((20, N_CHANNELS)).astype(np.float32)
    ends = np.cumsum(sizes)
    parts = [shown_in_time(whole[end - size : end], whole[: end - size]) for size, end in zip(sizes, ends, strict=True)]
    np.testing.assert_array_equal(np.concatenate(parts), shown_in_time(whole, whole[:0]))


def test_the_channels_given_stay_as_they_are():
    first, second = made(20), made(8, 20)
    shown_in_time(second, first)
    np.testing.assert_array_equal(second, made(8, 20))
