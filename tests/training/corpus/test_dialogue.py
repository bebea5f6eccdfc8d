from __future__ import annotations

import numpy as np

from avatar.training.corpus import dialogue
from avatar.training.corpus.clip import let_go
from avatar.training.corpus.phones import Phone
from avatar.training.corpus.scene import IDLE, LISTENING, SPEAKING, THINKING
from avatar.types import FRAME_RATE
from tests.training.corpus.corpus_scenes import tone_utterance


def test_both_tracks_lie_on_one_timeline_with_their_phones(rng: np.random.Generator) -> None:
    timeline = dialogue.plan([tone_utterance(2.0)], [tone_utterance(1.0)], rng, interrupted=False)
    n_frames = int(timeline.time * FRAME_RATE)
    samples, phones = dialogue.track(timeline.agent, n_frames)
    assert len(samples) == 640 * n_frames
    first = np.flatnonzero(samples)[0] / 16_000
    assert abs(first - phones[0].start) < 0.001
    assert len(phones) == 5
    user, _ = dialogue.track(timeline.user, n_frames)
    assert np.flatnonzero(user)[-1] < np.flatnonzero(samples)[0]


def test_the_avatar_listens_while_the_user_speaks_and_speaks_while_it_sounds(rng: np.random.Generator) -> None:
    timeline = dialogue.plan([tone_utterance(2.0)], [tone_utterance(2.0)], rng, interrupted=False)
    n_frames = int(timeline.time * FRAME_RATE)
    states = dialogue.states(timeline.marks, n_frames)
    for utterances, state in ((timeline.user, LISTENING), (timeline.agent, SPEAKING)):
        start, utterance = utterances[0]
        span = slice(int((start + 0.4) * FRAME_RATE), int((start + utterance.seconds) * FRAME_RATE))
        assert (states[span] == state).all()


def test_an_interruption_cuts_the_agent_off_and_listens(rng: np.random.Generator) -> None:
    reply, question = tone_utterance(4.0), tone_utterance(2.0)
    timeline = dialogue.plan([reply], [question], rng, interrupted=True)
    start, heard = timeline.agent[-1]
    assert heard.seconds < reply.seconds
    assert heard.phones[-1].end <= heard.seconds
    assert abs(heard.samples[-1]) < 0.02
    n_frames = int(timeline.time * FRAME_RATE)
    states = dialogue.states(timeline.marks, n_frames)
    assert states[int((start + heard.seconds) * FRAME_RATE) + 1] == LISTENING
    assert len(timeline.user) == 2


def test_a_clip_without_speech_has_no_speaking(rng: np.random.Generator) -> None:
    timeline = dialogue.plan([], [tone_utterance(1.0)], rng, interrupted=True)
    states = dialogue.states(timeline.marks, int(timeline.time * FRAME_RATE))
    assert set(states.tolist()) <= {IDLE, LISTENING, THINKING}
    assert timeline.agent == []


def test_lips_are_let_go_within_0_2_seconds_of_the_end_of_speaking() -> None:
    states = np.full(100, LISTENING, np.int8)
    states[10:50] = SPEAKING
    gate = let_go(states, [Phone("a", 0.5, 1.9), Phone("a", 3.5, 3.9)])
    assert gate[:50].min() == 1
    assert gate[int(2.22 * 25) : int(3.2 * 25)].max() == 0
    assert gate[int(3.3 * 25) :].min() == 1


def test_half_of_all_turns_ask_for_no_emotion(rng: np.random.Generator) -> None:
    drawn = np.stack([dialogue.draw_emotion(rng) for _ in range(2000)])
    assert abs(np.mean(~drawn.any(1)) - 0.5) < 0.05
    assert drawn.max() <= 1
    assert (drawn[:, 1:].any(0)).all()
    assert not drawn[:, 0].any()
