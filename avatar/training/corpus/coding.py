"""Speech through linear prediction, as diphone synthesisers and narrow telephone lines code it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FRAME: Final = 400
_HOP: Final = 200
_SPECTRUM: Final = 1024
_RIDGE: Final = 1e-4
_AT_ONCE: Final = 512
"""Frames (of 25 ms, every 12.5 ms) whose spectra are held at once."""


def coded(samples: NDArray[np.float32], *, order: int, noise: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns sound whose residual under linear prediction (Makhoul 1975) is partly noise; same length and timing.

    Args:
        samples: 16 kHz.
        order: Poles of the predictor; fewer blur the spectrum more.
        noise: Share of the residual's amplitude that is noise of the same energy, 0 to 1.
        rng: Source of that noise.
    """
    n_frames = len(samples) // _HOP + 2
    padded = np.pad(samples, (_HOP, _FRAME + _HOP))
    taper = np.sqrt(np.hanning(_FRAME + 1)[:-1])
    result = np.zeros(n_frames * _HOP + _FRAME)
    for first in range(0, n_frames, _AT_ONCE):
        starts = np.arange(first, min(first + _AT_ONCE, n_frames)) * _HOP
        starts = starts[starts + _FRAME <= len(padded)]
        frames = padded[starts[:, None] + np.arange(_FRAME)].astype(np.float64) * taper
        pieces = _recoded(frames, order, noise, rng)[:, :_FRAME] * taper
        for start, piece in zip(starts, pieces, strict=True):
            result[start : start + _FRAME] += piece
    return result[_HOP : _HOP + len(samples)].astype(np.float32)


def _recoded(frames: NDArray[np.float64], order: int, noise: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Returns frames (n, _SPECTRUM) from their envelope and a residual that is partly noise."""
    spectra = np.fft.rfft(frames, _SPECTRUM)
    lags = np.fft.irfft(np.abs(spectra) ** 2)[:, : order + 1]
    lags[:, 0] = lags[:, 0] * (1 + _RIDGE) + 1e-9
    between = np.abs(np.arange(order)[:, None] - np.arange(order))
    predictor = np.linalg.solve(lags[:, between], lags[:, 1:, None])[..., 0]
    whitening = np.fft.rfft(np.concatenate([np.ones((len(frames), 1)), -predictor], axis=1), _SPECTRUM)
    residual = spectra * whitening
    hiss = np.fft.rfft(rng.standard_normal(frames.shape) * np.hanning(_FRAME), _SPECTRUM)
    hiss *= np.sqrt((np.abs(residual) ** 2).mean(axis=1) / (np.abs(hiss) ** 2).mean(axis=1))[:, None]
    return np.fft.irfft(((1 - noise) * residual + noise * hiss) / whitening, _SPECTRUM)
