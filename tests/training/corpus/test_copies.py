from __future__ import annotations

import numpy as np
import pytest

from avatar.training.corpus.audio import RATE
from avatar.training.corpus.coding import coded
from avatar.training.corpus.copies import copied, equalised


def bursts(n_seconds: int = 4) -> np.ndarray:
    """A buzz of 20 harmonics that is there in every other half second."""
    t = np.arange(n_seconds * RATE) / RATE
    buzz = sum(np.sin(2 * np.pi * 130 * harmonic * t) / harmonic for harmonic in range(1, 20))
    return np.asarray(0.2 * buzz * (t % 1 < 0.5), np.float32)


def level(samples: np.ndarray) -> np.ndarray:
    return np.sqrt((samples.astype(np.float64)[: len(samples) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1))


def spectrum(samples: np.ndarray) -> np.ndarray:
    return np.log(np.abs(np.fft.rfft(samples[: RATE // 2])) + 1e-3)


def test_coding_without_noise_gives_the_sound_back(rng: np.random.Generator) -> None:
    for n_samples in (0, 1, 399, 33_333):
        sound = (0.1 * rng.standard_normal(n_samples)).astype(np.float32)
        assert coded(sound, order=16, noise=0.0, rng=rng) == pytest.approx(sound, abs=1e-6)


def test_coding_keeps_level_and_envelope_and_makes_a_buzz_hoarse(rng: np.random.Generator) -> None:
    sound = bursts()
    hoarse = coded(sound, order=16, noise=0.5, rng=rng)
    assert np.corrcoef(level(sound), level(hoarse))[0, 1] > 0.95
    between = slice(25, None, 65)
    assert spectrum(hoarse)[between].mean() > spectrum(sound)[between].mean() + 0.5


def test_an_equaliser_bends_the_spectrum_smoothly(rng: np.random.Generator) -> None:
    sound = (0.1 * rng.standard_normal(2 * RATE)).astype(np.float32)
    gain = np.abs(np.fft.rfft(equalised(sound, rng))) / np.abs(np.fft.rfft(sound))
    assert gain.max() > 1.3 * gain.min()
    assert np.abs(np.diff(20 * np.log10(gain[10:-10]))).max() < 0.1
    assert len(equalised(np.zeros(0, np.float32), rng)) == 0


def test_copies_keep_the_timing_and_differ_from_each_other() -> None:
    sound = np.round(bursts() * 20_000).astype(np.int16)
    made = [copied(sound, number, 0, 5) for number in (1, 2, 3, 4)]
    for one in made:
        assert one.dtype == np.int16
        assert one.shape == sound.shape
        assert np.corrcoef(level(sound), level(one))[0, 1] > 0.85
    assert len({one.tobytes() for one in made}) == len(made)
    assert np.array_equal(made[1], copied(sound, 2, 0, 5))
    assert not np.array_equal(made[1], copied(sound, 2, 1, 5))
    assert not np.array_equal(made[1], copied(sound, 2, 0, 6))


def test_a_track_without_sound_may_be_copied() -> None:
    for n_samples in (0, 6400):
        assert copied(np.zeros(n_samples, np.int16), 1, 0, 0).shape == (n_samples,)
