"""Which sound belongs to which frame.

The agent's speech arrives in segments, faster or slower than it is heard. `SpeechTrack` hands it out frame by frame,
1 920 samples at 48 kHz for the listener and the same moment at 16 kHz for the motion model, so a picture and its sound
can't drift apart. A segment starts with a frame of its own: its sample s is heard in its frame s // 1 920.

What was handed out but not shown can be taken back (`rewind`): that is how a reply starts at once although idle frames
were planned already, and how pausing and interrupting are exact to the sample.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.audio import Resampler
from avatar.errors import InputError
from avatar.types import FRAME_RATE, OUTPUT_RATE, SPEECH_RATE, AudioChunk, Playout

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTPUT_SAMPLES: Final = OUTPUT_RATE // FRAME_RATE
"""Samples of a frame's sound for the listener: 1 920."""

SPEECH_SAMPLES: Final = SPEECH_RATE // FRAME_RATE
"""Samples of a frame's sound for the models: 640."""

_FADE_SECONDS: Final = 0.02
_KEPT_FRAMES: Final = 4 * FRAME_RATE
"""How far behind its end a segment can be rewound; far more than is ever planned ahead."""

_SILENCE: Final = np.zeros(OUTPUT_SAMPLES, np.float32)
_SPEECH_SILENCE: Final = np.zeros(SPEECH_SAMPLES, np.float32)
for _shared in (_SILENCE, _SPEECH_SILENCE):
    _shared.setflags(write=False)


class SampleBuffer:
    """Samples by absolute index: grows at its end, forgets at its start; what it does not hold reads as zero."""

    def __init__(self) -> None:
        self._data = np.zeros(0, np.float32)
        self._start = 0
        self._end = 0

    @property
    def end(self) -> int:
        """Index after the last sample."""
        return self._end

    def append(self, samples: NDArray[np.float32]) -> None:
        """Adds samples, float32 (n,), at the end."""
        held = self._end - self._start
        if held + len(samples) > len(self._data):
            grown = np.zeros(max(2 * (held + len(samples)), OUTPUT_RATE), np.float32)
            grown[:held] = self._data[:held]
            self._data = grown
        self._data[held : held + len(samples)] = samples
        self._end += len(samples)

    def skip_to(self, index: int) -> None:
        """Moves the end to `index`: adds zeros, or drops the last samples."""
        if index > self._end:
            self.append(np.zeros(index - self._end, np.float32))
        else:
            self._start = min(self._start, index)
            self._end = index

    def read(self, start: int, n_samples: int) -> NDArray[np.float32]:
        """Returns a copy of `n_samples` samples from `start`, float32 (n_samples,)."""
        out = np.zeros(n_samples, np.float32)
        low, high = max(start, self._start), min(start + n_samples, self._end)
        if low < high:
            out[low - start : high - start] = self._data[low - self._start : high - self._start]
        return out

    def forget(self, before: int) -> None:
        """Drops the samples before an index; it may lie beyond the end, which moves there."""
        if before >= self._end:
            self._start = self._end = before
        n_dropped = before - self._start
        if n_dropped > len(self._data) // 2:  # rarely, so that moving the rest costs little
            held = self._data[n_dropped : self._end - self._start].copy()
            self._data[: len(held)] = held
            self._start += n_dropped


