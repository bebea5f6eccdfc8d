from __future__ import annotations

import numpy as np
import pytest

from agent.recording import hold_conversation
from avatar.clock import MonotonicClock
from avatar.errors import EndpointError, InputError
from avatar.types import SPEECH_RATE, AvatarState
from tests.agent.fakes import FakeService, sound
from tests.agent.test_session import make


@pytest.fixture
async def service():
    async with FakeService().running() as service:
        yield service


async def talk(service, question, patience=5.0, **turns):
    config, parts = make(service.url, patience)
    turns = config.turns.model_copy(update={"min_delay": 0.35, **turns})
    try:
        return await hold_conversation(parts, config.model_copy(update={"turns": turns}), question, MonotonicClock())
    finally:
        await parts.aclose()


def question(*seconds):
    return sound(*seconds).astype(np.float32) / 32768


async def test_a_spoken_question_is_heard_thought_about_and_answered(service):
    recording = await talk(service, question(0.3, 0.8))
    assert recording.transcripts == ["What is the capital of France?"]
    assert recording.replies == ["Paris is the capital of France."]
    order = [
        state for state, before in zip(recording.states, [None, *recording.states], strict=False) if state != before
    ]
    assert order[0] is AvatarState.LISTENING
    assert order[-2:] == [AvatarState.SPEAKING, AvatarState.LISTENING]
    assert recording.heard[0].index > 1.1 * 25
    assert recording.states[recording.heard[5].index] is AvatarState.SPEAKING
    samples = sum(len(frame.samples) for frame in recording.heard)
    assert samples / recording.heard[0].sample_rate == pytest.approx(1.0, abs=0.1)


async def test_every_stage_of_the_answer_is_measured(service):
    latency = (await talk(service, question(0.3, 0.8))).latencies[0]
    assert latency.vad_end is not None
    assert latency.vad_end > 0.2
    assert latency.llm_first_token <= latency.llm_first_sentence <= latency.tts_first_audio <= latency.audible


async def test_two_questions_with_a_pause_between_them_are_two_turns(service):
    recording = await talk(service, question(0.3, 0.8, 5.0, 0.8))
    assert len(recording.replies) == 2
    assert len(recording.latencies) == 2


async def test_silence_is_no_question(service):
    with pytest.raises(InputError) as caught:
        await talk(service, np.zeros(SPEECH_RATE // 2, np.float32))
    assert "expected speech in it" in str(caught.value)


async def test_sound_without_words_is_no_question(service):
    service.transcript = ""
    with pytest.raises(InputError) as caught:
        await talk(service, question(0.2, 0.5), patience=1.0)
    assert "got no words" in str(caught.value)


async def test_a_service_that_fails_ends_the_conversation(service):
    service.status = 503
    with pytest.raises(EndpointError) as caught:
        await talk(service, question(0.3, 0.8))
    assert "HTTP 503" in str(caught.value)
