"""What the committed weights must do, on speech of the voice that the product speaks with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from avatar.motion.articulation import CLOSED_GAP, lip_gap
from avatar.motion.features import AUDIO_CONTEXT, LOOK_AHEAD
from avatar.motion.generator import load_motion_model
from avatar.motion.layout import INDEX
from avatar.motion.types import Controls, MotionRequest
from avatar.training import measures
from avatar.training.corpus.speech_piper import speak
from avatar.types import AvatarState, Emotion

pytestmark = pytest.mark.model

TEXT = "Maybe Bob bought my mum a purple pipe. Pam's mop fell from the bumper of a big blue jumbo bus."


@dataclass
class Talk:
    """Sound on a timeline of frames."""

    agent: np.ndarray
    phones: list[tuple[str, float, float]]

    @property
    def n_frames(self):
        return len(self.agent) // 640


@pytest.fixture(scope="module")
def talk():
    """One second of silence, the text, and two seconds of silence."""
    utterance = speak(TEXT, 0)
    n_frames = 25 + len(utterance.samples) // 640 + 50
    sound = np.zeros(n_frames * 640, np.float32)
    sound[16_000 : 16_000 + len(utterance.samples)] = utterance.samples
    return Talk(sound, [(phone.name, phone.start + 1, phone.end + 1) for phone in utterance.phones])


def move(agent, state, *, seed=0, sizes=(12,), emotion=None, controls=None):
    """Motion for a sound, chunk by chunk."""
    generator = load_motion_model(seed)
    n_total = len(agent) // 640
    padded = np.pad(agent, (AUDIO_CONTEXT * 640, 50 * 640))
    chunks, start, boundaries = [], 0, []
    while start < n_total:
        n = sizes[len(chunks) % len(sizes)]
        feeling = np.zeros((n, 8), np.float32)
        if emotion is not None:
            feeling[:, list(Emotion).index(emotion)] = 1
        cut = padded[start * 640 : (start + AUDIO_CONTEXT + n + LOOK_AHEAD) * 640]
        request = MotionRequest(
            start, n, cut, np.zeros_like(cut), (state,) * n, feeling, Controls() if controls is None else controls
        )
        chunks.append(generator.generate(request).coefficients)
        boundaries.append(start)
        start += n
    return np.concatenate(chunks)[:n_total], boundaries


@pytest.fixture(scope="module")
def spoken(talk):
    return move(talk.agent, AvatarState.SPEAKING, sizes=(4, 8, 12, 25))


@pytest.fixture(scope="module")
def idle():
    return move(np.zeros(120 * 16_000, np.float32), AvatarState.IDLE, sizes=(25,))


def test_lips_close_on_bilabials(talk, spoken):
    found, total = measures.closure_recall(lip_gap(spoken[0]), talk.phones)
    assert total >= 20
    assert found >= 0.85 * total


def test_the_mouth_opens_on_open_vowels(talk, spoken):
    gap = lip_gap(spoken[0])
    middles = [int((start + end) / 2 * 25) for name, start, end in talk.phones if name in {"ɑ", "ʌ", "æ", "a"}]
    assert len(middles) >= 5
    opened = [gap[middle - 1 : middle + 2].max() for middle in middles]
    assert np.mean(opened) > 2 * CLOSED_GAP


def test_lips_are_closed_before_speech_and_long_after_it(talk, spoken):
    gap = lip_gap(spoken[0])
    end = int(talk.phones[-1][2] * 25)
    assert (gap[3:17] < CLOSED_GAP).mean() >= 0.9
    assert (gap[end + 18 :] < CLOSED_GAP).mean() >= 0.95


def test_lips_are_closed_and_eyes_blink_when_idle(idle):
    assert (lip_gap(idle[0]) < CLOSED_GAP).mean() >= 0.95
    per_minute = len(measures.blink_starts(idle[0])) / 2
    assert 6 <= per_minute <= 30


def test_an_idle_head_sways_and_stays_near_its_place(idle):
    pose = idle[0][:, 52:55]
    assert pose.std(axis=0).min() > 0.002
    assert np.abs(pose).max() < 0.4


def test_chunks_join_without_a_jump(spoken, idle):
    for motion, boundaries in (spoken, idle):
        assert measures.boundary_ratio(motion, boundaries) < 1.35


def test_a_seed_repeats_exactly_and_another_differs(talk):
    short = talk.agent[: 60 * 640]
    first, _ = move(short, AvatarState.SPEAKING, seed=5)
    again, _ = move(short, AvatarState.SPEAKING, seed=5)
    other, _ = move(short, AvatarState.SPEAKING, seed=6)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_lips_grow_with_their_amplitude(talk):
    jaw = INDEX["jawOpen"]
    quiet, _ = move(talk.agent, AvatarState.SPEAKING, controls=Controls(lip_amplitude=0.6))
    large, _ = move(talk.agent, AvatarState.SPEAKING, controls=Controls(lip_amplitude=1.4))
    assert large[:, jaw].mean() > 1.4 * quiet[:, jaw].mean()


def test_a_happy_face_smiles_and_a_sad_one_does_not(talk):
    smile = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
    happy, _ = move(talk.agent, AvatarState.SPEAKING, emotion=Emotion.HAPPY)
    sad, _ = move(talk.agent, AvatarState.SPEAKING, emotion=Emotion.SAD)
    assert happy[25:, smile].mean() > sad[25:, smile].mean() + 0.1
