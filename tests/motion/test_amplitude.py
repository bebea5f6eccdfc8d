from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.motion.amplitude import REACHES, drawn_in, held_open, rounding_of, widened
from avatar.motion.articulation import CLOSED_GAP, lip_gap, seal_lips
from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD
from avatar.motion.layout import INDEX, motion_from, neutral
from avatar.motion.relative import LOWEST

NAMES = [full for name in REACHES for full in ((name,) if name in INDEX else (name + "Left", name + "Right"))]


def along(name, values):
    motion = neutral(len(values))
    motion[:, INDEX[name]] = values
    return motion


@pytest.mark.parametrize("name", NAMES)
def test_a_channel_grows_without_a_step_up_to_its_bound(name):
    values = np.linspace(0, 1, 501, dtype=np.float32)
    wide = widened(along(name, values))[:, INDEX[name]]
    steps = np.diff(wide)
    assert (steps > 0).all()
    assert steps.max() < 3 * 0.002
    assert wide[-1] < REACHES[name.removesuffix("Left").removesuffix("Right")][3]


@pytest.mark.parametrize("name", NAMES)
def test_a_large_movement_gains_and_a_tremble_does_not(name):
    tremble = np.float32([0, 0.01, 0.02])
    np.testing.assert_allclose(widened(along(name, tremble))[:, INDEX[name]], tremble, atol=1e-6)
    assert widened(along(name, np.float32([0.2])))[0, INDEX[name]] > 1.3 * 0.2


def test_the_mouth_at_rest_stays_closed_and_other_channels_stay_as_they_are():
    rest = motion_from({"jawOpen": 0.04, "mouthSmileLeft": 0.5, "browInnerUp": 0.3, "yaw": 0.2})[None]
    np.testing.assert_array_equal(widened(rest), rest)
    assert lip_gap(widened(rest))[0] < CLOSED_GAP


@pytest.mark.parametrize("rounding", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("jaw", [0.1, 0.5, 1.0])
def test_bilabials_close_at_a_persons_amplitude(jaw, rounding):
    motion = motion_from({"jawOpen": jaw, "mouthPucker": rounding, "mouthUpperUpLeft": 0.3, "mouthLowerDownLeft": 0.3})
    sealed = seal_lips(drawn_in(widened(motion[None])), np.ones(1, np.float32), np.zeros(1, np.float32))
    assert lip_gap(sealed)[0] < CLOSED_GAP


def test_rounded_lips_draw_their_corners_in():
    smiling = motion_from({"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5})
    rounded = smiling + motion_from({"mouthPucker": 0.7, "mouthFunnel": 0.4})
    drawn = drawn_in(np.stack([smiling, rounded]))
    np.testing.assert_array_equal(drawn[0], smiling)
    assert drawn[1, INDEX["mouthSmileLeft"]] < 0.4
    assert drawn[1, INDEX["mouthStretchRight"]] < -0.4
    assert (drawn[:, :52] >= LOWEST).all()


def test_a_trace_of_rounding_is_none():
    motion = np.stack([motion_from({"mouthPucker": value}) for value in (0, 0.04, 0.05, 0.5, 1)])
    rounding = rounding_of(motion)
    assert not rounding[:3].any()
    assert 0.4 < rounding[3] < 0.5
    assert rounding[4] == 1
    np.testing.assert_array_equal(drawn_in(motion)[:3], motion[:3])


def test_fully_rounded_lips_leave_a_small_hole_and_a_small_one_stays():
    jaws = np.linspace(0, 0.8, 81, dtype=np.float32)
    rounded = along("jawOpen", jaws)
    rounded[:, INDEX["mouthPucker"]] = 1
    hole = drawn_in(rounded)[:, INDEX["jawOpen"]]
    small = jaws <= 0.1
    np.testing.assert_allclose(hole[small], jaws[small], atol=1e-6)
    assert (np.diff(hole) > 0).all()
    assert hole[-1] < 0.35
    np.testing.assert_array_equal(drawn_in(along("jawOpen", jaws)), along("jawOpen", jaws))


def test_the_jaw_closes_less_in_quiet_moments_of_speech_and_not_in_silence():
    n_frames = 50
    jaws = along("jawOpen", np.full(n_frames, 0.2))
    energy = np.full(CONDITION_PAST + n_frames + LOOK_AHEAD, 0.75, np.float32)
    energy[CONDITION_PAST + 20 : CONDITION_PAST + 24] = 0.1
    held = held_open(jaws, energy)[:, INDEX["jawOpen"]]
    assert (held[20:24] > 1.2 * 0.2).all()
    np.testing.assert_allclose(np.delete(held, slice(19, 25)), 0.2, atol=1e-6)
    np.testing.assert_array_equal(held_open(jaws, np.zeros_like(energy)), jaws)
    # As loud or as soft as you like: only the difference counts.
    np.testing.assert_allclose(held_open(jaws, energy.clip(0.6) - 0.15), held_open(jaws, energy.clip(0.6)), atol=1e-6)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_holding_the_jaw_open_joins_over_any_chunks(sizes):
    random = np.random.default_rng(0)
    n_frames = sum(sizes)
    motion = along("jawOpen", random.random(n_frames))
    energy = random.random(CONDITION_PAST + n_frames + LOOK_AHEAD).astype(np.float32)
    whole = held_open(motion, energy)
    ends = np.cumsum(sizes).tolist()
    parts = [
        held_open(motion[end - size : end], energy[end - size : end + CONDITION_PAST + LOOK_AHEAD])
        for size, end in zip(sizes, ends, strict=True)
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)
