"""A segment of the agent's speech, handed out frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.audio import Resampler
from avatar.errors import InputError
from avatar.sync.samples import SampleBuffer
from avatar.types import FRAME_RATE, OUTPUT_RATE, SPEECH_RATE, AudioChunk, Cue, Playout

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTPUT_SAMPLES: Final = OUTPUT_RATE // FRAME_RATE
"""Samples of a frame's sound for the listener: 1 920."""

SPEECH_SAMPLES: Final = SPEECH_RATE // FRAME_RATE
"""Samples of a frame's sound for the models: 640."""

_FADE_SECONDS: Final = 0.02
_KEPT_FRAMES: Final = 4 * FRAME_RATE
"""How far behind its end a segment can be rewound; far more than is ever planned ahead."""

SILENCE: Final = np.zeros(OUTPUT_SAMPLES, np.float32)
"""A frame of silence for the listener, shared by all frames that are plain silence."""

SPEECH_SILENCE: Final = np.zeros(SPEECH_SAMPLES, np.float32)
"""The same for the models."""

for _shared in (SILENCE, SPEECH_SILENCE):
    _shared.setflags(write=False)


class Segment:
    """Continuous agent speech, handed out frame by frame.

    Attributes:
        segment_id: Its name, empty until known.
        ended: Whether all its sound has arrived.
        n_taken: Frames handed out.
        flowing: Whether its sound runs; it does not before its start, when starved, and when paused.
        fades_in: Whether the next frame starts from silence, because the last one faded out.
    """

    __slots__ = (
        "_cues",
        "_n_pushed",
        "_output",
        "_rate",
        "_resamplers",
        "_speech",
        "ended",
        "fades_in",
        "flowing",
        "n_taken",
        "segment_id",
    )

    def __init__(self, segment_id: str) -> None:
        self.segment_id = segment_id
        self.ended = False
        self.n_taken = 0
        self.flowing = False
        self.fades_in = False
        self._output = SampleBuffer()
        self._speech = SampleBuffer()
        self._rate = 0
        self._n_pushed = 0
        self._cues: dict[int, tuple[Cue, ...]] = {}
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
        for sample, cue in chunk.cues:
            frame = (self._n_pushed + sample) * FRAME_RATE // self._rate
            self._cues[frame] = (*self._cues.get(frame, ()), cue)
        self._n_pushed += len(chunk.samples)

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
        cues = self._cues.get(self.n_taken, ())
        if self.fades_in:
            self.fades_in, cues = False, ()  # they were due in the same frame when it faded out
            output, speech = faded(output, opening=True), faded(speech, opening=True)
        position = self.position
        self.n_taken += 1
        self._output.forget((self.n_taken - _KEPT_FRAMES) * OUTPUT_SAMPLES)
        self._speech.forget((self.n_taken - _KEPT_FRAMES) * SPEECH_SAMPLES)
        return SoundFrame(output, speech, speaking=True, segment=self, position=position, cues=cues)

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
        cues: What the face does from this frame on.
    """

    output: NDArray[np.float32]
    speech: NDArray[np.float32]
    speaking: bool = False
    segment: Segment | None = None
    position: int = 0
    finished: tuple[Segment, ...] = ()
    cues: tuple[Cue, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether it is plain silence, which may be taken back for speech to start earlier."""
        return self.output is SILENCE and not self.finished


def faded(samples: NDArray[np.float32], *, opening: bool) -> NDArray[np.float32]:
    """Returns a frame that rises from silence, or falls to it, within 20 ms (raised cosine)."""
    n_faded = round(len(samples) * FRAME_RATE * _FADE_SECONDS)
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(n_faded) + 0.5) / n_faded)).astype(np.float32)
    out = samples.copy() if opening else np.zeros_like(samples)
    out[:n_faded] = samples[:n_faded] * (rise if opening else rise[::-1])
    return out
