"""Where the session's speech goes: to the avatar, which reports what was really heard."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Protocol

import numpy as np
from livekit.agents.voice import io

from avatar.types import OUTPUT_RATE, AudioChunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from livekit import rtc

    from avatar.types import Playout


class SpeechListener(Protocol):
    """Hears what the listener hears; may be called from any thread."""

    def started(self, segment_id: str) -> None:
        """The first sound of a segment is heard."""
        ...

    def finished(self, playout: Playout) -> None:
        """The last sound of a segment was heard, or the rest was dropped."""
        ...


class SpeechSink(Protocol):
    """Plays speech; `avatar.stream.AvatarStream` is one, and `agent.playout.PacedSink` one without a picture."""

    @property
    def listener(self) -> SpeechListener | None:
        """Who hears about playout."""
        ...

    @listener.setter
    def listener(self, value: SpeechListener | None) -> None: ...

    def push_audio(self, chunk: AudioChunk, segment_id: str = "") -> None:
        """Adds speech to the open segment, or opens one."""
        ...

    def end_segment(self, segment_id: str = "") -> None:
        """Declares the open segment complete."""
        ...

    def interrupt(self) -> Playout | None:
        """Drops all speech that was not heard."""
        ...

    def pause(self) -> None:
        """Stops, to go on later from the same sample."""
        ...

    def resume(self) -> None:
        """Lets paused speech go on."""
        ...


class AvatarOutput(io.AudioOutput):
    """livekit's audio output over a `SpeechSink`: it can pause, and every position it reports was heard.

    Made and used in the event loop; the sink may report from any thread.
    """

    def __init__(self, sink: SpeechSink) -> None:
        super().__init__(label="avatar", capabilities=io.AudioOutputCapabilities(pause=True))
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._names = (f"reply-{number}" for number in itertools.count(1))
        self._open = ""
        self._n_samples = 0
        self._dropping = False
        sink.listener = self

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Passes speech on, faster than it is heard."""
        await super().capture_frame(frame)
        if self._dropping:
            return
        if not self._open:
            self._open, self._n_samples = next(self._names), 0
        samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels).mean(axis=1)
        chunk = AudioChunk((samples / 32768).astype(np.float32), frame.sample_rate, self._n_samples)
        self._n_samples += len(chunk.samples)
        self._sink.push_audio(chunk, self._open)

    def flush(self) -> None:
        """Ends the segment."""
        super().flush()
        if self._open:
            self._sink.end_segment(self._open)
        self._open, self._dropping = "", False

    def clear_buffer(self) -> None:
        """Drops what was not heard; what still comes of an open segment is dropped as well."""
        self._dropping = bool(self._open)
        self._open = ""
        self._sink.interrupt()

    def pause(self) -> None:
        """Stops, to go on later from the same sample."""
        super().pause()
        self._sink.pause()

    def resume(self) -> None:
        """Goes on."""
        super().resume()
        self._sink.resume()

    def started(self, segment_id: str) -> None:
        """The sink reports the first sound of a segment."""
        moment = time.time()
        self._in_loop(lambda: self.on_playback_started(created_at=moment))

    def finished(self, playout: Playout) -> None:
        """The sink reports the end of a segment."""
        position = playout.position / OUTPUT_RATE
        interrupted = playout.interrupted
        self._in_loop(lambda: self.on_playback_finished(playback_position=position, interrupted=interrupted))

    def _in_loop(self, report: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(report)


class CaptionOutput(io.TextOutput):
    """livekit's text output: the avatar's words, as they are heard."""

    def __init__(self, on_words: Callable[[str], None]) -> None:
        super().__init__(label="captions", next_in_chain=None)
        self._on_words = on_words

    async def capture_text(self, text: str) -> None:
        """Passes words on."""
        self._on_words(str(text))

    def flush(self) -> None:
        """A reply's words are complete; nothing waits for that."""
