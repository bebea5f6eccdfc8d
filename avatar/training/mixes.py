"""Sounds that are no plain speech: music and noise made from numbers, and speech mixed, shouted, whispered or sung."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from avatar.motion.features import SAMPLES_PER_FRAME, prosody
from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHORDS: Final = ((57, 60, 64, 69), (53, 57, 60, 65), (48, 55, 60, 64), (55, 59, 62, 67))
"""MIDI pitches of a four-bar progression (a minor, F, C, G)."""

_BEAT: Final = 0.5
_TUNE: Final = (76, 74, 72, 71, 69, 72, 74, 67)
_LEVEL: Final = 0.1
_VIBRATO: Final = 0.25
_VIBRATO_RATE: Final = 5.5
_SUNG_BELOW: Final = 19
"""Semitones from the tune to a voice that sings it: 220 to 415 Hz become 147 to 277 Hz."""

_HOP: Final = 160
_ORDER: Final = 18
_WHISPER: Final = 0.15
"""Level of a whisper over that of the same words in full voice (-16 dB)."""


def chords(seconds: float) -> NDArray[np.float32]:
    """Returns sustained chords of sawtooth-like tones, one every two seconds, at 0.1 RMS, 16 kHz."""
    return _sequence(seconds, [(2.0, chord) for chord in _CHORDS])


def tune(seconds: float) -> NDArray[np.float32]:
    """Returns one line of a melody with vibrato, two notes a second."""
    return _sequence(seconds, [(_BEAT, (pitch,)) for pitch in _TUNE], vibrato=_VIBRATO)


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


def whispered(speech: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Returns the same words without a voice: noise through the mouth's resonances, and quieter."""
    return _WHISPER * _uttered(speech, random.standard_normal(len(speech)))


def sung(speech: NDArray[np.float32], random: np.random.Generator, *, factor: int = 2) -> NDArray[np.float32]:
    """Returns the same words `factor` times as slowly, on the notes of a tune with vibrato, at the same loudness.

    Args:
        speech: float32 (n_frames * 640,) at 16 kHz.
        random: Source of the noise in sounds without a voice.
        factor: How much longer every sound is held.
    """
    voiced = np.repeat(prosody(speech)[:, 2], factor * SAMPLES_PER_FRAME)
    time = np.arange(len(voiced)) / SPEECH_RATE
    notes = np.array(_TUNE)[(time / _BEAT).astype(int) % len(_TUNE)] - _SUNG_BELOW
    bend = _VIBRATO * np.sin(2 * np.pi * _VIBRATO_RATE * time)
    frequency = 440 * 2 ** ((notes + bend - 69) / 12)
    turns = np.floor(np.cumsum(frequency) / SPEECH_RATE)
    pulses = np.diff(turns, prepend=0) * np.sqrt(SPEECH_RATE / frequency)
    return _uttered(speech, np.where(voiced > 0, pulses, random.standard_normal(len(voiced))))


def mixed(speech: NDArray[np.float32], other: NDArray[np.float32], ratio_db: float) -> NDArray[np.float32]:
    """Returns speech over another sound, repeated as long as needed, whose power lies `ratio_db` below the speech's."""
    under = np.resize(other, len(speech))
    loud = speech[np.abs(speech) > 1e-3]
    power = float(np.mean(loud**2)) if len(loud) else 1e-4
    gain = np.sqrt(power / float(np.mean(under**2))) * 10 ** (-ratio_db / 20)
    return (speech + gain * under).astype(np.float32)


def _uttered(speech: NDArray[np.float32], excitation: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns an excitation of unit power shaped by the resonances and loudness of speech (linear prediction).

    It may be a whole number of times as long as the speech, which is then drawn out.
    """
    factor = len(excitation) // len(speech)
    window = np.hanning(2 * _HOP + 1)[:-1]
    pieces = np.lib.stride_tricks.sliding_window_view(np.pad(speech.astype(np.float64), _HOP), 2 * _HOP)[::_HOP]
    padded = np.pad(excitation, factor * _HOP)
    fade = np.hanning(2 * factor * _HOP + 1)[:-1]
    result = np.zeros(len(padded))
    for index, piece in enumerate(pieces * window):
        poles, gain = _resonances(piece)
        span = slice(index * factor * _HOP, index * factor * _HOP + len(fade))
        result[span] += fade * lfilter([gain], poles, padded[span])
    return result[factor * _HOP : -factor * _HOP].astype(np.float32)


def _resonances(piece: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Returns an all-pole filter, float64 (_ORDER + 1,), and the gain that gives a piece's power from noise."""
    spectrum = np.abs(np.fft.rfft(piece, 2 * len(piece))) ** 2
    correlation = np.fft.irfft(spectrum)[: _ORDER + 1]
    correlation[0] = correlation[0] * (1 + 1e-4) + 1e-9
    predictor = solve_toeplitz(correlation[:-1], correlation[1:])
    left = correlation[0] - predictor @ correlation[1:]
    power = float(np.sum(np.hanning(len(piece)) ** 2))
    return np.concatenate([[1.0], -predictor]), float(np.sqrt(max(left, 0.0) / power))


def _sequence(
    seconds: float, notes: list[tuple[float, tuple[int, ...]]], *, vibrato: float = 0.0
) -> NDArray[np.float32]:
    sound = np.zeros(int(seconds * SPEECH_RATE))
    start, index = 0, 0
    while start < len(sound):
        length, pitches = notes[index % len(notes)]
        time = np.arange(min(int(length * SPEECH_RATE), len(sound) - start)) / SPEECH_RATE
        bend = vibrato * np.sin(2 * np.pi * _VIBRATO_RATE * time)
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
