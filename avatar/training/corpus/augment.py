"""Changes to sound that leave its timing known: voice, room, noise, band and gain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

from avatar.training.corpus.audio import RATE, levelled, resampled
from avatar.training.corpus.phones import shifted
from avatar.training.corpus.voices import Utterance

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CUTOFFS: Final = (3400.0, 5000.0, 7000.0)


def change_voice(utterance: Utterance, factor: float) -> Utterance:
    """Returns the utterance played `factor` times as fast: pitch, formants, speed and phones all move together."""
    samples = resampled(utterance.samples, RATE * factor)
    return Utterance(samples, tuple(shifted(utterance.phones, 0.0, factor)))


def in_room(samples: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Adds a room: a direct path and an exponentially decaying tail (RT60 0.15-0.6 s), same length."""
    rt60 = float(rng.uniform(0.15, 0.6))
    t = np.arange(int(rt60 * RATE)) / RATE
    tail = rng.standard_normal(len(t)) * 10 ** (-3 * t / rt60)
    tail[: int(0.004 * RATE)] = 0.0
    tail *= float(rng.uniform(0.05, 0.3)) / np.sqrt((tail**2).sum() + 1e-9)
    tail[0] = 1.0
    return fftconvolve(samples, tail)[: len(samples)].astype(np.float32)


def noise(n_samples: int, level_db: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns steady noise of this RMS in dBFS, of a colour between white and 1/f^2."""
    n = 2 ** int(np.ceil(np.log2(max(n_samples, 2))))
    frequencies = np.fft.rfftfreq(n, 1 / RATE)
    shape = np.maximum(frequencies, 40.0) ** -float(rng.uniform(0.0, 1.0))
    spectrum = shape * np.exp(2j * np.pi * rng.random(len(shape)))
    sound = np.fft.irfft(spectrum, n)[:n_samples]
    return (sound * 10 ** (level_db / 20) / (np.sqrt(np.mean(sound**2)) + 1e-12)).astype(np.float32)


def band_limited(samples: NDArray[np.float32], cutoff: float) -> NDArray[np.float32]:
    """Returns sound with what lies above the cutoff (Hz) taken away."""
    sections = butter(6, cutoff, fs=RATE, output="sos")
    return np.asarray(sosfilt(sections, samples), np.float32)


def record(samples: NDArray[np.float32], rng: np.random.Generator, *, quality: float) -> NDArray[np.float32]:
    """Returns a track as a microphone or a player would give it.

    Args:
        samples: 16 kHz.
        rng: Source of chance.
        quality: Chance that each kind of damage stays away: near 1 for the agent's clean track, lower for the user's.
    """
    if rng.random() > quality:
        samples = in_room(samples, rng)
    if rng.random() > quality:
        samples = band_limited(samples, float(rng.choice(_CUTOFFS)))
    samples = levelled(samples, float(rng.normal(-22, 3)))
    if rng.random() > quality:
        samples = samples + noise(len(samples), float(rng.uniform(-65, -40)), rng)
    return samples.clip(-1, 1).astype(np.float32)
