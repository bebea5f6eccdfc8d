from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing

import numpy as np
import pytest

from avatar.stream import AvatarStream, LiveStream
from avatar.stream.live import Deadline
from avatar.sync import OUTPUT_SAMPLES
from avatar.types import AvatarState, Playout, SyncedFrame
from tests.fakes import FlashRenderer, LoudnessGenerator, ManualClock, chunk, voice


def new_stream() -> AvatarStream:
    return AvatarStream(LoudnessGenerator(), FlashRenderer())


def wait_for_pictures(stream: AvatarStream, n_pictures: int) -> None:
    with stream.changed:
        stream.changed.wait_for(lambda: stream.n_prepared >= n_pictures, timeout=10)


class Watch:
    """Collects the frames of a live stream in the background."""

    def __init__(self, live: LiveStream, clock: ManualClock) -> None:
        self.frames: list[SyncedFrame] = []
        self._live = live
        self._clock = clock
        self._task = asyncio.create_task(self._collect())

    async def _collect(self) -> None:
        async with aclosing(self._live.frames()) as frames:
            async for frame in frames:
                self.frames.append(frame)

    async def advance(self, n_frames: int) -> None:
        await self.settle()
        for _ in range(n_frames):
            wait_for_pictures(self._live.stream, 1)
            self._clock.advance(0.04)
            await self.settle()

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_frames_come_at_their_moment_and_not_before() -> None:
    clock = ManualClock()
    with LiveStream(new_stream(), clock) as live:
        watch = Watch(live, clock)
        await watch.settle()
        assert len(watch.frames) == 1
        clock.advance(0.039)
        await watch.settle()
        assert len(watch.frames) == 1
        clock.advance(0.001)
        await watch.settle()
        assert len(watch.frames) == 2
        await watch.stop()


async def test_no_more_than_a_fifth_of_a_second_is_held_ready() -> None:
    clock = ManualClock()
    with LiveStream(new_stream(), clock) as live:
        wait_for_pictures(live.stream, 5)
        assert live.stream.n_prepared == 5
        watch = Watch(live, clock)
        await watch.advance(50)
        assert [frame.index for frame in watch.frames] == list(range(51))
        assert live.stream.n_prepared <= 5
        await watch.stop()


async def test_what_is_said_live_is_heard_whole() -> None:
    clock = ManualClock()
    with LiveStream(new_stream(), clock) as live:
        watch = Watch(live, clock)
        await watch.advance(10)
        samples = voice(2.0)
        live.stream.push_audio(chunk(samples), "reply")
        live.stream.end_segment("reply")
        await watch.advance(60)
        await watch.stop()
    first = next(i for i, frame in enumerate(watch.frames) if frame.state is AvatarState.SPEAKING)
    assert first == 11
    heard = np.concatenate([frame.audio for frame in watch.frames[first:]])
    np.testing.assert_array_equal(heard[: len(samples)], samples)


async def test_an_interruption_silences_the_next_frame_and_drops_what_was_ready() -> None:
    clock = ManualClock()
    with LiveStream(new_stream(), clock) as live:
        watch = Watch(live, clock)
        live.stream.push_audio(chunk(voice(4.0)), "reply")
        live.stream.end_segment("reply")
        await watch.advance(40)
        heard = [frame for frame in watch.frames if frame.state is AvatarState.SPEAKING]
        position = len(heard) * OUTPUT_SAMPLES
        assert live.stream.interrupt() == Playout("reply", position, interrupted=True)
        n_before = len(watch.frames)
        await watch.advance(10)
        await watch.stop()
    after = np.concatenate([frame.audio for frame in watch.frames[n_before:]])
    assert np.any(after[:960])
    assert not np.any(after[960:])


async def test_a_consumer_that_was_held_up_gets_every_sample() -> None:
    clock = ManualClock()
    with LiveStream(new_stream(), clock) as live:
        samples = voice(2.0)
        live.stream.push_audio(chunk(samples))
        live.stream.end_segment()
        watch = Watch(live, clock)
        await watch.settle()
        clock.advance(0.4)
        await watch.settle()
        assert len(watch.frames) == 11
        await watch.advance(60)
        await watch.stop()
    heard = np.concatenate([frame.audio for frame in watch.frames])
    start = int(np.flatnonzero(heard)[0]) // OUTPUT_SAMPLES * OUTPUT_SAMPLES
    np.testing.assert_array_equal(heard[start : start + len(samples)], samples)


async def test_after_a_long_sleep_time_starts_anew() -> None:
    clock = ManualClock()
    with LiveStream(new_stream(), clock) as live:
        watch = Watch(live, clock)
        await watch.settle()
        clock.advance(60.0)
        await watch.settle()
        assert len(watch.frames) <= 3
        await watch.advance(5)
        assert len(watch.frames) <= 8
        await watch.stop()


