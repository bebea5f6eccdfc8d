"""Sound that is not speech: music and noises, at which the mouth stays shut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import butter, sosfilt

from avatar.training.corpus.audio import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SCALES: Final = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9))
_CHORDS: Final = ((0, 2, 4), (3, 5, 7), (4, 6, 8), (5, 7, 9))


def music(seconds: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns a random piece: chords, a bass, a melody with vibrato and sometimes drums, peak 1; float32 at 16 kHz."""
    beat = 60 / float(rng.uniform(70, 150))
    scale = np.array(_SCALES[int(rng.integers(len(_SCALES)))])
    key = float(rng.uniform(45, 57))
    tilt = float(rng.uniform(0.8, 2.2))
    sound = np.zeros(int(seconds * RATE) + RATE)
    for bar in range(int(seconds / (4 * beat)) + 1):
        start = bar * 4 * beat
        degrees = _CHORDS[int(rng.integers(len(_CHORDS)))]
        for degree in degrees:
            _add(sound, _note(_pitch(key + 12, scale, degree), 4 * beat, tilt, rng, vibrato=0.0), start, 0.25)
        _add(sound, _note(_pitch(key - 12, scale, degrees[0]), 2 * beat, tilt + 0.5, rng, vibrato=0.0), start, 0.4)
        time = 0.0
        while time < 4 * beat:
            length = beat * float(rng.choice((0.5, 1.0, 2.0)))
            if rng.random() < 0.8:
                pitch = _pitch(key + 24, scale, int(rng.integers(0, 9)))
                _add(sound, _note(pitch, length, tilt, rng, vibrato=float(rng.uniform(0, 0.5))), start + time, 0.5)
            time += length
        if rng.random() < 0.6:
            for step in range(8):
                _add(sound, _hit(rng, low=step % 4 == 0), start + step * beat / 2, float(rng.uniform(0.1, 0.5)))
    sound = sound[: int(seconds * RATE)]
    return (sound / (np.abs(sound).max(initial=0.0) + 1e-9)).astype(np.float32)


def clatter(seconds: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns knocks, clicks, hiss and hum at random times, peak 1; float32 at 16 kHz."""
    sound = np.zeros(int(seconds * RATE) + RATE)
    for _ in range(int(rng.poisson(1.5 * seconds)) + 1):
        start = float(rng.uniform(0, seconds))
        if rng.random() < 0.6:
            _add(sound, _hit(rng, low=rng.random() < 0.5), start, float(rng.uniform(0.2, 1.0)))
        else:
            length = float(rng.uniform(0.1, 0.8))
            low = float(rng.uniform(100, 3000))
            band = butter(2, (low, min(7500.0, 2.5 * low)), "bandpass", fs=RATE, output="sos")
            rush = np.asarray(sosfilt(band, rng.standard_normal(int(length * RATE))))
            _add(sound, rush * np.hanning(len(rush)), start, float(rng.uniform(0.2, 1.0)))
    sound = sound[: int(seconds * RATE)]
    return (sound / (np.abs(sound).max(initial=0.0) + 1e-9)).astype(np.float32)


def _pitch(key: float, scale: NDArray[np.int64], degree: int) -> float:
    octave, step = divmod(degree, len(scale))
    return key + 12 * octave + float(scale[step])


def _note(
    pitch: float, seconds: float, tilt: float, rng: np.random.Generator, *, vibrato: float
) -> NDArray[np.float64]:
    """Returns a decaying harmonic tone of a MIDI pitch; `vibrato` is its depth in semitones at about 5.5 Hz."""
    t = np.arange(int(1.05 * seconds * RATE)) / RATE
    bend = vibrato * np.sin(2 * np.pi * float(rng.uniform(4.8, 6.2)) * t)
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69 + bend) / 12)) / RATE
    tone = np.zeros_like(t)
    for harmonic in range(1, 9):
        if 440 * 2 ** ((pitch - 69) / 12) * harmonic < 0.45 * RATE:
            tone += np.sin(harmonic * phase + float(rng.uniform(0, 6))) * harmonic**-tilt
    attack = float(rng.uniform(0.005, 0.08))
    release = np.clip((t[-1] - t) / 0.05, 0, 1) if len(t) else t
    return tone * np.clip(t / attack, 0, 1) * np.exp(-t / float(rng.uniform(0.3, 2.5))) * release


def _hit(rng: np.random.Generator, *, low: bool) -> NDArray[np.float64]:
    t = np.arange(int(0.2 * RATE)) / RATE
    if low:
        return np.sin(2 * np.pi * (50 + 80 * np.exp(-t / 0.03)) * t) * np.exp(-t / 0.08)
    return rng.standard_normal(len(t)) * np.exp(-t / float(rng.uniform(0.01, 0.05)))


def _add(sound: NDArray[np.float64], part: NDArray[np.float64], start: float, gain: float) -> None:
    first = int(start * RATE)
    part = part[: max(0, len(sound) - first)]
    sound[first : first + len(part)] += gain * part
