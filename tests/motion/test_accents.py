from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.accents import Emphasis, accent_curves, emphasised
from avatar.motion.features import LOOK_AHEAD

SYLLABLES = range(30, 400, 20)


def energy(n_frames=420):
    """Level of speech with a stressed syllable every 0.8 s."""
    level = np.full(n_frames, 0.6, np.float32)
    for frame in SYLLABLES:
        level[frame - 2 : frame + 3] += np.float32((0.03, 0.07, 0.09, 0.07, 0.03))
    return level


def judged(level, sizes, seed=0):
    """Accents at each frame, made in chunks of the given sizes in turn."""
    random, held, start = np.random.default_rng(seed), [], 2
    while start + max(sizes) + LOOK_AHEAD < len(level):
        n = sizes[len(held) % len(sizes)]
        before = held[-1] if held else Emphasis()
        held += emphasised(before, start, level[start - 2 : start + n + LOOK_AHEAD], random)
        start += n
    return held


def test_the_head_dips_on_many_stressed_syllables_and_nowhere_else():
    accents = {accent for one in judged(energy(), (12,)) for accent in one.accents}
    tops = {round(accent.start + 25 * accent.rise) for accent in accents}
    assert 0.3 * len(SYLLABLES) < len(tops) < 0.9 * len(SYLLABLES)
    assert all(min(abs(top - frame) for frame in SYLLABLES) <= 1 for top in tops)


def test_a_dip_is_down_and_over_within_a_second():
    held = judged(energy(), (12,))
    curves = accent_curves(held, 2)
    assert np.degrees(curves[:, 1].min()) < -1
    assert curves[:, 1].max() <= 0
    assert (np.abs(curves).sum(axis=1) == 0).mean() > 0.2
    assert np.degrees(np.abs(np.diff(curves[:, :3], axis=0))).max() < 2.5


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_silence_and_noise_far_below_speech_have_no_accents(level):
    random = np.random.default_rng(0)
    quiet = (level + 0.1 * random.random(300)).astype(np.float32)
    assert not any(one.accents for one in judged(quiet, (25,)))


def test_chunks_of_any_size_give_the_same_accents():
    whole = judged(energy(), (25,))
    parts = judged(energy(), (7,))
    n = min(len(whole), len(parts))
    assert whole[:n] == parts[:n]
