from __future__ import annotations

import numpy as np
import pytest

from agent.evaluate_vad import FRAME, SENTENCES, Scene, clean_speech, judge, noises, scenes, speech_frames
from avatar.types import SPEECH_RATE
from tests.agent.fakes import LoudnessVAD, sound


def say(_text):
    return np.full(100 * FRAME, 0.5, np.float32)


def scene(*seconds):
    samples = sound(*seconds)
    return Scene(samples, speech_frames(samples.astype(np.float32)))


async def test_a_detector_that_is_right_is_judged_right():
    score = await judge(LoudnessVAD(0.32), scene(1.0, 1.0, 1.5, 1.0, 1.5), 0.32)
    assert score.frame_error < 0.03
    assert (score.missed, score.false_starts, score.early_ends) == (0, 0, 0)
    assert np.allclose(score.late, 0.33, atol=0.05)


async def test_missed_speech_is_counted():
    loud = scene(1.0, 1.0, 1.5, 1.0, 1.5)
    quiet = Scene((loud.samples // 100).astype(np.int16), loud.speech)
    score = await judge(LoudnessVAD(), quiet, 0.32)
    assert score.missed == 2
    assert score.late == ()
    assert score.frame_error == pytest.approx(2 / 6, abs=0.02)


async def test_false_speech_is_counted():
    loud = scene(1.0, 1.0, 1.5, 1.0, 1.5)
    speech = loud.speech.copy()
    speech[150:] = False
    assert (await judge(LoudnessVAD(), Scene(loud.samples, speech), 0.32)).false_starts == 1


async def test_an_utterance_cut_in_two_is_counted():
    loud = scene(1.0, 1.0, 0.5, 1.0, 1.5)
    speech = loud.speech.copy()
    speech[50:175] = True
    assert (await judge(LoudnessVAD(), Scene(loud.samples, speech), 0.32)).early_ends == 1


def test_short_gaps_belong_to_the_utterance():
    speech = speech_frames(sound(0.5, 0.5, 0.2, 0.5, 0.5, 0.5).astype(np.float32))
    runs = np.count_nonzero(np.diff(speech.astype(int)) == 1)
    assert runs == 2


def test_noises_have_unit_power_and_follow_from_the_seed():
    babble = np.random.default_rng(1).normal(size=SPEECH_RATE).astype(np.float32)
    first, second = (noises(np.random.default_rng(3), 2 * SPEECH_RATE, babble) for _ in range(2))
    assert set(first) == {"white", "pink", "hum", "music", "clicks", "babble"}
    for name, noise in first.items():
        assert np.mean(noise**2) == pytest.approx(1, rel=1e-3)
        np.testing.assert_array_equal(noise, second[name])


def test_scenes_have_the_speech_to_noise_ratio_they_say():
    made = scenes(np.random.default_rng(0), say)
    clean = made["none", np.inf]
    noisy = made["white", 10.0]
    np.testing.assert_array_equal(noisy.speech, clean.speech)
    quiet = noisy.samples[: 50 * FRAME].astype(float)
    loud = noisy.samples[np.repeat(noisy.speech, FRAME).nonzero()].astype(float).mean()
    assert 20 * np.log10(loud / quiet.std()) == pytest.approx(10, abs=0.3)


def test_every_sentence_is_an_utterance():
    speech = speech_frames(clean_speech(np.random.default_rng(0), say))
    assert np.count_nonzero(np.diff(speech.astype(int)) == 1) == len(SENTENCES)
