from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.room.mixer import Mixer


def ramp(n_samples: int, height: float = 0.5) -> np.ndarray:
    return np.linspace(0, height, n_samples, dtype=np.float32)


@given(st.lists(st.integers(0, 700), min_size=1, max_size=8))
def test_one_microphone_is_passed_on_at_once(lengths: list[int]):
    mixer = Mixer()
    sound = ramp(sum(lengths))
    parts = np.split(sound, np.cumsum(lengths)[:-1])
    np.testing.assert_array_equal(np.concatenate([mixer.push("a", part) for part in parts]), sound)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 400)), min_size=1, max_size=30))
def test_two_microphones_add_up_whatever_pieces_they_come_in(pieces: list[tuple[bool, int]]):
    mixer, sent = Mixer(), {"a": 0, "b": 0}
    mixer.push("a", np.zeros(0, np.float32))
    mixer.push("b", np.zeros(0, np.float32))
    mixed = 0.0
    for first, length in pieces:
        name = "a" if first else "b"
        sent[name] += length
        mixed += float(mixer.push(name, np.full(length, 0.25, np.float32)).sum())
    least = min(sent.values())
    assert mixed >= 2 * 0.25 * least - 1e-3
    assert mixed <= 0.25 * sum(sent.values()) + 1e-3


def test_nobody_waits_for_a_microphone_that_sends_nothing():
    mixer = Mixer()
    mixer.push("silent", np.zeros(0, np.float32))
    heard = sum(len(mixer.push("a", ramp(320))) for _ in range(20))
    assert heard == 20 * 320 - 1600


def test_who_leaves_holds_nobody_up():
    mixer = Mixer()
    mixer.push("gone", np.zeros(0, np.float32))
    assert len(mixer.push("a", ramp(320))) == 0
    assert len(mixer.remove("gone")) == 320
    assert len(mixer.remove("a")) == 0


def test_voices_that_add_up_to_more_than_full_scale_are_clipped():
    mixer = Mixer()
    mixer.push("a", np.full(10, 0.8, np.float32))
    mixer.push("b", np.zeros(0, np.float32))
    mixer.push("a", np.full(10, 0.8, np.float32))
    assert mixer.push("b", np.full(10, 0.8, np.float32)).max() == 1.0
