from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avatar.motion.layout import INDEX, N_MOTION, motion_from
from avatar.portrait.limits import MotionLimits, limits_of
from avatar.portrait.setup import default_portrait_path, load_portrait
from avatar.render.pose import rotation


@pytest.fixture(scope="module")
def portrait(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISAVIS_CACHE", str(tmp_path_factory.mktemp("cache")))
        portrait = load_portrait(default_portrait_path(), size=256, note=print)
    return replace(portrait, head=replace(portrait.head, rotation=np.eye(3, dtype=np.float32)))


@pytest.fixture
def limits():
    high = np.full(N_MOTION, 0.4, np.float32)
    high[:52] = 1
    return MotionLimits(np.where(np.arange(N_MOTION) < 52, 0, -0.2).astype(np.float32), high)


def test_motion_well_within_the_limits_is_unchanged(limits):
    motion = motion_from({"jawOpen": 0.95, "eyeBlinkLeft": 1.0, "yaw": 0.25, "pitch": -0.13})
    np.testing.assert_array_equal(limits.apply(motion), motion)


def test_motion_bends_over_before_a_limit_and_never_passes_it(limits):
    yaw = np.linspace(-3, 3, 601, dtype=np.float32)
    motion = np.zeros((601, N_MOTION), np.float32)
    motion[:, INDEX["yaw"]] = yaw
    limited = limits.apply(motion)[:, INDEX["yaw"]]
    assert limited.max() == pytest.approx(0.4, abs=1e-3)
    assert limited.min() == pytest.approx(-0.2, abs=1e-3)
    steps = np.diff(limited)
    assert (steps >= 0).all()
    assert steps.max() <= 0.0101


@pytest.mark.model
def test_a_frontal_portrait_may_turn_both_ways_alike(portrait):
    limits = limits_of(portrait)
    for name, degrees in (("yaw", 20), ("pitch", 15), ("roll", 12)):
        assert limits.high[INDEX[name]] == pytest.approx(np.deg2rad(degrees), abs=1e-5)
    assert limits.low[INDEX["yaw"]] == pytest.approx(-limits.high[INDEX["yaw"]])
    assert limits.high[INDEX["jawOpen"]] == 1


@pytest.mark.model
def test_a_head_already_turned_may_not_turn_as_far_again(portrait):
    turned = replace(portrait, head=replace(portrait.head, rotation=rotation(np.deg2rad(15), 0, 0).astype(np.float32)))
    limits = limits_of(turned)
    assert np.rad2deg(limits.high[INDEX["yaw"]]) == pytest.approx(11, abs=0.1)
    assert np.rad2deg(limits.low[INDEX["yaw"]]) == pytest.approx(-20, abs=0.1)


@pytest.mark.model
def test_hair_that_touches_the_top_keeps_the_head_from_sinking(portrait):
    cut = np.roll(portrait.person, -60, axis=0)
    limits = limits_of(replace(portrait, person=cut))
    assert limits.low[INDEX["y"]] == pytest.approx(-0.05)
    assert limits.low[INDEX["pitch"]] > limits_of(portrait).low[INDEX["pitch"]]


@pytest.mark.model
def test_a_face_that_fits_badly_carries_less_expression(portrait):
    limits = limits_of(replace(portrait, head=replace(portrait.head, residual=0.02)))
    assert limits.high[INDEX["mouthSmileLeft"]] == pytest.approx(0.7)


@pytest.mark.model
def test_a_chin_near_the_edge_keeps_the_jaw_from_opening_out_of_the_picture(portrait):
    low = portrait.landmarks + np.array([0, 256 - portrait.landmarks[152, 1] - 12, 0], np.float32)
    assert limits_of(replace(portrait, landmarks=low)).high[INDEX["jawOpen"]] < 0.5


@pytest.mark.model
def test_eyes_close_and_look_on_any_face(portrait):
    high = limits_of(replace(portrait, head=replace(portrait.head, residual=0.02))).high
    assert high[[INDEX["eyeBlinkLeft"], INDEX["eyeLookUpRight"]]].tolist() == [1, 1]


@pytest.mark.model
def test_a_narrow_eye_looks_less_far_but_closes_whole(portrait):
    irises = tuple(replace(iris, radius=1.6 * iris.radius) for iris in portrait.irises)
    narrow = limits_of(replace(portrait, irises=irises))
    looks = [INDEX["eyeLookOutLeft"], INDEX["eyeLookUpRight"]]
    assert (narrow.high[looks] < 0.5).all()
    assert (narrow.low[looks] > -0.5).all()
    assert narrow.high[INDEX["eyeBlinkLeft"]] == 1


@pytest.mark.model
def test_no_more_is_taken_off_than_a_photo_wears(portrait):
    low = limits_of(portrait).low
    assert portrait.head.expression[INDEX["mouthSmileLeft"]] > 0.2
    assert low[INDEX["mouthSmileLeft"]] < -portrait.head.expression[INDEX["mouthSmileLeft"]]
    assert low[INDEX["tongueOut"]] >= -0.051
    untrusted = limits_of(replace(portrait, head=replace(portrait.head, residual=0.02))).low
    assert untrusted[INDEX["mouthSmileLeft"]] == 0


@pytest.mark.model
def test_a_head_that_the_picture_cuts_off_may_not_tilt_as_far(portrait):
    whole = limits_of(portrait)
    for edge in (np.s_[0, 60:200], np.s_[20:90, 0]):
        cut = portrait.person.copy()
        cut[edge] = 1
        limits = limits_of(replace(portrait, person=cut))
        assert 0 < limits.high[INDEX["roll"]] < 0.9 * whole.high[INDEX["roll"]]
        assert limits.low[INDEX["roll"]] == pytest.approx(-limits.high[INDEX["roll"]])
        assert limits.high[INDEX["yaw"]] == whole.high[INDEX["yaw"]]


@pytest.mark.model
def test_shoulders_at_the_edges_leave_the_head_free_to_tilt(portrait):
    cut = portrait.person.copy()
    cut[int(portrait.landmarks[152, 1]) :, [0, -1]] = 1
    cut[-1] = 1
    assert limits_of(replace(portrait, person=cut)).high[INDEX["roll"]] == limits_of(portrait).high[INDEX["roll"]]


@pytest.mark.model
def test_a_chin_at_the_very_edge_leaves_speech_readable(portrait):
    low = portrait.landmarks + np.array([0, 256 - portrait.landmarks[152, 1], 0], np.float32)
    assert limits_of(replace(portrait, landmarks=low)).high[INDEX["jawOpen"]] > 0.4
