from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.motion.gestures import LONGEST_GESTURE, gesture_curves, with_gestures
from avatar.motion.layout import INDEX, N_BLENDSHAPES, neutral
from avatar.types import Gesture


def made(*gestures: tuple[Gesture, float, int], n_frames: int = 60) -> np.ndarray:
    return with_gestures(neutral(n_frames), 0, list(gestures))


def gaze(motion: np.ndarray, side: str) -> np.ndarray:
    """Where an eye looks beside the head's direction, to the picture's right, as a coefficient."""
    outwards = motion[:, INDEX[f"eyeLookOut{side}"]] - motion[:, INDEX[f"eyeLookIn{side}"]]
    return outwards if side == "Left" else -outwards


@pytest.mark.parametrize("gesture", Gesture)
def test_a_gesture_begins_and_ends_at_rest_without_a_jump(gesture: Gesture) -> None:
    motion = made((gesture, 1.0, 4))
    assert not motion[:5].any()
    assert not motion[4 + LONGEST_GESTURE :].any()
    assert np.abs(motion).max() > 0.1
    steps = np.abs(np.diff(motion, axis=0))
    fast = [name.startswith("eye") for name in INDEX]
    assert steps[:, ~np.array(fast)].max() < 0.25
    assert steps[:, fast].max() < 0.6


def test_a_nod_goes_down_and_a_shake_to_both_sides() -> None:
    nod = made((Gesture.NOD, 1.0, 0))[:, INDEX["pitch"]]
    assert nod.min() < -0.1
    assert nod.max() <= 0
    shake = made((Gesture.SHAKE, 1.0, 0))[:, INDEX["yaw"]]
    assert shake.min() < -0.08
    assert shake.max() > 0.08


def test_the_gaze_stays_while_the_head_shakes_and_leaves_when_it_looks_away() -> None:
    shake = made((Gesture.SHAKE, 1.0, 0))
    for side in ("Left", "Right"):
        np.testing.assert_allclose(gaze(shake, side) * np.radians(30), -shake[:, INDEX["yaw"]], atol=1e-6)
    away = made((Gesture.LOOK_AWAY, 1.0, 0))
    assert gaze(away, "Left").min() < -0.35
    np.testing.assert_allclose(gaze(away, "Left"), gaze(away, "Right"), atol=1e-6)


def test_one_eye_winks() -> None:
    wink = made((Gesture.WINK, 1.0, 0))
    assert wink[:, INDEX["eyeBlinkLeft"]].max() == 1
    assert not wink[:, INDEX["eyeBlinkRight"]].any()


def test_half_the_strength_is_half_as_far() -> None:
    whole, half = (np.abs(made((Gesture.BROWS_UP, strength, 0))).max() for strength in (1.0, 0.5))
    assert half == pytest.approx(whole / 2)


def test_motion_without_gestures_is_left_alone() -> None:
    motion = neutral(4)
    assert with_gestures(motion, 0, []) is motion


def test_eyes_that_look_aside_turn_on_from_there() -> None:
    motion = neutral(30)
    motion[:, INDEX["eyeLookOutLeft"]] = motion[:, INDEX["eyeLookInRight"]] = 0.3
    turned = with_gestures(motion, 0, [(Gesture.LOOK_AWAY, 1.0, 0)])
    np.testing.assert_allclose(
        gaze(turned, "Left"), gaze(made((Gesture.LOOK_AWAY, 1.0, 0), n_frames=30), "Left") + 0.3, atol=1e-6
    )
    assert not np.minimum(turned[:, INDEX["eyeLookOutLeft"]], turned[:, INDEX["eyeLookInLeft"]]).any()


@given(
    cut=st.integers(1, 59),
    gestures=st.lists(
        st.tuples(st.sampled_from(Gesture), st.sampled_from([0.4, 1.0]), st.integers(-20, 50)), max_size=4
    ),
)
def test_chunks_are_the_same_as_the_whole_and_stay_within_bounds(
    cut: int, gestures: list[tuple[Gesture, float, int]]
) -> None:
    motion = np.random.default_rng(0).uniform(0, 1, (60, 58)).astype(np.float32)
    whole = with_gestures(motion, 0, gestures)
    parts = [with_gestures(motion[:cut], 0, gestures), with_gestures(motion[cut:], cut, gestures)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert whole[:, :N_BLENDSHAPES].min() >= 0
    assert np.abs(whole).max() <= 1


def test_every_curve_is_over_in_time() -> None:
    for gesture in Gesture:
        for curve in gesture_curves(gesture, np.arange(LONGEST_GESTURE - 25, LONGEST_GESTURE + 25.0)).values():
            assert not curve[25:].any()
