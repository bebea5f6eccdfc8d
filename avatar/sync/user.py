"""The user's sound, laid on the avatar's frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avatar.audio import Resampler
from avatar.sync.samples import SampleBuffer
from avatar.sync.segment import SPEECH_SAMPLES
from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from avatar.types import AudioChunk


class UserTrack:
    """The user's sound for the models, laid on the avatar's frames.

    Args:
        most_ahead: How many frames it may run ahead of what is shown, as a microphone's clock does over hours; what
            comes then is laid at the frame shown now. None lays all sound one piece after the other (files).
    """

    def __init__(self, most_ahead: int | None) -> None:
        self._most_ahead = most_ahead
        self._buffer = SampleBuffer()
        self._resampler: Resampler | None = None
        self._rate = 0

    def push(self, chunk: AudioChunk, now: int) -> None:
        """Adds sound that is heard from frame `now` on, or directly after the sound pushed before."""
        if self._resampler is None or chunk.sample_rate != self._rate:
            self._rate = chunk.sample_rate
            self._resampler = Resampler(self._rate, SPEECH_RATE)
        earliest = now * SPEECH_SAMPLES
        latest = None if self._most_ahead is None else (now + self._most_ahead) * SPEECH_SAMPLES
        if self._buffer.end < earliest or (latest is not None and self._buffer.end > latest):
            self._buffer.skip_to(earliest)
        self._buffer.append(self._resampler.push(chunk.samples))

    def read(self, start: int, n_frames: int) -> NDArray[np.float32]:
        """Returns float32 (n_frames * 640,) from frame `start`, zero where unknown."""
        return self._buffer.read(start * SPEECH_SAMPLES, n_frames * SPEECH_SAMPLES)

    def forget(self, before: int) -> None:
        """Drops the sound before a frame."""
        self._buffer.forget(before * SPEECH_SAMPLES)
