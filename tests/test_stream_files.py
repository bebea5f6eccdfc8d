from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.stream import FILES, AvatarStream, MotionStream, speaking_frames
from tests.fakes import LoudnessGenerator, MotionRenderer, chunk, motion_in, voice

if TYPE_CHECKING:
    from avatar.motion.types import MotionRequest
    from avatar.types import MotionChunk


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 48_000 * 6), max_size=12))
def test_motion_made_ahead_is_the_same_however_speech_arrives(cuts: list[int]) -> None:
    samples = voice(6.0)
    plain = AvatarStream(LoudnessGenerator(), MotionRenderer(), FILES)
    plain.push_audio(chunk(samples))
    plain.end_segment()
    expected = [plain.next_frame() for _ in range(155)]

    stream = AvatarStream(LoudnessGenerator(), MotionRenderer(), FILES)
    parts = (chunk(part) for part in np.split(samples, sorted(cuts)))
    frames = list(speaking_frames(stream, parts, stream.next_frame, tail_frames=5))
    assert len(frames) == 155
    for frame, other in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(motion_in(frame.rgb), motion_in(other.rgb))
        np.testing.assert_array_equal(frame.audio, other.audio)


def test_motion_alone_is_that_of_the_pictures() -> None:
    stream = AvatarStream(LoudnessGenerator(), MotionRenderer())
    pictures = list(speaking_frames(stream, [chunk(voice(2.0))], stream.next_frame))
    alone = MotionStream(LoudnessGenerator())
    motion = list(speaking_frames(alone, [chunk(voice(2.0))], alone.next_motion))
    np.testing.assert_array_equal([motion_in(frame.rgb) for frame in pictures], motion)


def test_a_generator_that_fails_is_reported() -> None:
    class Broken(LoudnessGenerator):
        def generate(self, request: MotionRequest) -> MotionChunk:
            if request.start > 20:
                raise ValueError("out of ideas")
            return super().generate(request)

    stream = MotionStream(Broken())
    with pytest.raises(ValueError, match="out of ideas"):
        list(speaking_frames(stream, [chunk(voice(4.0))], stream.next_motion))
