from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.layout import INDEX
from avatar.stream import AvatarStream, StreamOptions
from avatar.types import AvatarState, SyncedFrame
from tests.fakes import FlashRenderer, LoudnessGenerator, MotionRenderer, motion_in
from tests.streams import new_stream, say, sound, take

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_a_late_picture_is_repeated_and_sound_is_not_delayed() -> None:
    stream = new_stream()
    samples = say(stream, 1.0)
    first = stream.next_frame()
    late = [stream.show() for _ in range(5)]
    assert all(frame.rgb is first.rgb for frame in late)
    assert stream.n_late == 5
    rest = take(stream, 20)
    np.testing.assert_array_equal(sound([first, *late, *rest])[: len(samples)], samples)
    assert round(1000 * float(motion_in(rest[0].rgb)[INDEX["x"]])) == 6


def test_pictures_of_frames_that_have_passed_are_not_drawn() -> None:
    renderer = FlashRenderer()
    stream = AvatarStream(LoudnessGenerator(), renderer)
    stream.next_frame()
    for _ in range(40):
        stream.show()
    stream.next_frame()
    assert renderer.n_drawn == 2


def test_pictures_that_always_come_too_late_are_shown_late() -> None:
    class Slow(MotionRenderer):
        def render(self, coefficients: NDArray[np.float32]) -> NDArray[np.uint8]:
            shown.extend(stream.show() for _ in range(3))
            return super().render(coefficients)

    shown: list[SyncedFrame] = []
    stream = AvatarStream(LoudnessGenerator(), Slow())
    while len(shown) < 60:
        assert stream.draw() or stream.plan()
    drawn = [round(1000 * float(motion_in(frame.rgb)[INDEX["x"]])) for frame in shown]
    assert drawn == sorted(drawn)
    assert len(set(drawn)) >= 18
    assert drawn[-1] >= 50


def test_the_face_goes_on_moving_until_the_voices_own_pictures_are_drawn() -> None:
    stream = AvatarStream(LoudnessGenerator(), MotionRenderer(), StreamOptions(idle_chunk=8))
    take(stream, 1)
    while stream.draw():
        pass
    say(stream, 1.0)
    frames = [stream.show() for _ in range(3)]
    assert stream.n_late == 3
    assert [frame.state for frame in frames] == [AvatarState.SPEAKING] * 3
    assert [round(1000 * float(motion_in(frame.rgb)[INDEX["x"]])) for frame in frames] == [1, 2, 3]


def test_dropped_speech_leaves_no_picture_behind() -> None:
    stream = AvatarStream(LoudnessGenerator(), MotionRenderer())
    say(stream, 1.0)
    take(stream, 5)
    while stream.draw():
        pass
    stream.interrupt()
    fading = stream.show()
    np.testing.assert_array_equal(stream.show().rgb, fading.rgb)


def test_a_picture_that_would_come_too_late_gives_way_to_the_next_one() -> None:
    stream = AvatarStream(LoudnessGenerator(), MotionRenderer())
    take(stream, 1)
    stream.plan()
    assert stream.draw(n_hopeless=2)
    frames = [stream.show() for _ in range(3)]
    assert stream.n_late == 2
    assert [round(1000 * float(motion_in(frame.rgb)[INDEX["x"]])) for frame in frames] == [0, 0, 3]


def test_where_no_later_motion_is_known_a_late_picture_is_better_than_none() -> None:
    stream = AvatarStream(LoudnessGenerator(), MotionRenderer())
    stream.plan()
    assert stream.draw(n_hopeless=50)
    assert stream.draw(n_hopeless=50)
    for _ in range(2):
        stream.show()
    assert stream.n_late == 0


def test_pictures_never_go_back_to_one_that_was_left_out() -> None:
    stream = AvatarStream(LoudnessGenerator(), MotionRenderer())
    stream.plan()
    stream.draw(n_hopeless=1)
    while stream.draw(n_hopeless=50):
        pass
    frames = [stream.show() for _ in range(4)]
    assert stream.n_late == 1
    assert [round(1000 * float(motion_in(frame.rgb)[INDEX["x"]])) for frame in frames[1:]] == [1, 2, 3]
