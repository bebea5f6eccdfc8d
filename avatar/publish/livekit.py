"""An `AvatarStream` as livekit-agents' video generator, for any agent that uses `voice.avatar.AvatarRunner`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, VideoGenerator

from avatar.audio import from_int16, to_int16
from avatar.types import OUTPUT_RATE, AudioChunk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from numpy.typing import NDArray

    from avatar.stream import LiveStream
    from avatar.types import Playout, SyncedFrame


class AvatarVideoGenerator(VideoGenerator):
    """livekit's `VideoGenerator`: speech in; pictures, and their sound while there is speech, out.

    `AvatarRunner` counts every sound that it gets as speech heard, so silence is not sent.

    Args:
        live: The running stream, whose listener this becomes.
    """

    def __init__(self, live: LiveStream) -> None:
        self._live = live
        self._sounding = False
        self._fading = False
        self._n_ended = 0
        live.stream.listener = self

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        """Takes speech of any rate, or its end.

        Raises:
            InputError: The sample rate changed within the segment.
        """
        if isinstance(frame, AudioSegmentEnd):
            self._live.stream.end_segment()
            return
        samples = from_int16(np.frombuffer(frame.data, np.int16)).reshape(-1, frame.num_channels)
        self._live.stream.push_audio(AudioChunk(samples.mean(axis=1, dtype=np.float32), frame.sample_rate))

    def clear_buffer(self) -> None:
        """Drops what was not heard."""
        self._live.stream.interrupt()

    async def __aiter__(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        """Yields 25 pictures a second, each followed by its sound while there is speech, and each segment's end."""
        async for frame in self._live.frames():
            yield _picture(frame)
            if self._sounding or self._n_ended:
                yield _sound(frame.audio)
            elif self._fading and np.any(frame.audio):
                yield _sound(frame.audio[: OUTPUT_RATE // 50])
            self._fading = False
            for _ in range(self._n_ended):
                yield AudioSegmentEnd()
            self._n_ended = 0

    def started(self, segment_id: str) -> None:
        """The first sound of a segment is shown."""
        self._sounding = True

    def finished(self, playout: Playout) -> None:
        """The last sound of a segment is shown, or the rest was dropped; the runner reports that by itself."""
        self._sounding = False
        if playout.interrupted:
            self._fading = True
        else:
            self._n_ended += 1


def _picture(frame: SyncedFrame) -> rtc.VideoFrame:
    height, width, _ = frame.rgb.shape
    return rtc.VideoFrame(width, height, rtc.VideoBufferType.RGB24, np.ascontiguousarray(frame.rgb).tobytes())


def _sound(samples: NDArray[np.float32]) -> rtc.AudioFrame:
    return rtc.AudioFrame(to_int16(samples).tobytes(), OUTPUT_RATE, 1, len(samples))
