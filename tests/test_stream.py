from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.motion.layout import INDEX
from avatar.motion.types import Controls
from avatar.stream import AvatarStream, MotionStream, StreamOptions
from avatar.sync import OUTPUT_SAMPLES
from avatar.types import AvatarState, Emotion, Playout, SyncedFrame
from tests.fakes import FlashRenderer, LoudnessGenerator, MotionRenderer, chunk, motion_in, voice

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from avatar.motion.types import MotionRequest
    from avatar.types import MotionChunk


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


def test_each_frame_holds_its_own_sound_and_the_motion_of_that_sound() -> None:
    stream = new_stream()
    samples = say(stream, 2.0)
    frames = take(stream, 60)
    assert [frame.index for frame in frames] == list(range(60))
    np.testing.assert_array_equal(sound(frames)[: len(samples)], samples)
    assert not np.any(sound(frames)[len(samples) :])
    jaw = np.array([motion_in(frame.rgb)[INDEX["jawOpen"]] for frame in frames])
    loudness = np.array([np.abs(frame.audio).max() for frame in frames])
    assert np.corrcoef(jaw, loudness)[0, 1] > 0.9
    assert not np.any(jaw[50:])


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("moment", [0.0, 0.5, 1.2345])
def test_a_click_is_heard_in_the_frame_that_shows_it(rate: int, moment: float) -> None:
    stream = new_stream()
    samples = np.zeros(2 * rate, np.float32)
    samples[round(moment * rate)] = 1.0
    stream.push_audio(chunk(samples, rate))
    stream.end_segment()
    frames = take(stream, 50)
    click = int(np.argmax(np.abs(sound(frames))))
    assert abs(click - moment * 48_000) <= 48_000 / rate
    jaw = [motion_in(frame.rgb)[INDEX["jawOpen"]] for frame in frames]
    assert int(np.argmax(jaw)) == click // OUTPUT_SAMPLES


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), rate=st.sampled_from([16_000, 22_050, 48_000]), pull_early=st.booleans())
def test_any_chunking_of_the_speech_gives_the_same_frames(*, seed: int, rate: int, pull_early: bool) -> None:
    samples = voice(2.3, rate)
    whole = new_stream()
    whole.push_audio(chunk(samples, rate))
    whole.end_segment()
    expected = take(whole, 70)

    random = np.random.default_rng(seed)
    cuts = np.sort(random.integers(0, len(samples) + 1, random.integers(0, 30)))
    stream = new_stream()
    frames: list[SyncedFrame] = []
    for part in np.split(samples, cuts):
        stream.push_audio(chunk(part, rate))
        while pull_early and stream.n_unheard > 2 * stream.options.chunk + 5:  # never starved
            frames.append(stream.next_frame())
    stream.end_segment()
    frames += take(stream, 70 - len(frames))

    for frame, other in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame.rgb, other.rgb)
        np.testing.assert_array_equal(frame.audio, other.audio)
        assert (frame.index, frame.state) == (other.index, other.state)


def test_chunks_are_short_at_first_and_longer_later() -> None:
    generator = LoudnessGenerator()
    stream = MotionStream(generator)
    say(stream, 3.0)
    for _ in range(80):
        stream.next_motion()
    assert [request.n_frames for request in generator.requests] == [4, 8, 16, 16, 16, 15, 4, 4]


def test_the_generator_hears_context_and_what_comes() -> None:
    generator = LoudnessGenerator(audio_context=10, look_ahead=5)
    stream = MotionStream(generator)
    samples = voice(2.0, 16_000)
    stream.push_audio(chunk(samples, 16_000))
    stream.end_segment()
    for _ in range(24):
        stream.next_motion()
    request = generator.requests[2]
    assert (request.start, request.n_frames) == (12, 16)
    np.testing.assert_array_equal(request.agent, samples[2 * 640 : 33 * 640])


def test_the_picture_goes_on_while_nothing_is_said() -> None:
    stream = new_stream()
    stream.set_state(AvatarState.LISTENING)
    frames = take(stream, 30)
    assert {frame.state for frame in frames} == {AvatarState.LISTENING}
    assert not np.any(sound(frames))
    assert [round(1000 * float(motion_in(frame.rgb)[INDEX["x"]])) for frame in frames] == list(range(30))


