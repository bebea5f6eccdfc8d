from __future__ import annotations

import numpy as np

from avatar.motion.glances import Glance, glances, sight
from avatar.types import AvatarState

LONG = 25 * 240


def seen(state, seed=0, n_frames=LONG):
    return glances(Glance(state=state), (state,) * n_frames, np.random.default_rng(seed))


def share_away(state):
    direction, _ = sight(seen(state))
    return float((np.degrees(np.linalg.norm(direction, axis=1)) > 2.5).mean())


def test_a_listener_looks_at_the_viewer_and_a_thinker_away():
    assert share_away(AvatarState.LISTENING) < 0.15
    assert share_away(AvatarState.LISTENING) < share_away(AvatarState.SPEAKING) < share_away(AvatarState.THINKING)
    assert share_away(AvatarState.THINKING) > 0.5


def test_eyes_jump_and_then_rest():
    direction, _ = sight(seen(AvatarState.IDLE))
    steps = np.degrees(np.linalg.norm(np.diff(direction, axis=0), axis=1))
    assert np.median(steps) == 0
    assert 0.5 < (steps > 1).sum() / 240 * 2 < 3
    assert steps.max() < 25


def test_the_head_follows_smoothly():
    _, head = sight(seen(AvatarState.THINKING))
    assert np.degrees(np.abs(np.diff(head, axis=0))).max() < 1.0
    assert np.degrees(head).std() > 1


def test_a_change_of_state_is_noticed_within_a_third_of_a_second():
    for seed in range(20):
        random = np.random.default_rng(seed)
        before = glances(Glance(due=500), (AvatarState.LISTENING,) * 20, random)[-1]._replace(due=500)
        after = glances(before, (AvatarState.THINKING,) * 10, random)
        assert after[-1].aim != before.aim


def test_chunks_of_any_size_give_the_same_glances():
    states = (AvatarState.IDLE,) * 40 + (AvatarState.THINKING,) * 40
    whole = glances(Glance(), states, np.random.default_rng(1))
    random, parts = np.random.default_rng(1), []
    for start in range(0, 80, 7):
        parts += glances(parts[-1] if parts else Glance(), states[start : start + 7], random)
    assert parts == whole
