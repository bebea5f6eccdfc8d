"""The stream as fast as it can be made, for speech that is at hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from avatar.stream.motion import MotionStream
    from avatar.types import AudioChunk

Frame = TypeVar("Frame")

TAIL_FRAMES: Final = FRAME_RATE * 2 // 5
"""Frames after the last of the speech, in which the mouth comes to rest: 0.4 s."""

_AHEAD_FRAMES: Final = 5 * FRAME_RATE


def speaking_frames(
    stream: MotionStream, speech: Iterable[AudioChunk], take: Callable[[], Frame], tail_frames: int = TAIL_FRAMES
) -> Iterator[Frame]:
    """Yields the frames in which a stream says something, and a few more.

    Motion is made in a thread of its own, a chunk ahead of the frames taken; the frames are the same as without it.

    Args:
        stream: Says it.
        speech: What is said; read a few seconds ahead.
        take: Takes the next frame, `AvatarStream.next_frame` or `MotionStream.next_motion` of that stream.
        tail_frames: Frames after the last one that speaks.
    """
    with ThreadPoolExecutor(1, "motion") as ahead:
        planning = ahead.submit(lambda: False)

        def take_one() -> Frame:
            nonlocal planning
            if planning.done():
                planning.result()
                if stream.n_planned < stream.options.chunk:
                    planning = ahead.submit(stream.plan)
            return take()

        for chunk in speech:
            stream.push_audio(chunk)
            while stream.n_unheard > _AHEAD_FRAMES:
                yield take_one()
        stream.end_segment()
        while stream.n_unheard:
            yield take_one()
        for _ in range(tail_frames):
            yield take_one()
