from __future__ import annotations

import numpy as np
import pytest

from avatar.training.corpus.audio import RATE, levelled, resampled
from avatar.training.corpus.augment import band_limited, change_voice, in_room, mixed, noise, record, stretched
from avatar.training.corpus.sounds import clatter, music
from tests.training.corpus.corpus_scenes import tone_utterance


def pitch(samples: np.ndarray) -> float:
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return float(spectrum.argmax() * RATE / len(middle))


@pytest.mark.parametrize(("size", "speed"), [(1.0, 1.0), (1.2, 1.0), (0.85, 1.2), (1.0, 0.5)])
def test_size_moves_the_pitch_and_speed_moves_the_phones(size: float, speed: float) -> None:
    utterance = tone_utterance(2.0, frequency=160.0)
    changed = change_voice(utterance, size, speed)
    assert pitch(changed.samples) == pytest.approx(160 * size, rel=0.03)
    assert changed.seconds == pytest.approx(2.0 / speed, rel=0.02)
    assert changed.phones[-1].end == pytest.approx(changed.seconds, abs=0.01)
    assert changed.phones[1].start == pytest.approx(0.5 / speed, rel=0.02)


@pytest.mark.parametrize("factor", [0.6, 1.4])
def test_stretching_keeps_events_at_their_share_of_the_time(factor: float, rng: np.random.Generator) -> None:
    samples = 0.01 * rng.standard_normal(2 * RATE).astype(np.float32)
    samples[RATE : RATE + 800] += np.sin(np.arange(800) * 0.3).astype(np.float32)
    result = stretched(samples, factor)
    loud = np.flatnonzero(np.abs(result) > 0.5)
    assert abs(loud.mean() / len(result) - (RATE + 400) / (2 * RATE)) < 0.012


def test_a_room_neither_moves_nor_lengthens_the_sound(rng: np.random.Generator) -> None:
    click = np.zeros(RATE, np.float32)
    click[4000] = 1.0
    heard = in_room(click, rng)
    assert len(heard) == RATE
    assert int(np.abs(heard).argmax()) == 4000
    assert np.abs(heard[4100:8000]).max() > 0


def test_noise_has_the_level_asked_for(rng: np.random.Generator) -> None:
    assert 20 * np.log10(np.sqrt(np.mean(noise(RATE, -40.0, rng) ** 2))) == pytest.approx(-40, abs=0.1)


def test_a_narrow_band_takes_the_highs_away(rng: np.random.Generator) -> None:
    spectrum = np.abs(np.fft.rfft(band_limited(noise(RATE, -10.0, rng), 3400.0)))
    assert spectrum[5000:].mean() < 0.05 * spectrum[500:3000].mean()


def test_levels_are_those_of_the_active_part() -> None:
    samples = np.zeros(RATE, np.float32)
    samples[:4000] = 0.05 * np.sin(np.arange(4000) * 0.2)
    result = levelled(samples, -20.0)
    active = result[np.abs(result) > 0.1 * np.abs(result).max()]
    assert 20 * np.log10(np.sqrt(np.mean(active**2))) == pytest.approx(-20, abs=0.2)
    assert not levelled(np.zeros(100, np.float32), -20.0).any()


def test_a_background_lies_below_the_speech_by_the_ratio(rng: np.random.Generator) -> None:
    speech, other = noise(RATE, -20.0, rng), noise(RATE, -5.0, rng)
    added = mixed(speech, other, 12.0) - speech
    assert 20 * np.log10(speech.std() / added.std()) == pytest.approx(12, abs=0.1)


def test_recording_keeps_length_and_range(rng: np.random.Generator) -> None:
    for _ in range(8):
        heard = record(tone_utterance(1.0).samples, rng, quality=0.3)
        assert len(heard) == RATE
        assert np.abs(heard).max() <= 1


def test_resampling_keeps_pitch() -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(32_000) / 32_000).astype(np.float32)
    assert pitch(resampled(tone, 32_000)) == pytest.approx(300, abs=3)


@pytest.mark.parametrize("make", [music, clatter])
def test_sounds_have_the_length_asked_for_and_repeat_from_their_seed(make) -> None:
    one, other = (make(3.0, np.random.default_rng(2)) for _ in range(2))
    assert len(one) == 3 * RATE
    assert np.array_equal(one, other)
    assert 0.5 < np.abs(one).max() <= 1
