"""Sounds that speech must not be confused with, made from numbers: chords, drums, pink noise, and overdriven speech."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHORDS: Final = ((57, 60, 64, 69), (53, 57, 60, 65), (48, 55, 60, 64), (55, 59, 62, 67))
"""MIDI pitches of a four-bar progression (a minor, F, C, G)."""

_BEAT: Final = 0.5
_TUNE: Final = (76, 74, 72, 71, 69, 72, 74, 67)
_LEVEL: Final = 0.1


def chords(seconds: float) -> NDArray[np.float32]:
    """Returns sustained chords of sawtooth-like tones, one every two seconds, at 0.1 RMS, 16 kHz."""
    return _sequence(seconds, [(2.0, chord) for chord in _CHORDS])


def tune(seconds: float) -> NDArray[np.float32]:
    """Returns one line of a melody with vibrato, two notes a second."""
    return _sequence(seconds, [(_BEAT, (pitch,)) for pitch in _TUNE], vibrato=0.25)


def drums(seconds: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Returns a bass drum on the beat, a snare on every other, a hi-hat four times as often."""
    sound = np.zeros(int(seconds * SPEECH_RATE))
    hit = np.arange(int(0.2 * SPEECH_RATE)) / SPEECH_RATE
    for index in range(int(seconds / _BEAT * 4)):
        first = int(index * _BEAT / 4 * SPEECH_RATE)
        stroke = 0.3 * random.standard_normal(len(hit)) * np.exp(-hit / 0.015)
        if index % 4 == 0:
            stroke += np.sin(2 * np.pi * (55 * hit + 3 * (1 - np.exp(-hit / 0.03)))) * np.exp(-hit / 0.08)
        if index % 8 == 4:
            stroke += 0.8 * random.standard_normal(len(hit)) * np.exp(-hit / 0.06)
        part = stroke[: len(sound) - first]
        sound[first : first + len(part)] += part
    return _levelled(sound)


def pink_noise(seconds: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Returns noise whose power falls with frequency, at 0.1 RMS."""
    n_samples = int(seconds * SPEECH_RATE)
    spectrum = np.fft.rfft(random.standard_normal(n_samples))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n_samples, 1 / SPEECH_RATE), 40))
    return _levelled(np.fft.irfft(spectrum, n_samples))


def shouted(speech: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns speech brighter by 6 dB an octave above 1 kHz, and driven into the limits as an overloaded microphone."""
    edge = 1000 / SPEECH_RATE * 2 * np.pi
    bright = speech + np.diff(speech, prepend=np.float32(0)) / edge
    return np.tanh(8 * bright).astype(np.float32) * 0.9


def mixed(speech: NDArray[np.float32], other: NDArray[np.float32], ratio_db: float) -> NDArray[np.float32]:
    """Returns speech over another sound, repeated as long as needed, whose power lies `ratio_db` below the speech's."""
    under = np.resize(other, len(speech))
    loud = speech[np.abs(speech) > 1e-3]
    power = float(np.mean(loud**2)) if len(loud) else 1e-4
    gain = np.sqrt(power / float(np.mean(under**2))) * 10 ** (-ratio_db / 20)
    return (speech + gain * under).astype(np.float32)


def _sequence(
    seconds: float, notes: list[tuple[float, tuple[int, ...]]], *, vibrato: float = 0.0
) -> NDArray[np.float32]:
    sound = np.zeros(int(seconds * SPEECH_RATE))
    start, index = 0, 0
    while start < len(sound):
        length, pitches = notes[index % len(notes)]
        time = np.arange(min(int(length * SPEECH_RATE), len(sound) - start)) / SPEECH_RATE
        bend = vibrato * np.sin(2 * np.pi * 5.5 * time)
        shape = np.minimum(1, time / 0.03) * np.exp(-time / length)
        for pitch in pitches:
            phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69 + bend) / 12)) / SPEECH_RATE
            for harmonic in range(1, 7):
                sound[start : start + len(time)] += shape * np.sin(harmonic * phase) / harmonic
        start += int(length * SPEECH_RATE)
        index += 1
    return _levelled(sound)


def _levelled(sound: NDArray[np.float64]) -> NDArray[np.float32]:
    return (sound * _LEVEL / np.sqrt(np.mean(sound**2))).astype(np.float32)
