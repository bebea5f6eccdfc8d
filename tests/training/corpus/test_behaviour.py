from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avatar.motion.emotions import EMOTIONS
from avatar.motion.layout import INDEX, N_BLENDSHAPES, neutral
from avatar.training.corpus.behaviour import behave
from avatar.training.corpus.scene import IDLE, LISTENING, SPEAKING, THINKING
from avatar.types import FRAME_RATE, Emotion
from tests.training.corpus.corpus_scenes import waiting_scene

MINUTES = 12


def moved(scene, seed: int = 0):
    return behave(scene, neutral(scene.n_frames), np.random.default_rng(seed))


@pytest.mark.parametrize("state", [IDLE, LISTENING, THINKING, SPEAKING])
def test_people_blink_12_to_22_times_a_minute_at_log_normal_intervals(state: int) -> None:
    blinks = moved(waiting_scene(state, 60.0 * MINUTES)).blinks
    assert 12 <= len(blinks) / MINUTES <= 22
    intervals = np.log(np.diff(blinks))
    skewness = np.mean((intervals - intervals.mean()) ** 3) / intervals.std() ** 3
    assert abs(skewness) < 0.6
    assert 0.3 < intervals.std() < 0.8
    assert np.exp(intervals.min()) >= 0.4


def test_a_complete_blink_shows_a_closed_frame_and_is_over_in_a_quarter_second() -> None:
    scene = waiting_scene(IDLE, 120)
    behaviour = moved(scene)
    lid = behaviour.motion[:, INDEX["eyeBlinkLeft"]]
    peaks = [lid[int(time * FRAME_RATE) :][:9].max() for time in behaviour.blinks if time < 119]
    assert np.mean(np.array(peaks) > 0.9) > 0.8
    closed = np.diff(np.flatnonzero(np.diff((lid > 0.5).astype(int))))[::2]
    assert closed.max() <= 7


@pytest.mark.parametrize("seed", range(4))
def test_nothing_moves_faster_than_people_do(seed: int) -> None:
    states = np.repeat(np.array([IDLE, LISTENING, THINKING, SPEAKING, LISTENING, IDLE], np.int8), 75)
    emotion = np.zeros((len(states), 8), np.float32)
    emotion[225:300, EMOTIONS.index(Emotion.SURPRISE)] = 1.0
    emotion[300:, EMOTIONS.index(Emotion.SAD)] = 1.0
    ends = np.array([100, 140, 330])
    scene = waiting_scene(IDLE, len(states) / 25, states=states, emotion=emotion, user_phrase_ends=ends)
    motion = moved(scene, seed).motion
    steps = np.abs(np.diff(motion, axis=0)).max(0)
    slow = [index for name, index in INDEX.items() if not name.startswith("eye") and index < N_BLENDSHAPES]
    assert steps[slow].max() < 0.3
    assert np.degrees(steps[N_BLENDSHAPES : N_BLENDSHAPES + 3]).max() < 4.0
    assert steps[N_BLENDSHAPES + 3 :].max() < 0.04
    assert np.degrees(np.abs(np.diff(motion[:, N_BLENDSHAPES:][:, :3], n=2, axis=0)).max()) < 2.5


def test_coefficients_stay_in_range_and_the_mouth_stays_shut_without_speech() -> None:
    motion = moved(waiting_scene(LISTENING, 60)).motion
    assert motion[:, :N_BLENDSHAPES].min() >= 0
    assert motion[:, :N_BLENDSHAPES].max() <= 1
    assert motion[:, INDEX["jawOpen"]].max() == 0


def test_the_same_seed_gives_the_same_motion_and_another_seed_another() -> None:
    scene = waiting_scene(SPEAKING, 10)
    assert np.array_equal(moved(scene, 3).motion, moved(scene, 3).motion)
    assert not np.array_equal(moved(scene, 3).motion, moved(scene, 4).motion)


def test_listeners_nod_just_after_the_others_phrases() -> None:
    ends = np.arange(100, 2900, 75)
    scene = waiting_scene(LISTENING, 120, user_phrase_ends=ends)
    behaviour = moved(scene)
    delays = [(nod - ends / FRAME_RATE)[nod >= ends / FRAME_RATE].min() for nod in behaviour.nods]
    assert 0.4 < len(behaviour.nods) / len(ends) < 0.8
    assert max(delays) < 0.5
    pitch = behaviour.motion[:, INDEX["pitch"]]
    dips = [pitch[int(nod * 25)] - pitch[int(nod * 25) :][:10].min() for nod in behaviour.nods]
    assert np.degrees(np.median(dips)) > 2.0


def test_nobody_nods_to_the_user_while_speaking() -> None:
    scene = waiting_scene(SPEAKING, 60, user_phrase_ends=np.arange(100, 1400, 75))
    assert moved(scene).nods == []


def test_eyes_leave_the_user_to_think_and_rest_on_the_user_to_listen() -> None:
    def turned(state: int) -> float:
        motion = moved(waiting_scene(state, 120)).motion
        away = motion[:, [INDEX["eyeLookOutLeft"], INDEX["eyeLookInLeft"]]].max(1)
        return float(np.mean(away > 0.12))

    assert turned(THINKING) > 0.5
    assert turned(LISTENING) < 0.2


def test_eyes_follow_the_gaze_control() -> None:
    n_frames = 1500
    right = np.tile(np.array([0.8, 0.0], np.float32), (n_frames, 1))
    motion = moved(waiting_scene(LISTENING, n_frames / 25, gaze=right)).motion
    assert np.median(motion[:, INDEX["eyeLookOutLeft"]]) > 0.3
    assert np.median(motion[:, INDEX["eyeLookInRight"]]) > 0.3
    assert np.median(motion[:, INDEX["yaw"]]) > np.radians(3)


@pytest.mark.parametrize(
    ("emotion", "columns"),
    [
        (Emotion.HAPPY, ["mouthSmileLeft", "cheekSquintRight"]),
        (Emotion.SAD, ["browInnerUp", "mouthFrownLeft"]),
        (Emotion.ANGRY, ["browDownLeft", "eyeSquintRight"]),
        (Emotion.FEAR, ["browInnerUp", "eyeWideLeft", "mouthStretchRight"]),
        (Emotion.DISGUST, ["noseSneerLeft"]),
        (Emotion.SURPRISE, ["browOuterUpLeft", "eyeWideRight"]),
        (Emotion.CONTEMPT, ["mouthSmileLeft", "mouthDimpleLeft"]),
    ],
)
def test_an_emotion_moves_its_own_units_in_proportion_to_its_intensity(emotion: Emotion, columns: list[str]) -> None:
    means: list[np.ndarray] = []
    for intensity in (0.0, 0.5, 1.0):
        scene = waiting_scene(LISTENING, 60)
        asked = np.zeros_like(scene.emotion)
        asked[:, EMOTIONS.index(emotion)] = intensity
        means.append(moved(replace(scene, emotion=asked)).motion.mean(0)[[INDEX[name] for name in columns]])
    assert (means[1] > means[0] + 0.05).all()
    assert (means[2] > means[1] + 0.05).all()
