"""Where the session's speech goes: to the avatar, which reports what was really heard."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from livekit.agents.voice import io

from agent.cues import CUES
from agent.heard import SpokenText
from agent.playhead import Playhead
from avatar.clock import MonotonicClock
from avatar.types import FRAME_RATE, OUTPUT_RATE, AudioChunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from livekit import rtc

    from avatar.clock import Clock
    from avatar.types import Playout


_CAPTION_SECONDS: Final = 0.1
"""Between two looks at what was heard."""

_ECHO_SECONDS: Final = 0.6
"""From a sound to the end of its echo in what we hear: a network, a room and two buffers lie between."""

_MOST_HUSHES: Final = 3
"""Times in one reply that the voice is held back for somebody who speaks: then they hum along, or hear an echo."""

_ECHO_SLACK: Final = 0.2
"""Seconds by which the voice may be further than its clock says."""


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

    Args:
        sink: Plays the speech.
        captions: Knows the words; it is told which of them are heard.
    """

    def __init__(self, sink: SpeechSink, captions: CaptionOutput) -> None:
        super().__init__(label="avatar", capabilities=io.AudioOutputCapabilities(pause=True))
        self._sink = sink
        self._captions = captions
        self._loop = asyncio.get_running_loop()
        self._names = (f"reply-{number}" for number in itertools.count(1))
        self._open = ""
        self._n_samples = 0
        self._dropping = False
        self._paused = self._hushed = False
        self._n_hushes = 0
        self._loudness: list[tuple[float, float, float]] = []
        sink.listener = self

    @property
    def speaking(self) -> bool:
        """Whether a reply is being heard, or pauses."""
        return self._captions.playhead.begun

    @property
    def lately(self) -> str:
        """The words of this reply and of the one before."""
        return f"{self._captions.before} {self._captions.text}"

    @property
    def loudness(self) -> float:
        """The loudest root mean square of what may echo now: of what was heard within the last half second or so."""
        playhead = self._captions.playhead
        if playhead.quiet > _ECHO_SECONDS:
            return 0.0
        first, last = playhead.position - _ECHO_SECONDS, playhead.position + _ECHO_SLACK
        return max((rms for start, end, rms in self._loudness if start <= last and first <= end), default=0.0)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Passes speech on, faster than it is heard."""
        await super().capture_frame(frame)
        if self._dropping:
            return
        if not self._open:
            self._open, self._n_samples = next(self._names), 0
            self._loudness = []
        samples = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels).mean(axis=1)
        cues = frame.userdata.get(CUES, ())
        chunk = AudioChunk((samples / 32768).astype(np.float32), frame.sample_rate, self._n_samples, cues)
        length = frame.sample_rate // FRAME_RATE
        for first in range(0, len(samples), length):
            block = chunk.samples[first : first + length]
            start = (self._n_samples + first) / frame.sample_rate
            rms = float(np.sqrt(np.mean(np.square(block))))
            self._loudness.append((start, start + len(block) / frame.sample_rate, rms))
        self._n_samples += len(samples)
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
        self._paused = self._hushed = False
        if self._sink.interrupt() is None:
            self._captions.finish(0.0)

    def pause(self) -> None:
        """Stops, to go on later from the same sample."""
        super().pause()
        self._paused = True
        self._hold()

    def resume(self) -> None:
        """Goes on."""
        super().resume()
        self._paused = False
        self._go_on()

    def hush(self) -> None:
        """Holds the voice back while somebody else speaks, a few times in a reply: who hums along can't break it up."""
        if self.speaking and not self._hushed and self._n_hushes < _MOST_HUSHES:
            self._hushed = True
            self._n_hushes += 1
            self._hold()

    def unhush(self) -> None:
        """Lets the voice go on unless it pauses for another reason."""
        if self._hushed:
            self._hushed = False
            self._go_on()

    def _hold(self) -> None:
        self._sink.pause()
        self._captions.playhead.pause()

    def _go_on(self) -> None:
        if not self._paused and not self._hushed:
            self._sink.resume()
            self._captions.playhead.resume()

    def started(self, segment_id: str) -> None:
        """The sink reports the first sound of a segment."""
        moment = time.time()
        self._in_loop(lambda: self._on_started(moment))

    def finished(self, playout: Playout) -> None:
        """The sink reports the end of a segment."""
        self._in_loop(lambda: self._on_finished(playout))

    def _on_started(self, moment: float) -> None:
        self._n_hushes = 0
        self._captions.begin()
        self.on_playback_started(created_at=moment)

    def _on_finished(self, playout: Playout) -> None:
        position = playout.position / OUTPUT_RATE
        heard = self._captions.finish(position if playout.interrupted else None)
        self.on_playback_finished(
            playback_position=position,
            interrupted=playout.interrupted,
            # livekit takes these words for what was said if the reply was cut short
            synchronized_transcript=heard,
        )

    def _in_loop(self, report: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(report)


class CaptionOutput(io.TextOutput):
    """livekit's text output: the avatar's words, passed on as they are heard.

    Args:
        on_words: Takes the words that were heard since the last time.
        clock: Tells how long the voice has been speaking, between its beginning and its end, which are known exactly.

    Attributes:
        playhead: Where in the reply the voice is.
        before: The words of the last reply that were heard.
    """

    def __init__(self, on_words: Callable[[str], None], clock: Clock | None = None) -> None:
        super().__init__(label="captions", next_in_chain=None)
        self._on_words = on_words
        self._clock = clock or MonotonicClock()
        self.playhead = Playhead(self._clock)
        self.before = ""
        self._spoken = SpokenText()
        self._n_told = 0
        self._telling: asyncio.Task[None] | None = None

    @property
    def text(self) -> str:
        """The words of the reply that is being heard, or that comes next, so far."""
        return self._spoken.text

    async def capture_text(self, text: str) -> None:
        """Takes words, sooner than they are heard."""
        self._spoken.add(text)

    def flush(self) -> None:
        """A reply's words are complete; nothing waits for that."""

    def begin(self) -> None:
        """The first sound of a reply is heard."""
        self._stop_telling()
        self.playhead.begin()
        self._telling = asyncio.create_task(self._tell_in_time(), name="captions")

    def finish(self, seconds: float | None) -> str:
        """Passes the rest on that was heard, and returns all that was.

        Args:
            seconds: Of sound that were heard, None if it was all.
        """
        self._stop_telling()
        self.playhead.end()
        heard = self._spoken.text if seconds is None else self._spoken.until(seconds)
        self._tell(heard)
        self._spoken.clear()
        self._n_told = 0
        self.before = heard
        return heard

    async def aclose(self) -> None:
        """Stops."""
        self._stop_telling()

    async def _tell_in_time(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now() + _CAPTION_SECONDS)
            self._tell(self._spoken.until(self.playhead.position))

    def _tell(self, heard: str) -> None:
        if len(heard) > self._n_told:
            self._on_words(heard[self._n_told :])
            self._n_told = len(heard)

    def _stop_telling(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