async def test_a_broken_renderer_ends_the_stream_with_its_error() -> None:
    class Broken(FlashRenderer):
        def render(self, coefficients: np.ndarray) -> np.ndarray:
            if self.n_drawn == 10:
                raise ValueError("out of paint")
            return super().render(coefficients)

    clock = ManualClock()

    async def watch() -> None:
        async for _ in live.frames():
            wait_for_pictures(live.stream, 1)
            clock.advance(0.04)

    with LiveStream(AvatarStream(LoudnessGenerator(), Broken()), clock) as live:
        with pytest.raises(ValueError, match="out of paint"):
            await watch()
        assert live.stream.n_shown > 0


async def test_a_renderer_that_is_broken_from_the_start_is_reported_at_once() -> None:
    class Broken(FlashRenderer):
        def render(self, coefficients: np.ndarray) -> np.ndarray:
            raise ValueError("no canvas")

    with pytest.raises(ValueError, match="no canvas"), LiveStream(AvatarStream(LoudnessGenerator(), Broken())):
        pass


def test_a_slow_picture_does_not_hold_up_motion() -> None:
    class Stuck(FlashRenderer):
        def render(self, coefficients: np.ndarray) -> np.ndarray:
            if self.n_drawn == 1:
                with stream.changed:
                    moved.append(stream.changed.wait_for(lambda: stream.n_planned >= 5, timeout=20))
            return super().render(coefficients)

    moved: list[bool] = []
    stream = AvatarStream(LoudnessGenerator(), Stuck())
    with LiveStream(stream, ManualClock()):
        wait_for_pictures(stream, 2)
    assert moved == [True]


def hopeless_after(clock: ManualClock, deadline: Deadline, seconds: float) -> int:
    """How many frames a picture that takes some time is told to leave out."""
    told: list[int] = []

    def draw(n_hopeless: int) -> bool:
        told.append(n_hopeless)
        clock.advance(seconds)
        return True

    assert deadline.meet(draw)
    return told[0]


@pytest.mark.parametrize(("time_left", "n_hopeless"), [(0.025, 0), (0.015, 1), (-0.015, 1), (-0.03, 2)])
def test_a_picture_that_takes_20_ms_leaves_out_the_frames_that_it_would_miss(time_left: float, n_hopeless: int) -> None:
    clock = ManualClock()
    deadline = Deadline(clock)
    for _ in range(30):
        assert hopeless_after(clock, deadline, 0.02) == 0
    deadline.due = clock.now() + time_left
    assert hopeless_after(clock, deadline, 0.02) == n_hopeless


def test_one_picture_that_was_held_up_does_not_make_the_next_ones_hopeless() -> None:
    clock = ManualClock()
    deadline = Deadline(clock)
    hopeless_after(clock, deadline, 3.0)
    deadline.due = clock.now() + 0.04
    assert hopeless_after(clock, deadline, 0.01) == 0


def test_a_machine_that_takes_longer_than_a_frame_for_a_picture_shows_every_second_one_in_time() -> None:
    clock = ManualClock()
    deadline = Deadline(clock)

    class Slow(FlashRenderer):
        def render(self, coefficients: np.ndarray) -> np.ndarray:
            clock.advance(0.06)
            while deadline.due is not None and deadline.due <= clock.now():
                stream.show()
                deadline.due += 0.04
            return super().render(coefficients)

    stream = AvatarStream(LoudnessGenerator(), Slow())
    deadline.due = 0.04
    for _ in range(200):
        while stream.n_planned < 8:
            stream.plan()
        deadline.meet(stream.draw)
    n_shown = stream.n_shown
    assert n_shown >= 200
    assert stream.n_late < 0.6 * n_shown


def test_motion_for_which_there_is_time_waits_for_a_picture_that_is_wanted_at_once() -> None:
    class Watched(FlashRenderer):
        def render(self, coefficients: np.ndarray) -> np.ndarray:
            if self.n_drawn == 0:
                with stream.changed:
                    moved.append(stream.changed.wait_for(lambda: stream.n_planned > 4, timeout=0.3))
            return super().render(coefficients)

    moved: list[bool] = []
    stream = AvatarStream(LoudnessGenerator(), Watched())
    with LiveStream(stream, ManualClock()):
        wait_for_pictures(stream, 5)
        with stream.changed:
            assert stream.changed.wait_for(lambda: stream.n_planned >= 5, timeout=20)
    assert moved == [False]


async def test_who_draws_live_knows_when_the_next_frame_is_shown() -> None:
    class Ahead(ManualClock):
        """Is 0.05 s later for who draws: each picture is begun when its frame should be there."""

        def now(self) -> float:
            drawing = threading.current_thread().name == "avatar-pictures"
            return super().now() + (0.05 if drawing else 0.0)

    class Told(AvatarStream):
        def draw(self, n_hopeless: int = 0) -> bool:
            told.append(n_hopeless)
            return super().draw(n_hopeless)

    told: list[int] = []
    clock = Ahead()
    with LiveStream(Told(LoudnessGenerator(), FlashRenderer()), clock) as live:
        wait_for_pictures(live.stream, 5)
        assert not any(told)  # nobody waits for a frame yet
        watch = Watch(live, clock)
        await watch.advance(5)
        await watch.stop()
    assert told[-1] == 1
