"""A recorded conversation as pictures with sound."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.types import FRAME_RATE, OUTPUT_RATE, SPEECH_RATE, AudioChunk, AvatarState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from agent.playout import HeardFrame
    from agent.recording import Recording
    from avatar.motion.types import MotionGenerator, MotionRequest
    from avatar.stream import AvatarStream
    from avatar.types import Cue, MotionChunk, SyncedFrame

_REST_FRAMES: Final = FRAME_RATE * 4 // 5
"""Frames of idling after the last word."""

_OUTPUT_FRAME: Final = OUTPUT_RATE // FRAME_RATE
_SPEECH_FRAME: Final = SPEECH_RATE // FRAME_RATE


@dataclass(frozen=True, slots=True)
class Question:
    """What the user said.

    Attributes:
        speech: float32 (n_samples,) at 16 kHz, for the avatar.
        sound: float32 (n_samples,) at 48 kHz, for the video.
    """

    speech: NDArray[np.float32]
    sound: NDArray[np.float32]


class TimedGenerator:
    """A motion generator that notes how long its last chunk took.

    Attributes:
        seconds: The last chunk's.
    """

    def __init__(self, generator: MotionGenerator) -> None:
        self._generator = generator
        self.seconds = 0.0

    @property
    def audio_context(self) -> int:
        """Frames of sound before the first frame."""
        return self._generator.audio_context

    @property
    def look_ahead(self) -> int:
        """Frames of sound after the last frame."""
        return self._generator.look_ahead

    def generate(self, request: MotionRequest) -> MotionChunk:
        """Returns the frames asked for."""
        start = time.perf_counter()
        chunk = self._generator.generate(request)
        self.seconds = time.perf_counter() - start
        return chunk

    def truncate(self, frame: int) -> None:
        """Forgets motion from `frame` on."""
        self._generator.truncate(frame)


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """How long the first speaking frame took to make, in seconds after its speech was there.

    Attributes:
        motion: Until its motion was made.
        picture: Until it was drawn.
    """

    motion: float
    picture: float


class Replay:
    """Draws a recording.

    Args:
        recording: What happened.
        question: What the user said; part of the video unless `mute_user`.
        stream: Draws; fresh.
        generator: The stream's.
        mute_user: Leaves the question out: the video begins when the avatar begins to think.

    Attributes:
        first_frame: How long the first speaking frame took, when it is drawn.
    """

    def __init__(
        self,
        recording: Recording,
        question: Question,
        stream: AvatarStream,
        generator: TimedGenerator,
        *,
        mute_user: bool = False,
    ) -> None:
        self._recording = recording
        self._question = question
        self._stream = stream
        self._generator = generator
        self._mute_user = mute_user
        self._runs = {run[0].index: run for run in contiguous(recording.heard)}
        self.first_frame: FirstFrame | None = None

    @property
    def n_frames(self) -> int:
        """Frames of the whole conversation."""
        return self._last_word + 1 + _REST_FRAMES

    @property
    def first_shown(self) -> int:
        """Index of the video's first frame."""
        if not self._mute_user:
            return 0
        busy = (AvatarState.THINKING, AvatarState.SPEAKING)
        return next((index for index, state in enumerate(self._recording.states) if state in busy), 0)

    @property
    def _last_word(self) -> int:
        question = -(-len(self._question.speech) // _SPEECH_FRAME) - 1
        return max(question, self._recording.heard[-1].index if self._recording.heard else 0)

    def frames(self) -> Iterator[SyncedFrame]:
        """Yields the video's frames."""
        self._stream.push_user_audio(AudioChunk(self._question.speech, SPEECH_RATE))
        for index in range(self.n_frames):
            frame = self._draw(index)
            if index < self.first_shown:
                continue
            if not self._mute_user:
                frame = replace(frame, audio=frame.audio + _piece(self._question.sound, index, _OUTPUT_FRAME))
            yield frame

    def _draw(self, index: int) -> SyncedFrame:
        states = self._recording.states
        over = index > self._last_word or index >= len(states)
        self._stream.set_state(AvatarState.IDLE if over else states[index])
        run = self._runs.get(index)
        if run is None:
            return self._stream.next_frame()
        name = f"{run[0].segment_id}/{index}"
        self._stream.push_audio(joined(run), name)
        self._stream.end_segment(name)
        start = time.perf_counter()
        frame = self._stream.next_frame()
        if self.first_frame is None:
            self.first_frame = FirstFrame(self._generator.seconds, time.perf_counter() - start)
        return frame


def contiguous(heard: list[HeardFrame]) -> Iterator[list[HeardFrame]]:
    """Yields runs of speech without a gap: a pause or a starved voice splits a segment."""
    run = heard[:1]
    for before, after in pairwise(heard):
        if after.index != before.index + 1 or after.segment_id != before.segment_id:
            yield run
            run = []
        run.append(after)
    if run:
        yield run


def joined(run: list[HeardFrame]) -> AudioChunk:
    """Returns a run of speech in one piece, with its cues."""
    cues: list[tuple[int, Cue]] = []
    n_samples = 0
    for heard in run:
        cues += [(n_samples + sample, cue) for sample, cue in heard.cues]
        n_samples += len(heard.samples)
    return AudioChunk(np.concatenate([heard.samples for heard in run]), run[0].sample_rate, cues=tuple(cues))


def _piece(sound: NDArray[np.float32], index: int, length: int) -> NDArray[np.float32]:
    piece = sound[index * length : (index + 1) * length]
    return np.pad(piece, (0, length - len(piece)))
