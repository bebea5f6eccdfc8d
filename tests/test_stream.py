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
from avatar.types import AvatarState, Emotion, SyncedFrame
from tests.fakes import LoudnessGenerator, MotionRenderer, chunk, motion_in, voice
from tests.streams import new_stream, say, sound, take

if TYPE_CHECKING:
    from avatar.motion.types import MotionRequest
    from avatar.types import MotionChunk


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
