from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.motion.layout import INDEX
from avatar.motion.types import Controls
from avatar.stream import FILES, MotionStream, speaking_frames
from avatar.types import AudioChunk, Cue, Emotion, Gesture
from tests.fakes import LoudnessGenerator, voice

if TYPE_CHECKING:
    from avatar.motion.types import MotionRequest
    from avatar.types import MotionChunk

HAPPY = Cue(emotion=((Emotion.HAPPY, 0.8),))
NOD = Cue(gesture=Gesture.NOD)
RATE = 16_000


class PlainGenerator(LoudnessGenerator):
    """Keeps the head still, so that gestures stand out."""

    def generate(self, request: MotionRequest) -> MotionChunk:
        made = super().generate(request)
        made.coefficients[:, 52:] = 0
        return made


def speech(seconds: float, *cues: tuple[float, Cue]) -> AudioChunk:
    return AudioChunk(voice(seconds, RATE), RATE, cues=tuple((round(moment * RATE), cue) for moment, cue in cues))


def happiness(generator: LoudnessGenerator) -> np.ndarray:
    """What the generator was asked for in each frame; frames asked for again count as they were asked last."""
    asked = {
        request.start + i: values[list(Emotion).index(Emotion.HAPPY)]
        for request in generator.requests
        for i, values in enumerate(request.emotion)
    }
    return np.array([asked[index] for index in sorted(asked)])


def pitch(stream: MotionStream, n_frames: int) -> np.ndarray:
    return np.array([stream.next_motion()[INDEX["pitch"]] for _ in range(n_frames)])


def test_an_emotion_begins_with_the_frame_of_its_word() -> None:
    generator = PlainGenerator()
    stream = MotionStream(generator)
    stream.push_audio(speech(2.0, (0.81, HAPPY)))
    stream.end_segment()
    pitch(stream, 50)
    asked = happiness(generator)[:50]
    assert not asked[:20].any()
    np.testing.assert_allclose(asked[20:], 0.8)


def test_a_gesture_begins_with_the_frame_of_its_word() -> None:
    stream = MotionStream(PlainGenerator())
    stream.push_audio(speech(2.0, (0.81, NOD)))
    stream.end_segment()
    nod = pitch(stream, 50)
    assert not nod[:21].any()
    assert nod[21] < 0
    assert nod.min() < -0.1


def test_cues_count_from_the_chunk_that_carries_them() -> None:
    stream = MotionStream(PlainGenerator())
    stream.push_audio(speech(1.0))
    stream.push_audio(speech(1.0, (0.2, NOD)))
    stream.end_segment()
    nod = pitch(stream, 50)
    assert not nod[:31].any()
    assert nod[31] < 0


def test_an_emotion_lingers_after_the_words_and_gives_way_to_the_mood() -> None:
    generator = PlainGenerator()
    stream = MotionStream(generator)
    stream.set_mood({Emotion.HAPPY: 0.2})
    stream.push_audio(speech(1.0, (0.0, HAPPY)))
    stream.end_segment()
    pitch(stream, 100)
    asked = happiness(generator)
    np.testing.assert_allclose(asked[:45], 0.8)
    assert np.diff(asked[45:]).max() <= 0
    assert np.diff(asked).min() > -0.05
    np.testing.assert_allclose(asked[70:], 0.2)


def test_a_cue_without_emotions_returns_to_the_mood() -> None:
    generator = PlainGenerator()
    stream = MotionStream(generator)
    stream.set_mood({Emotion.HAPPY: 0.2})
    stream.push_audio(speech(2.0, (0.0, HAPPY), (1.0, Cue(emotion=()))))
    stream.end_segment()
    pitch(stream, 50)
    np.testing.assert_allclose(happiness(generator)[25:50], 0.2)


def test_emotions_mix() -> None:
    generator = PlainGenerator()
    stream = MotionStream(generator)
    stream.push_audio(speech(1.0, (0.0, Cue(emotion=((Emotion.HAPPY, 0.4), (Emotion.SURPRISE, 0.6))))))
    stream.end_segment()
    pitch(stream, 10)
    np.testing.assert_allclose(generator.requests[0].emotion[0], [0, 0.4, 0, 0, 0, 0, 0.6, 0])