def test_speech_starts_with_the_next_frame_although_idle_frames_were_planned() -> None:
    stream = new_stream()
    take(stream, 5)
    samples = say(stream, 1.0)
    frames = take(stream, 30)
    np.testing.assert_array_equal(sound(frames)[: len(samples)], samples)
    assert [frame.state for frame in frames[:26]] == [AvatarState.SPEAKING] * 25 + [AvatarState.IDLE]


def test_a_start_delay_keeps_frames_that_were_ready() -> None:
    stream = new_stream(StreamOptions(start_delay=2))
    take(stream, 1)
    for _ in range(4):
        assert stream.draw() or stream.plan()
    say(stream, 1.0)
    assert stream.n_prepared == 2
    frames = take(stream, 5)
    assert [frame.state is AvatarState.SPEAKING for frame in frames] == [False, False, True, True, True]


def test_a_starved_stream_shows_pictures_and_loses_no_sound() -> None:
    stream = new_stream()
    samples = voice(2.0)
    stream.push_audio(chunk(samples[:40_000]), "reply")
    before = take(stream, 40)
    stream.push_audio(chunk(samples[40_000:]), "reply")
    stream.end_segment("reply")
    after = take(stream, 60)
    heard = np.concatenate([frame.audio for frame in before + after if np.any(frame.audio)])
    np.testing.assert_array_equal(heard[: len(samples)], samples)
    assert all(frame.state is AvatarState.SPEAKING for frame in before)


def test_a_chunk_waits_for_its_sound_while_frames_are_in_hand() -> None:
    stream = new_stream()
    stream.push_audio(chunk(voice(0.5)))
    assert stream.plan()
    assert not stream.plan()
    stream.push_audio(chunk(voice(0.5, seed=1)))
    assert stream.plan()


def test_speech_that_is_about_to_start_waits_for_no_idle_chunk() -> None:
    stream = new_stream()
    assert stream.plan()
    stream.push_audio(chunk(voice(0.2)))
    assert not stream.plan()
    stream.push_audio(chunk(voice(0.5, seed=1)))
    assert stream.plan()
    assert stream.next_frame().state is AvatarState.SPEAKING


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


def test_the_user_is_heard_by_the_generator_from_the_frame_shown() -> None:
    stream = new_stream()
    take(stream, 8)
    samples = voice(1.0, 16_000)
    stream.push_user_audio(chunk(samples, 16_000))
    frames = take(stream, 20)
    heard = [motion_in(frame.rgb)[INDEX["pitch"]] for frame in frames]
    np.testing.assert_allclose(heard, np.abs(samples.reshape(25, 640)).max(axis=1)[:20])


def test_emotion_and_controls_reach_the_generator() -> None:
    generator = LoudnessGenerator()
    stream = MotionStream(generator)
    stream.set_emotion(Emotion.SAD, 0.4)
    stream.set_controls(Controls(lip_amplitude=0.5))
    stream.next_motion()
    assert generator.requests[0].emotion[0].tolist() == pytest.approx([0, 0, 0.4, 0, 0, 0, 0, 0])
    assert generator.requests[0].controls.lip_amplitude == 0.5
    stream.set_emotion(Emotion.NEUTRAL)
    for _ in range(5):
        stream.next_motion()
    assert not np.any(generator.requests[-1].emotion)


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


def test_motion_taken_back_while_it_is_made_is_made_again() -> None:
    class Interrupted(LoudnessGenerator):
        def generate(self, request: MotionRequest) -> MotionChunk:
            if len(self.requests) == 3:
                thread = threading.Thread(target=stream.interrupt)
                thread.start()
                thread.join()
            return super().generate(request)

    stream = AvatarStream(Interrupted(), MotionRenderer())
    say(stream, 4.0)
    frames = take(stream, 60)
    assert [round(1000 * float(motion_in(frame.rgb)[INDEX["x"]])) for frame in frames] == list(range(60))
    assert not np.any(sound(frames[30:]))


def test_memory_does_not_grow_with_time() -> None:
    stream = new_stream()
    for turn in range(20):
        say(stream, 2.0, seed=turn)
        stream.push_user_audio(chunk(voice(2.0)))
        take(stream, 60)
    assert len(stream._motion) < 30
    assert len(stream._speech._frames) < 60
    assert len(stream._user._buffer._data) < 20 * 16_000
