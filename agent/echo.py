"""WebRTC's audio processing: takes the avatar's own voice, and noise, out of the microphone's sound."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import numpy as np
from livekit import rtc

from avatar.audio import from_int16, to_int16
from avatar.types import OUTPUT_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK: Final = OUTPUT_RATE // 100
"""Samples that the processing takes at a time: 10 ms."""


class EchoCanceller:
    """Acoustic echo cancellation, noise suppression and a high pass at 48 kHz; may be used from several threads.

    Args:
        delay: Seconds from a far-end block's `played` to its echo in the microphone, roughly: the latencies of speaker
            and microphone together.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self._module = rtc.AudioProcessingModule(echo_cancellation=True, noise_suppression=True, high_pass_filter=True)
        self._lock = threading.Lock()
        self._delay_ms = round(1000 * delay)
        self._far = np.zeros(0, np.float32)
        self._near = np.zeros(0, np.float32)

    def played(self, samples: NDArray[np.float32]) -> None:
        """Takes what the speaker plays, float32 (n_samples,) at 48 kHz."""
        with self._lock:
            blocks, self._far = _blocks(self._far, samples)
            for block in blocks:
                self._module.process_reverse_stream(_frame(block))

    def heard(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes what the microphone heard, float32 (n_samples,) at 48 kHz; returns whole blocks of it, cleaned."""
        with self._lock:
            blocks, self._near = _blocks(self._near, samples)
            cleaned: list[NDArray[np.float32]] = []
            for block in blocks:
                frame = _frame(block)
                self._module.set_stream_delay_ms(self._delay_ms)
                self._module.process_stream(frame)
                cleaned.append(from_int16(np.frombuffer(frame.data, np.int16)))
        return np.concatenate(cleaned) if cleaned else np.zeros(0, np.float32)


def _blocks(
    rest: NDArray[np.float32], samples: NDArray[np.float32]
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    joined = np.concatenate([rest, samples])
    n_whole = len(joined) // BLOCK * BLOCK
    return list(joined[:n_whole].reshape(-1, BLOCK)), joined[n_whole:]


def _frame(block: NDArray[np.float32]) -> rtc.AudioFrame:
    return rtc.AudioFrame(bytearray(to_int16(block).tobytes()), OUTPUT_RATE, 1, len(block))
