from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.motion.effort import effort, opened_by
from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD, SAMPLES_PER_FRAME, prosody
from avatar.motion.layout import INDEX, motion_from
from avatar.training import mixes

AROUND = CONDITION_PAST + LOOK_AHEAD


def babble(seconds=4):
    """Returns something as loud and as uneven as speech: tones that swell and fade five times a second."""
    time = np.arange(int(seconds * 16000)) / 16000
    tones = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 12))
    return (0.16 * tones * np.sin(np.pi * 2.5 * time) ** 2).astype(np.float32)


def test_plain_speech_takes_no_effort_and_a_shout_does():
    speech = babble()
    assert 0.2 < np.abs(speech).max() < 1
    assert not effort(prosody(speech)[:, 0]).any()
    assert effort(prosody(mixes.shouted(speech))[:, 0]).min() > 0.5


def test_silence_and_whispers_take_no_effort():
    assert not effort(np.zeros(AROUND + 10, np.float32)).any()
    assert not effort(prosody(0.1 * babble())[:, 0]).any()


def test_a_shout_opens_the_mouth_and_leaves_all_else():
    calm = motion_from({"jawOpen": 0.3, "mouthLowerDownLeft": 0.2, "mouthPucker": 0.4, "eyeBlinkLeft": 0.5, "yaw": 0.1})
    calm, loud = opened_by(np.stack([calm, calm]), np.float32([0, 1]))
    for name in ("jawOpen", "mouthLowerDownLeft"):
        assert loud[INDEX[name]] == pytest.approx(1.35 * calm[INDEX[name]])
    others = [index for name, index in INDEX.items() if name not in ("jawOpen", "mouthLowerDownLeft")]
    np.testing.assert_array_equal(loud[others], calm[others])


@given(st.lists(st.integers(4, 25), min_size=1, max_size=5))
def test_effort_joins_over_any_chunks(sizes):
    n_frames = sum(sizes)
    energy = np.random.default_rng(1).uniform(0.3, 1, AROUND + n_frames).astype(np.float32)
    ends = np.cumsum(sizes).tolist()
    parts = [effort(energy[end - size : end + AROUND]) for size, end in zip(sizes, ends, strict=True)]
    np.testing.assert_allclose(np.concatenate(parts), effort(energy), atol=1e-6)


def test_effort_has_one_value_a_frame():
    assert effort(prosody(np.zeros(40 * SAMPLES_PER_FRAME, np.float32))[:, 0]).shape == (40 - AROUND,)
