from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.motion import features
from avatar.motion.features import SAMPLES_PER_FRAME, SpeechFeatures, prosody, window_frames
from avatar.motion.whisper import load_whisper


class CountingEncoder:
    """Hidden states that tell which samples they came from, and how often they were asked for."""

    n_hidden = 2

    def __init__(self):
        self.calls = 0
        self.n_frames = 0

    def encode(self, samples):
        self.calls += 1
        self.n_frames = len(samples) // SAMPLES_PER_FRAME
        pieces = samples.reshape(-1, 320)
        return np.stack([pieces.mean(axis=1), np.full(len(pieces), 7)], axis=1).astype(np.float32)


def tone(frequency, n_frames=25, amplitude=0.3):
    seconds = np.arange(n_frames * SAMPLES_PER_FRAME) / 16_000
    phase = 2 * np.pi * frequency * seconds
    return (amplitude * (np.sin(phase) + 0.5 * np.sin(2 * phase))).astype(np.float32)


@pytest.mark.parametrize("frequency", [85, 120, 180, 240, 360])
def test_pitch_of_a_voice_is_found_within_two_percent(frequency):
    octaves, voiced = prosody(tone(frequency))[2:-2, 1:].T
    assert voiced.all()
    np.testing.assert_allclose(160 * 2**octaves, frequency, rtol=0.02)


def test_noise_and_silence_are_unvoiced():
    noise = np.random.default_rng(0).normal(0, 0.1, 25 * 640).astype(np.float32)
    assert prosody(noise)[:, 2].mean() < 0.1
    assert not prosody(np.zeros(6400, np.float32)).any()


def test_energy_is_a_share_of_eighty_decibels():
    square = np.tile(np.float32([0.1, -0.1]), 3200)
    np.testing.assert_allclose(prosody(square)[:, 0], 0.75, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(first=st.integers(0, 10), last=st.integers(14, 25), seed=st.integers(0, 5))
def test_prosody_of_a_frame_is_the_same_in_every_window(first, last, seed):
    sound = np.random.default_rng(seed).normal(0, 0.1, 25 * 640).astype(np.float32) + tone(130)
    whole = prosody(sound)
    part = prosody(sound[first * 640 : last * 640])
    np.testing.assert_allclose(part[1:-1], whole[first + 1 : last - 1], atol=1e-6)


def test_hidden_states_are_averaged_in_pairs_and_prosody_follows():
    speech = SpeechFeatures(CountingEncoder())
    sound = np.repeat(np.float32([0.1, 0.3, 0.5, 0.1]), 320)
    values = speech(sound)
    assert values.shape == (2, speech.n_features) == (2, 5)
    np.testing.assert_allclose(values[:, 0], [0.2, 0.3], atol=1e-6)
    np.testing.assert_array_equal(values[:, 2:], prosody(sound))


def test_silence_is_not_encoded():
    encoder = CountingEncoder()
    speech = SpeechFeatures(encoder)
    before = encoder.calls
    values = speech(np.full(50 * 640, 1e-5, np.float32))
    assert encoder.calls == before
    assert (values == values[0]).all()
    speech(tone(150))
    assert encoder.calls == before + 1


@pytest.mark.parametrize(
    ("n_silent", "n_loud", "n_encoded"), [(21, 11, 20), (30, 2, 20), (5, 27, 27), (0, 32, 32), (8, 4, 12)]
)
def test_silence_before_speech_is_encoded_only_where_the_encoder_needs_it(n_silent, n_loud, n_encoded):
    encoder = CountingEncoder()
    speech = SpeechFeatures(encoder)
    sound = np.concatenate([np.zeros(n_silent * SAMPLES_PER_FRAME, np.float32), tone(150, n_loud) + 0.1])
    values = speech(sound)
    assert encoder.n_frames == n_encoded
    np.testing.assert_allclose(values[:, 0], sound.reshape(-1, SAMPLES_PER_FRAME).mean(axis=1), atol=1e-6)
    np.testing.assert_array_equal(values[:, 1], 7)
    np.testing.assert_array_equal(values[:, 2:], prosody(sound))


def test_every_chunk_size_gets_a_window_that_the_context_fills():
    for n_frames in range(features.MIN_CHUNK, features.MAX_CHUNK + 1):
        window = window_frames(n_frames)
        assert window >= features.CONDITION_PAST + n_frames + features.LOOK_AHEAD
        assert window <= features.AUDIO_CONTEXT + n_frames + features.LOOK_AHEAD


@pytest.mark.model
def test_features_of_speech_hardly_depend_on_how_much_of_the_silence_before_it_is_encoded(monkeypatch):
    speech = SpeechFeatures(load_whisper())
    spoken = np.concatenate([tone(f, 3, 0.2) for f in (110, 180, 130, 220)])
    sound = np.concatenate([np.zeros(21 * SAMPLES_PER_FRAME, np.float32), spoken])
    brief = speech(sound)[21:, :512]
    monkeypatch.setattr(features, "_LEAST_ENCODED", len(sound))
    whole = speech(sound)[21:, :512]
    assert np.median([np.corrcoef(*pair)[0, 1] for pair in zip(brief, whole, strict=True)]) > 0.8


@pytest.mark.model
def test_whisper_features_of_a_frame_agree_between_windows():
    speech = SpeechFeatures(load_whisper())
    sound = np.concatenate([tone(f, 5) for f in (110, 150, 220, 130, 180, 90, 200, 140, 160, 120)])
    whole, later = speech(sound), speech(sound[10 * 640 :])
    pairs = zip(whole[15:45, :512], later[5:35, :512], strict=True)
    agreement = [np.corrcoef(first, second)[0, 1] for first, second in pairs]
    assert np.median(agreement) > 0.8


def utterance_of(loud, sizes=None):
    """Utterance over a timeline whose frames are loud or silent, cut into chunks."""
    energy = np.pad(0.8 * loud.astype(np.float32), (features.CONDITION_PAST, features.LOOK_AHEAD))
    around, start, parts = features.CONDITION_PAST + features.LOOK_AHEAD, 0, []
    for size in sizes or (len(loud),):
        parts.append(features.utterance(energy[start : start + size + around]))
        start += size
    return np.concatenate(parts)


def test_an_utterance_begins_before_its_sound_and_lasts_through_a_short_pause():
    loud = np.zeros(100, bool)
    loud[20:40] = loud[48:60] = True
    found = utterance_of(loud)
    assert found[20:60].min() > 0.95
    assert 0.1 < found[16] < 0.9
    assert not found[:12].any()
    assert not found[75:].any()
    assert np.abs(np.diff(found)).max() < 0.3


def test_an_utterance_is_the_same_however_its_sound_is_cut():
    loud = np.random.default_rng(0).random(60) > 0.9
    np.testing.assert_allclose(utterance_of(loud), utterance_of(loud, (4, 25, 12, 4, 15)), atol=1e-6)