class Segment:
    """Continuous agent speech, handed out frame by frame.

    Attributes:
        segment_id: Its name, empty until known.
        ended: Whether all its sound has arrived.
        n_taken: Frames handed out.
        flowing: Whether its sound runs; it does not before its start, when starved, and when paused.
        fades_in: Whether the next frame starts from silence, because the last one faded out.
    """

    __slots__ = ("_output", "_rate", "_resamplers", "_speech", "ended", "fades_in", "flowing", "n_taken", "segment_id")

    def __init__(self, segment_id: str) -> None:
        self.segment_id = segment_id
        self.ended = False
        self.n_taken = 0
        self.flowing = False
        self.fades_in = False
        self._output = SampleBuffer()
        self._speech = SampleBuffer()
        self._rate = 0
        self._resamplers: tuple[Resampler, Resampler] | None = None

    @property
    def n_ready(self) -> int:
        """Frames that can be taken now; the last one of an ended segment may be filled up with silence."""
        if self.ended:
            n_whole = max(-(-self._output.end // OUTPUT_SAMPLES), -(-self._speech.end // SPEECH_SAMPLES))
        else:
            n_whole = min(self._output.end // OUTPUT_SAMPLES, self._speech.end // SPEECH_SAMPLES)
        return n_whole - self.n_taken

    @property
    def position(self) -> int:
        """Samples at OUTPUT_RATE handed out."""
        return min(self.n_taken * OUTPUT_SAMPLES, self._output.end)

    def playout(self) -> Playout:
        """Returns how much was handed out."""
        return Playout(self.segment_id, self.position, interrupted=self.n_ready > 0 or not self.ended)

    def push(self, chunk: AudioChunk) -> None:
        """Adds sound.

        Raises:
            InputError: The sample rate changed within the segment.
        """
        if self._resamplers is None:
            self._rate = chunk.sample_rate
            self._resamplers = (Resampler(self._rate, OUTPUT_RATE), Resampler(self._rate, SPEECH_RATE))
        if chunk.sample_rate != self._rate:
            raise InputError("taking speech", expected=f"{self._rate} Hz as before", got=f"{chunk.sample_rate} Hz")
        for resampler, buffer in zip(self._resamplers, (self._output, self._speech), strict=True):
            buffer.append(resampler.push(chunk.samples))

    def end(self) -> None:
        """Declares that no more sound will come."""
        if self._resamplers is not None and not self.ended:
            for resampler, buffer in zip(self._resamplers, (self._output, self._speech), strict=True):
                buffer.append(resampler.finish())
        self.ended = True

    def take(self) -> SoundFrame:
        """Hands out the next frame of sound."""
        output = self._output.read(self.n_taken * OUTPUT_SAMPLES, OUTPUT_SAMPLES)
        speech = self.peek(1)
        if self.fades_in:
            self.fades_in = False
            output, speech = _faded(output, opening=True), _faded(speech, opening=True)
        position = self.position
        self.n_taken += 1
        self._output.forget((self.n_taken - _KEPT_FRAMES) * OUTPUT_SAMPLES)
        self._speech.forget((self.n_taken - _KEPT_FRAMES) * SPEECH_SAMPLES)
        return SoundFrame(output, speech, speaking=True, segment=self, position=position)

    def peek(self, n_frames: int) -> NDArray[np.float32]:
        """Returns the coming sound for the models, float32 (n_frames * 640,), without handing it out."""
        return self._speech.read(self.n_taken * SPEECH_SAMPLES, n_frames * SPEECH_SAMPLES)


@dataclass(frozen=True, slots=True)
class SoundFrame:
    """The sound of one frame.

    Attributes:
        output: float32 (1920,), for the listener.
        speech: float32 (640,), the same for the models.
        speaking: Whether the avatar is in the middle of saying something, be it starved of sound.
        segment: The segment whose sound this is, if any.
        position: Samples of that segment heard before this frame.
        finished: Segments that end with this frame.
    """

    output: NDArray[np.float32]
    speech: NDArray[np.float32]
    speaking: bool = False
    segment: Segment | None = None
    position: int = 0
    finished: tuple[Segment, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether it is plain silence, which may be taken back for speech to start earlier."""
        return self.output is _SILENCE and not self.finished


def _faded(samples: NDArray[np.float32], *, opening: bool) -> NDArray[np.float32]:
    """Returns a frame that rises from silence, or falls to it, within 20 ms (raised cosine)."""
    n_faded = round(len(samples) * FRAME_RATE * _FADE_SECONDS)
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(n_faded) + 0.5) / n_faded)).astype(np.float32)
    out = samples.copy() if opening else np.zeros_like(samples)
    out[:n_faded] = samples[:n_faded] * (rise if opening else rise[::-1])
    return out


class SpeechTrack:
    """The agent's sound, frame by frame.

    Args:
        start_frames: Frames of a segment that must have arrived before it starts, or goes on after it was starved;
            fewer if it has ended.
    """

    def __init__(self, start_frames: int) -> None:
        self._start_frames = start_frames
        self._frames: deque[SoundFrame] = deque()
        self._first = 0
        self._segments: deque[Segment] = deque()
        self._paused = False

    @property
    def end(self) -> int:
        """Index after the last frame handed out."""
        return self._first + len(self._frames)

    def __getitem__(self, index: int) -> SoundFrame:
        """Returns a frame that was handed out and not forgotten."""
        return self._frames[index - self._first]

    def spoke(self, index: int) -> bool:
        """Tells whether speech was heard in a frame; False if it was forgotten."""
        return self._first <= index < self.end and self[index].segment is not None

    def push(self, chunk: AudioChunk, segment_id: str) -> None:
        """Adds sound to the open segment, or opens one.

        Raises:
            InputError: The sample rate changed within the segment.
        """
        if not self._segments or self._segments[-1].ended:
            self._segments.append(Segment(segment_id))
        self._segments[-1].push(chunk)

    def end_segment(self, segment_id: str) -> None:
        """Ends the open segment; one without any sound finishes with the next frame."""
        if not self._segments or self._segments[-1].ended:
            self._segments.append(Segment(segment_id))
        self._segments[-1].segment_id = segment_id or self._segments[-1].segment_id
        self._segments[-1].end()

    def upcoming(self) -> tuple[int, bool]:
        """Returns how many frames of speech can follow at once, and whether that is all there will be for now."""
        n_frames = 0
        for segment in () if self._paused else self._segments:
            if not self._runs(segment):
                break
            n_frames += segment.n_ready
            if not segment.ended:
                return n_frames, False
        return n_frames, True

    def n_unheard(self, shown: int) -> int:
        """Returns how many frames of speech have arrived and are not before frame `shown`."""
        handed_out = sum(self.spoke(index) for index in range(shown, self.end))
        return handed_out + sum(segment.n_ready for segment in self._segments)

    def extend(self) -> None:
        """Hands out one more frame: the next of the speech, or silence."""
        finished: list[Segment] = []
        frame = SoundFrame(_SILENCE, _SPEECH_SILENCE)
        while self._segments and not self._paused:
            segment = self._segments[0]
            if segment.n_ready:
                segment.flowing = self._runs(segment)
                frame = (
                    segment.take()
                    if segment.flowing
                    else SoundFrame(_SILENCE, _SPEECH_SILENCE, speaking=segment.n_taken > 0)
                )
            elif not segment.ended:
                segment.flowing = False
                frame = SoundFrame(_SILENCE, _SPEECH_SILENCE, speaking=segment.n_taken > 0)
            if not segment.ended or segment.n_ready:
                break
            finished.append(segment)
            self._segments.popleft()
            if frame.segment is segment:
                break
        self._frames.append(replace(frame, finished=tuple(finished)) if finished else frame)

    def peek(self, n_frames: int) -> NDArray[np.float32]:
        """Returns the speech after the last frame handed out, float32 (n_frames * 640,), zero where unknown."""
        out = np.zeros(n_frames * SPEECH_SAMPLES, np.float32)
        filled = 0
        for segment in () if self._paused else self._segments:
            if not self._runs(segment) or filled >= n_frames:
                break
            out[filled * SPEECH_SAMPLES :] = segment.peek(n_frames - filled)
            filled += segment.n_ready
            if not segment.ended:
                break
        return out

    def speech(self, start: int, n_frames: int) -> NDArray[np.float32]:
        """Returns the sound for the models of frames handed out, float32 (n_frames * 640,), zero where forgotten."""
        parts = (
            self[index].speech if self._first <= index < self.end else _SPEECH_SILENCE
            for index in range(start, start + n_frames)
        )
        return np.concatenate(list(parts))

    def drop_silence(self, first: int) -> bool:
        """Takes back silent frames from the end, but none before `first`, if speech can follow; tells whether any."""
        before = self.end
        if self.upcoming()[0]:
            while self.end > first and self._frames[-1].silent:
                self._frames.pop()
        return self.end < before

    def pause(self, first: int) -> None:
        """Stops the speech at frame `first`, the first not shown; it fades out there and goes on later from there."""
        self._rewind(first)
        fading = self._fade_out()
        if fading is not None:
            self._frames.append(fading)
            self._segments[0].n_taken -= 1
            self._segments[0].fades_in = True
        self._paused = True

    def resume(self) -> None:
        """Lets the speech go on where it stopped."""
        self._paused = False

    def interrupt(self, first: int) -> list[Playout]:
        """Drops all speech from frame `first` on, the first not shown; it fades out there.

        Returns:
            What was heard of each segment, its fading end not counted.
        """
        self._rewind(first)
        heard = [segment.playout() for segment in self._segments]
        fading = self._fade_out()
        if fading is not None:
            self._frames.append(replace(fading, segment=None))
        self._segments.clear()
        self._paused = False
        return heard

    def forget(self, before: int) -> None:
        """Drops the frames before an index."""
        while self._first < before and self._frames:
            self._frames.popleft()
            self._first += 1

    def _runs(self, segment: Segment) -> bool:
        return segment.flowing or segment.ended or segment.n_ready >= self._start_frames

    def _rewind(self, first: int) -> None:
        """Takes back the frames from `first` on, and their sound; the fading end of dropped speech stays."""
        while self.end > first and (self._frames[-1].silent or self._frames[-1].segment or self._frames[-1].finished):
            frame = self._frames.pop()
            own = () if frame.segment is None else (frame.segment,)
            for segment in (*own, *reversed(frame.finished)):
                if segment not in self._segments:
                    self._segments.appendleft(segment)
            for segment in own:
                segment.n_taken = frame.position // OUTPUT_SAMPLES
                segment.flowing, segment.fades_in = True, False

    def _fade_out(self) -> SoundFrame | None:
        """Returns the next frame, fading, if speech was running; stops it."""
        segment = self._segments[0] if self._segments else None
        if segment is None or not segment.n_taken or not segment.n_ready or not segment.flowing:
            return None
        frame = segment.take()
        segment.flowing = False
        output, speech = (_faded(samples, opening=False) for samples in (frame.output, frame.speech))
        return replace(frame, output=output, speech=speech)


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
