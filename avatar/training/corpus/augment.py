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
_PIECE: Final = 320
_SEARCH: Final = 160


def change_voice(utterance: Utterance, size: float, speed: float) -> Utterance:
    """Returns the utterance in another voice.

    Args:
        utterance: What is said.
        size: Factor of pitch and formants together: above 1 is a smaller speaker.
        speed: Factor of the speaking rate; the phones' times follow.
    """
    samples = stretched(resampled(utterance.samples, RATE * size), size / speed)
    return Utterance(samples, tuple(shifted(utterance.phones, 0.0, len(utterance.samples) / max(1, len(samples)))))


def stretched(samples: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Returns sound `factor` times as long at the same pitch, by overlapping similar pieces (WSOLA; Verhelst 1993)."""
    if abs(factor - 1) < 0.01 or len(samples) < 4 * _PIECE:
        return samples
    window = np.hanning(2 * _PIECE + 1)[:-1].astype(np.float32)
    n_pieces = int(len(samples) * factor / _PIECE)
    result = np.zeros((n_pieces + 2) * _PIECE, np.float32)
    padded = np.pad(samples, (_SEARCH, 4 * _PIECE + _SEARCH))
    at = 0
    for piece in range(n_pieces):
        wanted = int(piece * _PIECE / factor)
        if piece:
            natural = padded[_SEARCH + at + _PIECE : _SEARCH + at + 2 * _PIECE]
            around = padded[wanted : wanted + _PIECE + 2 * _SEARCH]
            at = wanted + int(np.correlate(around, natural, "valid").argmax()) - _SEARCH
        cut = padded[max(0, _SEARCH + at) :][: 2 * _PIECE]
        result[piece * _PIECE : piece * _PIECE + len(cut)] += cut * window[: len(cut)]
    return result[: int(len(samples) * factor)]


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


def mixed(samples: NDArray[np.float32], other: NDArray[np.float32], ratio_db: float) -> NDArray[np.float32]:
    """Returns sound with another, as long or longer, below it, their powers `ratio_db` apart."""
    power = float(np.mean(samples**2)) + 1e-12
    gain = np.sqrt(power / (float(np.mean(other**2)) + 1e-12)) * 10 ** (-ratio_db / 20)
    return (samples + gain * other[: len(samples)]).astype(np.float32)


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
    samples = levelled(samples, float(rng.normal(-21, 3.5)))
    if rng.random() > quality:
        samples = samples + noise(len(samples), float(rng.uniform(-65, -40)), rng)
    return samples.clip(-1, 1).astype(np.float32)
