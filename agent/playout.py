"""A listener's ear without a picture: plays speech and keeps what was heard, when."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.types import FRAME_RATE, OUTPUT_RATE, AudioChunk, Cue, Playout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.output import SpeechListener

_FADE_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """Speech heard in one frame.

    Attributes:
        index: The frame, counted from the sink's start, 25 a second.
        segment_id: The segment.
        samples: float32 (n_samples,), a frame's worth, or less at a segment's end.
        sample_rate: Hz.
        cues: What the face does with it: each with its sample in this frame.
    """

    index: int
    segment_id: str
    samples: NDArray[np.float32]
    sample_rate: int
    cues: tuple[tuple[int, Cue], ...] = ()


@dataclass(slots=True)
class _Segment:
    segment_id: str
    chunks: deque[NDArray[np.float32]] = field(default_factory=deque)
    sample_rate: int = 0
    n_waiting: int = 0
    n_heard: int = 0
    n_pushed: int = 0
    ended: bool = False
    cues: deque[tuple[int, Cue]] = field(default_factory=deque)


class PacedSink:
    """Plays speech frame by frame, one for every `step`, and remembers it.

    Attributes:
        listener: Hears about playout, if set.
        heard: Every frame in which there was speech, in order.
    """

    def __init__(self) -> None:
        self.listener: SpeechListener | None = None
        self.heard: list[HeardFrame] = []
        self._segments: deque[_Segment] = deque()
        self._paused = False
        self._n_frames = 0

    @property
    def busy(self) -> bool:
        """Whether there is speech to be heard, or to come."""
        return bool(self._segments)

    def step(self) -> None:
        """Plays one frame."""
        segment = self._segments[0] if self._segments else None
        if segment and not self._paused and (segment.n_waiting or segment.ended):
            samples = _take(segment)
            if len(samples):
                cues = _due(segment, len(samples))
                self.heard.append(HeardFrame(self._n_frames, segment.segment_id, samples, segment.sample_rate, cues))
                if segment.n_heard == 0 and self.listener:
                    self.listener.started(segment.segment_id)
                segment.n_heard += len(samples)
            if segment.ended and not segment.n_waiting:
                self._segments.popleft()
                self._report(segment, interrupted=False)
        self._n_frames += 1

    def push_audio(self, chunk: AudioChunk, segment_id: str = "") -> None:
        """Adds speech to the open segment, or opens one."""
        if not self._segments or self._segments[-1].ended:
            self._segments.append(_Segment(segment_id))
        segment = self._segments[-1]
        segment.sample_rate = chunk.sample_rate
        segment.chunks.append(chunk.samples)
        segment.cues.extend((segment.n_pushed + sample, cue) for sample, cue in chunk.cues)
        segment.n_pushed += len(chunk.samples)
        segment.n_waiting += len(chunk.samples)

    def end_segment(self, segment_id: str = "") -> None:
        """Declares the open segment complete."""
        if not self._segments or self._segments[-1].ended:
            self._segments.append(_Segment(segment_id))
        self._segments[-1].ended = True

    def interrupt(self) -> Playout | None:
        """Drops all speech that was not heard; the last frame's sound fades out."""
        if self._segments and self._segments[0].n_heard and not self._paused:
            self._fade()
        dropped = [self._report(segment, interrupted=True) for segment in self._segments]
        self._segments.clear()
        self._paused = False
        return dropped[0] if dropped else None

    def pause(self) -> None:
        """Stops, to go on later from the same sample."""
        if self._segments and self._segments[0].n_heard and not self._paused:
            self._fade()
        self._paused = True

    def resume(self) -> None:
        """Goes on."""
        self._paused = False

    def _fade(self) -> None:
        last = self.heard[-1]
        n_faded = min(round(_FADE_SECONDS * last.sample_rate), len(last.samples))
        samples = last.samples.copy()
        samples[len(samples) - n_faded :] *= np.linspace(1, 0, n_faded, dtype=np.float32)
        self.heard[-1] = replace(last, samples=samples)

    def _report(self, segment: _Segment, *, interrupted: bool) -> Playout:
        position = round(segment.n_heard * OUTPUT_RATE / segment.sample_rate) if segment.sample_rate else 0
        playout = Playout(segment.segment_id, position, interrupted)
        if self.listener:
            self.listener.finished(playout)
        return playout


def _due(segment: _Segment, n_samples: int) -> tuple[tuple[int, Cue], ...]:
    """Takes the cues of the samples that are heard next."""
    due: list[tuple[int, Cue]] = []
    while segment.cues and segment.cues[0][0] < segment.n_heard + n_samples:
        sample, cue = segment.cues.popleft()
        due.append((sample - segment.n_heard, cue))
    return tuple(due)


def _take(segment: _Segment) -> NDArray[np.float32]:
    """Takes a frame's worth of samples, or what there is."""
    wanted = segment.sample_rate // FRAME_RATE
    parts: list[NDArray[np.float32]] = []
    while wanted and segment.chunks:
        chunk = segment.chunks.popleft()
        parts.append(chunk[:wanted])
        if len(chunk) > wanted:
            segment.chunks.appendleft(chunk[wanted:])
        wanted -= len(parts[-1])
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    segment.n_waiting -= len(samples)
    return samples
