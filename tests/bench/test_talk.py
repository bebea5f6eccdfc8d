from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from livekit.agents import llm, tts

from agent.bench import talk
from agent.bench.figures import Figures
from agent.bench.script import Script, Utterance, make_script
from agent.bench.talk import Bench, Microphone, WatchedRenderer, WatchedStream
from agent.config import PartConfig, load_config
from agent.options import WhisperOptions
from agent.parts import Parts
from agent.persona import Persona
from agent.plugins import make_plugin
from agent.recogniser import Recognised
from agent.stt import WhisperSTT
from avatar.stream.motion import LIVE
from tests.agent.fakes import FakeService, LoudnessVAD
from tests.fakes import FlashRenderer, LoudnessGenerator, chunk, voice

if TYPE_CHECKING:
    from avatar.types import AudioChunk


class Ears:
    """Understands a short sound as a listener's, and every longer one as the same question."""

    def recognise(self, samples: np.ndarray) -> Recognised:
        seconds = np.count_nonzero(np.abs(samples) > 0.01) / 16_000
        text = "What is the largest ocean?" if seconds > 0.4 else "Okay."
        return Recognised(text if seconds else "", "en", 0.9)


class Engine:
    """Says anything as a second of sound between silences."""

    name = "engine"
    sample_rate = 16_000

    def say(self, text: str):
        silence = np.zeros(3200, np.int16)
        yield np.concatenate([silence, np.full(16_000, 8000, np.int16), silence]).tobytes()


def make(service: FakeService):
    config = load_config()
    detector = LoudnessVAD()

    def part(kind: str, base: type, **args: object):
        made = {"class": f"livekit.plugins.openai.{kind.upper()}", "args": {"base_url": service.url, **args}}
        return make_plugin(kind, PartConfig.model_validate(made), base)

    parts = Parts(
        persona=Persona(instructions="You are Ada."),
        vad=detector,
        stt=WhisperSTT(Ears(), detector, WhisperOptions()),
        llm=part("llm", llm.LLM, model="m", max_retries=0),
        tts=part("tts", tts.TTS, model="tts-1", response_format="pcm"),
        detection="words",
    )
    return config, parts


def test_the_users_questions_begin_and_end_with_their_sound():
    script = make_script(Engine(), 12)
    assert len(script.questions) == 12
    assert script.questions[0].samples is script.questions[10].samples
    for utterance in (*script.questions, script.interruption, *script.backchannels):
        assert abs(utterance.samples[-1]) > 0.02
        assert not np.any(np.abs(utterance.samples[: utterance.onset]) > 0.02)
        assert len(utterance.samples) - utterance.onset == pytest.approx(16_000 / 1.12, rel=0.02)


async def test_a_microphone_gives_all_that_is_said_and_silence_around_it():
    heard: list[np.ndarray] = []
    microphone = Microphone(heard.append)
    running = asyncio.create_task(microphone.run())
    said = Utterance(np.linspace(0.1, 1.0, 1000, dtype=np.float32), 160)
    onset, end = await microphone.say(said)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert {len(piece) for piece in heard} == {320}
    whole = np.concatenate(heard)
    first = int(np.flatnonzero(whole)[0])
    np.testing.assert_array_equal(whole[first : first + 1000], said.samples)
    assert end - onset == pytest.approx((1000 - 160) / 16_000)


def test_the_first_sound_of_each_reply_is_noted():
    stream = WatchedStream(LoudnessGenerator(), FlashRenderer())
    stream.push_audio(chunk(voice(0.5)), "one")
    first, stream.pushed_at = stream.pushed_at, None
    stream.push_audio(chunk(voice(0.5)), "one")
    assert first is not None
    assert stream.pushed_at is None
    stream.end_segment("one")
    stream.push_audio(chunk(voice(0.5)), "two")
    assert stream.pushed_at is not None


async def test_turns_and_interruptions_are_measured_on_the_real_session(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(talk, "BARGE_IN_EVERY", 1)
    figures = Figures("here")
    renderer = WatchedRenderer(FlashRenderer((128, 128)))
    replies: list[str] = []

    class Listening(WatchedStream):
        def push_audio(self, chunk: AudioChunk, segment_id: str = "") -> None:
            replies.extend([segment_id] if segment_id not in replies else [])
            super().push_audio(chunk, segment_id)

    stream = Listening(LoudnessGenerator(), renderer, LIVE)
    loud = Utterance(np.full(16_000, 0.5, np.float32), 0)
    short = Utterance(np.full(4800, 0.5, np.float32), 0)
    turns: list[int] = []
    async with FakeService(reply="It is a long story. " * 12).running() as service:
        config, parts = make(service)
        try:
            await Bench(stream, renderer, figures).hold(parts, config, Script([loud], loud, [short]), turns.append)
        finally:
            await parts.aclose()
    assert turns == [1]
    assert len(replies) == 3, "an answer, the story, and an answer to who interrupts it"
    assert figures.n_unanswered == 0
    assert len(figures.answer) == 1
    assert figures.answer[0] > 0
    assert {"vad_end", "transcript_final", "turn_end", "llm_first_token", "tts_first_audio"} <= set(figures.stages)
    assert len(figures.barge_in_silence) == 1
    assert figures.barge_in_silence[0] > 0
    assert len(figures.backchannel_break) == 1
    assert all(math.isfinite(seconds) for seconds in figures.barge_in_mouth)
    assert figures.n_frames > 0
