from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.bearing import at_rest, borne
from avatar.motion.continuity import LIDS
from avatar.motion.features import LOOK_AHEAD
from avatar.motion.layout import INDEX, N_BLENDSHAPES, neutral
from avatar.types import AvatarState

TURNS = [INDEX["yaw"], INDEX["pitch"], INDEX["roll"]]


def silence(n_frames):
    return np.zeros(2 + n_frames + LOOK_AHEAD, np.float32)


def live(motion, states, *, size=25, seed=0, liveliness=1.0):
    """Bearing on motion, in chunks."""
    random, before, chunks = np.random.default_rng(seed), at_rest(states[0]), []
    for start in range(0, len(motion), size):
        part, asked = motion[start : start + size], states[start : start + size]
        amount = np.full(len(part), liveliness)
        made, held = borne(part, start, silence(len(part)), asked, amount, before, random)
        before = held[-1]
        chunks.append(made)
    return np.concatenate(chunks)


@pytest.mark.parametrize("state", list(AvatarState))
def test_a_still_face_comes_alive_and_stays_near_its_place(state):
    motion = live(neutral(25 * 120), (state,) * (25 * 120))
    angles = np.degrees(motion[:, TURNS])
    assert (angles.std(axis=0) > 0.4).all()
    assert np.abs(angles).max() < 14
    assert np.linalg.norm(np.diff(angles, axis=0), axis=1).max() < 1.2


def test_the_eyes_stay_on_the_viewer_while_the_head_turns():
    turning = neutral(100)
    turning[:, INDEX["yaw"]] = 0.1 * np.sin(np.arange(100) / 8)
    motion = live(turning, (AvatarState.LISTENING,) * 100)
    sideways = motion[:, INDEX["eyeLookOutLeft"]] - motion[:, INDEX["eyeLookInLeft"]]
    sight = np.degrees(motion[:, INDEX["yaw"]]) + 30 * sideways
    assert np.median(np.abs(sight)) < 2


def test_trembling_lids_are_steadied_and_blinks_are_kept():
    motion = neutral(60)
    motion[:, LIDS] = np.random.default_rng(0).uniform(0, 0.15, (60, 1))
    motion[30:35, LIDS] = 0.9
    lids = live(motion, (AvatarState.IDLE,) * 60)[:, LIDS[0]]
    assert np.abs(np.diff(lids[:30])).max() < 0.02
    assert (lids[30:35] == np.float32(0.9)).all()


def test_a_far_turned_head_is_held_back():
    far = neutral(50)
    far[:, INDEX["yaw"]] = 0.6
    assert np.degrees(live(far, (AvatarState.THINKING,) * 50)[:, INDEX["yaw"]]).max() < 16


def test_without_liveliness_only_breath_and_gaze_move_the_head():
    calm = live(neutral(500), (AvatarState.LISTENING,) * 500, liveliness=0.0)
    assert np.ptp(calm[:, INDEX["roll"]]) == 0
    assert np.ptp(calm[:, INDEX["y"]]) > 0.02


def test_who_thinks_smiles_less_and_knits_the_brows_until_the_thought_is_over():
    states = (AvatarState.LISTENING,) * 50 + (AvatarState.THINKING,) * 100 + (AvatarState.SPEAKING,) * 100
    motion = live(neutral(250), states)
    smile, brows = motion[:, INDEX["mouthSmileLeft"]], motion[:, INDEX["browDownLeft"]]
    assert smile[:50].min() >= 0
    assert smile[100:150].max() < -0.1
    assert brows[100:150].min() > 0.15
    assert brows[240:].max() < 0.02
    assert np.abs(np.diff(brows)).max() < 0.03


def test_chunks_of_any_size_join_alike():
    states = (AvatarState.IDLE,) * 50 + (AvatarState.SPEAKING,) * 50
    motion = neutral(100)
    whole, parts = (live(motion, states, size=size) for size in (100, 100))
    np.testing.assert_array_equal(whole, parts)
    jump = [np.abs(np.diff(live(motion, states, size=size)[:, TURNS], axis=0)).max() for size in (4, 25)]
    assert np.degrees(max(jump)) < 1.2


def test_coefficients_stay_in_range():
    extreme = np.ones((50, 58), np.float32)
    motion = live(extreme, (AvatarState.SPEAKING,) * 50)[:, :N_BLENDSHAPES]
    assert motion.min() >= 0
    assert motion.max() <= 1
