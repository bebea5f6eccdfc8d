"""Small operations on sound at 16 kHz that the corpus's parts share."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING, Final

import numpy as np
import soxr

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE: Final = 16_000


def resampled(samples: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    """Returns sound of sample rate `rate` at 16 kHz."""
    if rate == RATE:
        return samples.astype(np.float32)
    return np.asarray(soxr.resample(samples.astype(np.float32), rate, RATE), np.float32)


def decode_wav(data: bytes) -> NDArray[np.float32]:
    """Returns 16-bit mono WAV data at 16 kHz, whatever its own rate, in [-1, 1]."""
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return resampled((raw / 32768).astype(np.float32), rate)


def levelled(samples: NDArray[np.float32], level_db: float) -> NDArray[np.float32]:
    """Returns sound whose active part (above a tenth of its peak) has an RMS of `level_db` dBFS, peaks kept below 1."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < 1e-4:
        return samples
    active = samples[np.abs(samples) > 0.1 * peak]
    gain = 10 ** (level_db / 20) / float(np.sqrt(np.mean(active**2)))
    return (samples * min(gain, 0.98 / peak)).astype(np.float32)
