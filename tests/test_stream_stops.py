from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import INDEX
from avatar.stream import LIVE, AvatarStream, StreamOptions
from avatar.sync import OUTPUT_SAMPLES
from avatar.types import AvatarState, Playout
from tests.fakes import motion_in
from tests.streams import Diary, new_stream, say, sound, take

if TYPE_CHECKING:
    from collections.abc import Callable


def test_an_interruption_is_exact_and_motion_goes_on_from_what_was_shown() -> None:
    stream = new_stream()
    diary = Diary()
    stream.listener = diary
    say(stream, 4.0)
    take(stream, 37)
    assert stream.interrupt() == Playout("reply", 37 * OUTPUT_SAMPLES, interrupted=True)
    frames = take(stream, 20)
    assert np.any(frames[0].audio[:900])
    assert not np.any(sound(frames)[960:])
    assert {frame.state for frame in frames[1:]} == {AvatarState.IDLE}
    assert [round(1000 * float(motion_in(frame.rgb)[INDEX["x"]])) for frame in frames] == list(range(37, 57))
    assert diary.notes == ["reply", Playout("reply", 37 * OUTPUT_SAMPLES, interrupted=True)]
    assert stream.interrupt() is None


def test_after_an_interruption_the_next_reply_starts_at_once() -> None:
    stream = new_stream()
    say(stream, 4.0)
    take(stream, 37)
    stream.interrupt()
    samples = say(stream, 1.0, "second", seed=5)
    frames = take(stream, 30)
    np.testing.assert_array_equal(sound(frames)[OUTPUT_SAMPLES:][: len(samples)], samples)


def test_a_pause_resumes_at_the_same_sample() -> None:
    stream = new_stream()
    samples = say(stream, 4.0)
    take(stream, 37)
    stream.pause()
    paused = take(stream, 50)
    assert not np.any(sound(paused)[960:])
    assert {frame.state for frame in paused[1:]} == {AvatarState.IDLE}
    stream.resume()
    resumed = sound(take(stream, 70))
    rest = samples[37 * OUTPUT_SAMPLES :]
    np.testing.assert_array_equal(resumed[960 : len(rest)], rest[960:])


def test_a_pause_that_is_asked_for_again_takes_nothing_more_back() -> None:
    stream = new_stream()
    say(stream, 4.0)
    take(stream, 20)
    stream.pause()
    stream.plan()
    n_planned = stream.n_planned
    stream.pause()
    assert stream.n_planned == n_planned
    assert n_planned > 0


def test_an_interruption_of_nothing_takes_no_motion_back() -> None:
    stream = new_stream()
    take(stream, 10)
    stream.plan()
    n_planned = stream.n_planned
    assert stream.interrupt() is None
    assert stream.n_planned == n_planned


@pytest.mark.parametrize("stop", [AvatarStream.interrupt, AvatarStream.pause])
def test_a_stop_delay_keeps_pictures_that_were_ready_but_no_sound(stop: Callable[[AvatarStream], object]) -> None:
    stream = new_stream(StreamOptions(stop_delay=2))
    say(stream, 4.0)
    take(stream, 20)
    for _ in range(4):
        stream.draw()
    stop(stream)
    frames = [stream.show() for _ in range(2)]
    assert stream.n_late == 0
    assert all(motion_in(frame.rgb)[INDEX["jawOpen"]] > 0 for frame in frames)
    assert not np.any(sound(frames)[960:])
    closed = take(stream, 3)
    assert not any(motion_in(frame.rgb)[INDEX["jawOpen"]] for frame in closed)
    assert [frame.index for frame in closed] == [22, 23, 24]


@pytest.mark.parametrize("stop", [AvatarStream.interrupt, AvatarStream.pause])
def test_live_a_stop_leaves_three_frames_of_time_to_make_the_first_one_after_it(
    stop: Callable[[AvatarStream], object],
) -> None:
    stream = new_stream(LIVE)
    say(stream, 4.0)
    take(stream, 20)
    while stream.draw():
        pass
    stop(stream)
    frames = [stream.show() for _ in range(3)]
    assert stream.n_late == 0
    assert not np.any(sound(frames)[960:])
    stream.show()
    assert stream.n_late == 1


def test_speech_that_follows_an_interruption_at_once_is_not_held_up_by_a_stop_delay() -> None:
    stream = new_stream(StreamOptions(start_delay=1, stop_delay=2))
    say(stream, 4.0)
    take(stream, 20)
    stream.interrupt()
    samples = say(stream, 1.0, "next")
    frames = take(stream, 40)
    np.testing.assert_array_equal(sound(frames)[OUTPUT_SAMPLES:][: len(samples)], samples)


def test_playout_is_reported_to_the_sample() -> None:
    stream = new_stream()
    diary = Diary()
    stream.listener = diary
    say(stream, 0.777, "first")
    stream.end_segment("empty")
    say(stream, 0.5, "third")
    take(stream, 40)
    assert diary.notes == [
        "first",
        Playout("first", 37_296, interrupted=False),
        Playout("empty", 0, interrupted=False),
        "third",
        Playout("third", 24_000, interrupted=False),
    ]
