"""Loudness, pitch and accents of a track of speech, at 25 frames a second: what head and brows move to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from avatar.training.corpus.audio import RATE
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HOP: Final = RATE // FRAME_RATE
_WINDOW: Final = 1024
_LOWEST_F0: Final = 60.0
_HIGHEST_F0: Final = 400.0
_VOICED: Final = 0.45
_SILENCE_DB: Final = -50.0


@dataclass(frozen=True, slots=True)
class Prosody:
    """A track's prosody; each array float64 (n_frames,).

    Attributes:
        energy: Level over the track's own speech, 0 in silence to about 1 in loud syllables.
        pitch: Semitones from the track's median, interpolated through unvoiced frames, 0 in silence.
        accents: Frames of pitch accents, in order.
        strengths: Strength of each accent, about 0.3 to 1.5.
    """

    energy: NDArray[np.float64]
    pitch: NDArray[np.float64]
    accents: NDArray[np.int64]
    strengths: NDArray[np.float64]


def analyse(samples: NDArray[np.float32], n_frames: int) -> Prosody:
    """Returns the prosody of 16 kHz sound of `n_frames` frames."""
    padded = np.zeros(n_frames * _HOP + _WINDOW, np.float64)
    padded[(_WINDOW - _HOP) // 2 :][: len(samples)] += samples[: n_frames * _HOP]
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][:n_frames]
    level = 10 * np.log10(np.mean(windows**2, axis=1) + 1e-10)
    loud = level > _SILENCE_DB
    energy = np.zeros(n_frames)
    if loud.any():
        low, high = np.percentile(level[loud], (10, 95))
        energy = np.where(loud, np.clip((level - low) / max(high - low, 6.0), 0.0, 1.3), 0.0)
    pitch = _pitch(windows, loud)
    score = gaussian_filter1d(energy, 1.5) + 0.12 * gaussian_filter1d(np.clip(pitch, -6, 8), 1.5)
    accents = _peaks(score, min_distance=9, min_height=0.5)
    return Prosody(energy, pitch, accents, np.clip(score[accents], 0.3, 1.5))


def _pitch(windows: NDArray[np.float64], loud: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Returns semitones from the median by the autocorrelation's best peak (Boersma 1993)."""
    n_frames = len(windows)
    pitch = np.zeros(n_frames)
    if not loud.any():
        return pitch
    taper = np.hanning(_WINDOW)
    spectrum = np.fft.rfft(windows[loud] * taper, 2 * _WINDOW)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:, :_WINDOW]
    own = np.fft.irfft(np.abs(np.fft.rfft(taper, 2 * _WINDOW)) ** 2)[:_WINDOW]
    normal = correlation / (correlation[:, :1] + 1e-9) / (own / own[0] + 1e-3)
    shortest, longest = int(RATE / _HIGHEST_F0), int(RATE / _LOWEST_F0)
    band = normal[:, shortest:longest] - 0.0004 * np.arange(longest - shortest)
    lag = band.argmax(1) + shortest
    voiced = band.max(1) > _VOICED
    if voiced.sum() < 3:
        return pitch
    semitones = 12 * np.log2(RATE / lag)
    semitones -= np.median(semitones[voiced])
    frames = np.flatnonzero(loud)
    pitch = np.interp(np.arange(n_frames), frames[voiced], np.clip(semitones[voiced], -9, 9))
    return np.where(gaussian_filter1d(loud.astype(float), 3) > 0.15, gaussian_filter1d(pitch, 1.0), 0.0)


def _peaks(score: NDArray[np.float64], *, min_distance: int, min_height: float) -> NDArray[np.int64]:
    inner = np.flatnonzero((score[1:-1] >= score[:-2]) & (score[1:-1] > score[2:]) & (score[1:-1] > min_height)) + 1
    kept: list[int] = []
    for frame in inner[np.argsort(-score[inner])]:
        if all(abs(frame - other) >= min_distance for other in kept):
            kept.append(int(frame))
    return np.array(sorted(kept), np.int64)
