from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import INDEX, neutral
from avatar.motion.listening import Listener
from avatar.types import AvatarState

PITCH = INDEX["pitch"]
N = 3000


def heard(silence=0.2):
    """Forty phrases of 1.2 s with pauses of 1.8 s between them."""
    return np.tile(np.r_[np.full(30, 0.75), np.full(45, silence)], N // 75).astype(np.float32)


def nods(energy, *, state=AvatarState.LISTENING, sizes=(10,), known_ahead=100, seed=0):
    """Pitch over time while the user is heard; what lies further ahead than `known_ahead` frames is not known yet."""
    listener = Listener(np.random.default_rng(seed))
    padded = np.concatenate([np.zeros(18, np.float32), energy])
    chunks, start = [], 0
    while start < N:
        n = min(sizes[len(chunks) % len(sizes)], N - start)
        window = padded[start : start + 18 + n].copy()
        window[max(18 + known_ahead, 0) :] = 0
        chunks.append(listener.nod(neutral(n), start, window, (state,) * n))
        start += n
    return np.concatenate(chunks)[:, PITCH]


@pytest.mark.parametrize("known_ahead", [100, 0, -5])
@pytest.mark.parametrize("silence", [0.2, 0.0])
def test_most_phrases_of_the_user_end_with_a_nod_and_none_comes_while_they_speak(known_ahead, silence):
    pitch = nods(heard(silence), known_ahead=known_ahead)
    ends = np.arange(30, N, 75)
    nodded = [pitch[end : end + 28].min() < -0.03 for end in ends]
    assert 0.35 < np.mean(nodded) < 0.85
    assert all(pitch[end - 10 : end].min() > -1e-6 for end in ends[1:])


def test_a_speaking_or_idle_avatar_does_not_nod():
    for state in (AvatarState.SPEAKING, AvatarState.IDLE):
        assert not nods(heard(), state=state).any()


def test_nobody_nods_at_steady_noise_or_silence():
    for level in (0.0, 0.3, 0.7):
        assert not nods(np.full(N, level, np.float32)).any()


def test_nods_run_on_over_the_seams_of_chunks():
    steps = np.abs(np.diff(nods(heard(), sizes=(4, 7, 25))))
    assert steps.max() < 0.05


def test_the_same_seed_nods_alike():
    np.testing.assert_array_equal(nods(heard(), seed=3), nods(heard(), seed=3))
    assert not np.array_equal(nods(heard(), seed=3), nods(heard(), seed=4))
