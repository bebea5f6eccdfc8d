from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.playout import HeardFrame
from agent.recording import Recording
from agent.replay import Question, Replay, TimedGenerator, contiguous, joined
from avatar.motion.layout import INDEX
from avatar.stream import AvatarStream
from avatar.types import OUTPUT_RATE, SPEECH_RATE, AvatarState, Cue, Gesture
from tests.fakes import LoudnessGenerator, MotionRenderer, motion_in

RATE = 24_000


def heard(first, n_frames, segment="a", value=0.5):
    return [HeardFrame(first + index, segment, np.full(960, value, np.float32), RATE) for index in range(n_frames)]


def conversation(*, mute_user=False):
    """A second of question, 0.4 s of thought, 0.8 s of answer."""
    recording = Recording(
        states=[AvatarState.LISTENING] * 25
        + [AvatarState.THINKING] * 10
        + [AvatarState.SPEAKING] * 20
        + [AvatarState.LISTENING] * 15,
        heard=heard(35, 20),
    )
    question = Question(np.full(SPEECH_RATE, 0.25, np.float32), np.full(OUTPUT_RATE, 0.25, np.float32))
    generator = TimedGenerator(LoudnessGenerator())
    replay = Replay(recording, question, AvatarStream(generator, MotionRenderer()), generator, mute_user=mute_user)
    return replay, list(replay.frames())


def loudness(frames):
    return np.array([np.abs(frame.audio).max() for frame in frames])


def test_the_question_is_heard_first_and_the_answer_at_its_moment():
    _, frames = conversation()
    loud = loudness(frames)
    assert np.allclose(loud[:25], 0.25)
    assert np.allclose(loud[25:35], 0)
    assert np.all(loud[35:55] > 0.4)
    assert np.allclose(loud[56:], 0)


def test_the_mouth_moves_while_the_answer_is_heard_and_only_then():
    _, frames = conversation()
    jaw = np.array([motion_in(frame.rgb)[INDEX["jawOpen"]] for frame in frames])
    assert np.all(jaw[36:54] > 0.4)
    assert np.all(jaw[:34] == 0)
    assert np.all(jaw[57:] == 0)


def test_the_avatar_hears_the_question():
    _, frames = conversation()
    listening = np.array([motion_in(frame.rgb)[INDEX["pitch"]] for frame in frames])
    assert np.all(listening[:24] > 0.2)
    assert np.all(listening[26:] < 0.1)


def test_the_states_are_those_of_the_conversation_and_it_rests_at_the_end():
    replay, frames = conversation()
    states = [frame.state for frame in frames]
    assert states[5] is AvatarState.LISTENING
    assert states[33] is AvatarState.THINKING
    assert states[45] is AvatarState.SPEAKING
    assert states[-1] is AvatarState.IDLE
    assert len(frames) == replay.n_frames == 55 + 20


def test_without_the_user_the_video_begins_with_the_thought_and_has_only_the_answers_sound():
    replay, frames = conversation(mute_user=True)
    assert replay.first_shown == 25
    assert len(frames) == replay.n_frames - 25
    loud = loudness(frames)
    assert np.allclose(loud[:10], 0)
    assert np.all(loud[10:30] > 0.4)


def test_the_first_speaking_frame_is_timed():
    replay, _ = conversation()
    assert replay.first_frame is not None
    assert 0 < replay.first_frame.motion <= replay.first_frame.picture


def test_a_pause_in_the_answer_stays_a_pause():
    recording = Recording(states=[AvatarState.SPEAKING] * 60, heard=[*heard(5, 10), *heard(30, 10)])
    question = Question(np.zeros(640, np.float32), np.zeros(1920, np.float32))
    generator = TimedGenerator(LoudnessGenerator())
    replay = Replay(recording, question, AvatarStream(generator, MotionRenderer()), generator)
    loud = loudness(list(replay.frames()))
    assert np.all(loud[5:15] > 0.4)
    assert np.allclose(loud[17:30], 0)
    assert np.all(loud[30:40] > 0.4)


@pytest.mark.parametrize(
    ("frames", "lengths"),
    [([], []), (heard(0, 3), [3]), ([*heard(0, 2), *heard(5, 1)], [2, 1]), ([*heard(0, 2), *heard(2, 2, "b")], [2, 2])],
)
def test_runs_end_at_gaps_and_at_segments(frames, lengths):
    assert [len(run) for run in contiguous(frames)] == lengths


def test_a_run_of_speech_keeps_its_cues():
    nod = Cue(gesture=Gesture.NOD)
    run = heard(0, 3)
    run[2] = replace(run[2], cues=((7, nod),))
    chunk = joined(run)
    assert len(chunk.samples) == 3 * 960
    assert chunk.cues == ((2 * 960 + 7, nod),)
