from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avatar.motion.states import STATES, control_values, ease, one_hot
from avatar.motion.types import Controls
from avatar.types import AvatarState


def test_each_state_has_its_own_column():
    np.testing.assert_array_equal(one_hot(STATES), np.eye(4))


def test_a_change_of_state_is_gradual_and_done_in_half_a_second():
    states = [AvatarState.LISTENING] * 3 + [AvatarState.SPEAKING] * 13
    speaking = ease(one_hot(states), None)[:, STATES.index(AvatarState.SPEAKING)]
    assert (speaking[:3] == 0).all()
    assert np.diff(speaking).max() < 0.25
    assert speaking[-1] > 0.95


@given(cut=st.integers(1, 19), states=st.lists(st.sampled_from(STATES), min_size=20, max_size=20))
def test_easing_in_two_pieces_equals_easing_at_once(cut, states):
    targets = one_hot(states)
    first = ease(targets[:cut], None)
    whole = np.concatenate([first, ease(targets[cut:], first[-1])])
    np.testing.assert_array_equal(whole, ease(targets, None))


def test_natural_controls_are_zero():
    assert not control_values(Controls()).any()
    np.testing.assert_allclose(control_values(Controls(1.5, 0.5, (0.2, -0.3))), [0.5, -0.5, 0.2, -0.3])
