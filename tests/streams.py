"""A small stream for tests, and short ways to feed it and to look at what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.stream import AvatarStream, MotionStream, StreamOptions
from tests.fakes import LoudnessGenerator, MotionRenderer, chunk, voice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.types import Playout, SyncedFrame


def new_stream(options: StreamOptions | None = None) -> AvatarStream:
    return AvatarStream(LoudnessGenerator(), MotionRenderer(), options)


def say(stream: MotionStream, seconds: float, segment_id: str = "reply", seed: int = 0) -> NDArray[np.float32]:
    samples = voice(seconds, seed=seed)
    stream.push_audio(chunk(samples), segment_id)
    stream.end_segment(segment_id)
    return samples


def take(stream: AvatarStream, n_frames: int) -> list[SyncedFrame]:
    return [stream.next_frame() for _ in range(n_frames)]


def sound(frames: list[SyncedFrame]) -> NDArray[np.float32]:
    return np.concatenate([frame.audio for frame in frames])


class Diary:
    """Notes what a listener is told."""

    def __init__(self) -> None:
        self.notes: list[str | Playout] = []

    def started(self, segment_id: str) -> None:
        self.notes.append(segment_id)

    def finished(self, playout: Playout) -> None:
        self.notes.append(playout)
