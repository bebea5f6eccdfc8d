"""The agent's sound, frame by frame."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from avatar.sync.segment import OUTPUT_SAMPLES, SILENCE, SPEECH_SAMPLES, SPEECH_SILENCE, Segment, SoundFrame, faded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.types import AudioChunk, Playout


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

    @property
    def paused(self) -> bool:
        """Whether the speech is held back."""
        return self._paused

    @property
    def arriving(self) -> bool:
        """Whether the first sound of speech is here, but not yet enough to start."""
        return not self._paused and bool(self._segments) and not self._runs(self._segments[0])

    def busy(self, first: int) -> bool:
        """Tells whether there is speech from frame `first` on that could be dropped."""
        handed_out = (self[index] for index in range(max(first, self._first), self.end))
        return bool(self._segments) or any(frame.segment or frame.finished for frame in handed_out)

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
        frame = SoundFrame(SILENCE, SPEECH_SILENCE)
        while self._segments and not self._paused:
            segment = self._segments[0]
            if segment.n_ready:
                segment.flowing = self._runs(segment)
                frame = (
                    segment.take()
                    if segment.flowing
                    else SoundFrame(SILENCE, SPEECH_SILENCE, speaking=segment.n_taken > 0)
                )
            elif not segment.ended:
                segment.flowing = False
                frame = SoundFrame(SILENCE, SPEECH_SILENCE, speaking=segment.n_taken > 0)
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
            self[index].speech if self._first <= index < self.end else SPEECH_SILENCE
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
        output, speech = (faded(samples, opening=False) for samples in (frame.output, frame.speech))
        return replace(frame, output=output, speech=speech)