def test_cues_that_were_not_heard_are_dropped_by_an_interruption() -> None:
    generator = PlainGenerator()
    stream = MotionStream(generator)
    stream.push_audio(speech(3.0, (1.0, NOD), (1.2, HAPPY)))
    stream.end_segment()
    pitch(stream, 20)
    stream.interrupt()
    assert not pitch(stream, 80).any()
    assert not happiness(generator)[21:].any()


def test_a_gesture_that_was_begun_is_finished_after_an_interruption() -> None:
    stream = MotionStream(PlainGenerator())
    stream.push_audio(speech(3.0, (0.4, NOD)))
    stream.end_segment()
    before = pitch(stream, 15)
    stream.interrupt()
    after = pitch(stream, 60)
    whole = np.concatenate([before, after])
    assert whole.min() < -0.1
    assert np.abs(np.diff(whole)).max() < 0.06
    assert not after[45:].any()


@pytest.mark.parametrize("paused_at", [19, 20])
def test_a_pause_neither_loses_nor_repeats_a_cue(paused_at: int) -> None:
    stream = MotionStream(PlainGenerator())
    stream.push_audio(speech(3.0, (0.8, NOD)))
    stream.end_segment()
    pitch(stream, paused_at)
    stream.pause()
    paused = pitch(stream, 60)
    stream.resume()
    resumed = pitch(stream, 80)
    nods = [motion.min() == pytest.approx(-0.15, abs=0.01) for motion in (paused, resumed)]
    assert nods == [paused_at == 20, paused_at == 19]
    assert paused[59] == 0


def test_a_face_can_be_asked_for_a_gesture_while_it_says_nothing() -> None:
    stream = MotionStream(PlainGenerator())
    pitch(stream, 5)
    stream.perform(NOD)
    assert pitch(stream, 60).min() < -0.1


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 3 * RATE), max_size=8), moments=st.lists(st.integers(0, 3 * RATE - 1), max_size=4))
def test_any_chunking_of_speech_and_cues_gives_the_same_motion(cuts: list[int], moments: list[int]) -> None:
    samples = voice(3.0, RATE)
    cues = [(moment, (HAPPY, NOD)[i % 2]) for i, moment in enumerate(sorted(moments))]
    places = [0, *sorted(cuts), len(samples)]
    parts = [
        AudioChunk(samples[a:b], RATE, cues=tuple((at - a, cue) for at, cue in cues if a <= at < b))
        for a, b in pairwise(places)
    ]
    motions = []
    for chunks in ([AudioChunk(samples, RATE, cues=tuple(cues))], parts):
        generator = PlainGenerator()
        stream = MotionStream(generator, FILES)
        motion = np.array(list(speaking_frames(stream, chunks, stream.next_motion)))
        motions.append(np.column_stack([motion, happiness(generator)[: len(motion)]]))
    np.testing.assert_array_equal(motions[0], motions[1])


def test_memory_does_not_grow_with_time() -> None:
    stream = MotionStream(PlainGenerator())
    for _ in range(10):
        stream.push_audio(speech(2.0, (0.5, NOD), (1.0, HAPPY)))
        stream.end_segment()
        pitch(stream, 60)
    assert len(stream._expression._held) < 60


def test_controls_are_followed_without_a_jump() -> None:
    class Turned(LoudnessGenerator):
        def generate(self, request: MotionRequest) -> MotionChunk:
            made = super().generate(request)
            made.coefficients[:, INDEX["roll"]] = 0.2
            return made

    stream = MotionStream(Turned())
    stream.next_motion()
    stream.set_controls(Controls(head_amplitude=0.5))
    roll = np.array([stream.next_motion()[INDEX["roll"]] for _ in range(60)])
    assert np.abs(np.diff(roll)).max() < 0.03
    assert roll[-1] == pytest.approx(0.1, abs=1e-3)


def test_energy_scales_the_emotion() -> None:
    generator = PlainGenerator()
    stream = MotionStream(generator)
    stream.set_controls(Controls(energy=0.5))
    stream.set_emotion(Emotion.HAPPY, 0.8)
    pitch(stream, 4)
    np.testing.assert_allclose(happiness(generator), 0.4)
