"""Who gets the turn: the real session over hand-written ears, with a service on the loopback for words and voice."""

from __future__ import annotations

import asyncio
from typing import Self

import numpy as np
import pytest
from livekit.agents import llm, tts

from agent.config import PartConfig, load_config
from agent.events import AvatarSaid, StateChanged, UserSaid, UserSpeaking
from agent.options import WhisperOptions
from agent.parts import Parts
from agent.persona import Persona
from agent.playout import PacedSink
from agent.plugins import make_plugin
from agent.recogniser import Recognised
from agent.session import VoiceSession
from agent.stt import WhisperSTT
from agent.turns import WordTurnDetector
from avatar.types import AvatarState
from tests.agent.fakes import FakeService, LoudnessVAD, sound

REPLY = "One two three four five six seven eight nine ten."
TONE = (np.sin(np.arange(24_000) * 0.1) * 8000).astype(np.int16) / 32768
"""What the service's voice says, whatever the words."""


class Ears:
    """A recogniser that understands `text` in whatever is loud."""

    text = ""

    def recognise(self, samples: np.ndarray) -> Recognised:
        return Recognised(self.text if np.abs(samples).max() > 0.01 else "", "en", 0.9)


class Talk:
    """A conversation whose listener hears as many frames as the test lets it."""

    def __init__(self, service: FakeService, hush: float | None = None) -> None:
        service.reply = REPLY
        turns = load_config().turns.model_copy(
            update={"min_delay": 0.05, "max_delay": 30.0, "false_interruption": 0.05, "hush": hush}
        )
        self.config = load_config().model_copy(update={"turns": turns, "timeout": 5.0})
        self.ears = Ears()

        def part(kind: str, base: type, **args: object) -> object:
            name = f"livekit.plugins.openai.{kind.upper()}"
            made = {"class": name, "args": {"base_url": service.url, **args}, "key_env": None}
            return make_plugin(kind, PartConfig.model_validate(made), base)

        detector = LoudnessVAD()
        self.parts = Parts(
            persona=Persona(instructions="You are Ada."),
            vad=detector,
            stt=WhisperSTT(self.ears, detector, WhisperOptions()),
            llm=part("llm", llm.LLM, model="m", max_retries=0),
            tts=part("tts", tts.TTS, model="tts-1", response_format="pcm"),
            detection="words",
        )
        self.events: list[object] = []
        self.sink = PacedSink()
        self.session = VoiceSession(self.parts, self.config, self.sink, self.events.append)

    async def __aenter__(self) -> Self:
        await self.session.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.session.__aexit__(None, None, None)
        await self.parts.aclose()

    def seen(self, kind: type, **fields: object) -> bool:
        return any(
            isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
            for event in self.events
        )

    async def until(self, ready, *, listen: bool = False) -> None:
        async with asyncio.timeout(30):
            while not ready():
                if listen:
                    self.sink.step()
                await asyncio.sleep(0.002)

    async def speaking(self) -> None:
        """Has the avatar speak, and hears the first 5 frames."""
        self.session.ask("Count.")
        await self.until(lambda: self.sink.heard, listen=True)
        await self.until(lambda: self.seen(StateChanged, state=AvatarState.SPEAKING))
        await self.until(lambda: len(self.sink.heard) >= 5, listen=True)
        self.events.clear()

    async def user_says(self, text: str, seconds: float, loudness: float = 0.25) -> None:
        """Has the user say something, and waits until that is over."""
        self.ears.text = text
        self.session.push_audio((sound(0.2, seconds, 1.0) / 8000 * loudness).astype(np.float32))
        await self.until(lambda: self.seen(UserSpeaking, speaking=False))

    def heard(self) -> np.ndarray:
        return np.concatenate([frame.samples for frame in self.sink.heard])

    async def hear_it_out(self) -> AvatarSaid:
        await self.until(lambda: self.seen(AvatarSaid), listen=True)
        return next(event for event in self.events if isinstance(event, AvatarSaid))


@pytest.fixture
async def talk():
    async with FakeService().running() as service, Talk(service) as talk:
        yield talk


@pytest.mark.parametrize("text", ["Yeah.", "Mm-hm.", "Right!", ""])
async def test_a_listeners_sound_does_not_stop_the_avatar(talk, text):
    await talk.speaking()
    await talk.user_says(text, 0.3)
    assert not talk.sink._paused
    said = await talk.hear_it_out()
    assert said == AvatarSaid(REPLY, interrupted=False)
    np.testing.assert_allclose(talk.heard()[: len(TONE)], TONE, atol=1e-4)
    assert not talk.seen(UserSaid)


@pytest.mark.parametrize("text", ["Yeah, yeah, okay.", ""])
async def test_a_false_interruption_pauses_and_goes_on_from_the_same_sample(talk, text):
    await talk.speaking()
    await talk.user_says(text, 0.9)
    assert talk.seen(StateChanged, state=AvatarState.LISTENING)
    n_before = len(talk.sink.heard)
    said = await talk.hear_it_out()
    assert said == AvatarSaid(REPLY, interrupted=False)
    fading = slice((n_before - 1) * 960, n_before * 960)
    whole = talk.heard()[: len(TONE)]
    np.testing.assert_allclose(np.delete(whole, fading), np.delete(TONE, fading), atol=1e-4)


async def test_a_listeners_sound_holds_the_voice_for_a_moment_and_it_goes_on_from_the_same_sample():
    async with FakeService().running() as service, Talk(service, hush=0.06) as talk:
        await talk.speaking()
        talk.ears.text = "Okay."
        talk.session.push_audio((sound(0.2, 0.3) / 8000 * 0.25).astype(np.float32))
        await talk.until(lambda: talk.sink._paused)
        n_before = len(talk.sink.heard)
        talk.session.push_audio(np.zeros(16_000, np.float32))
        await talk.until(lambda: not talk.sink._paused)
        said = await talk.hear_it_out()
        assert said == AvatarSaid(REPLY, interrupted=False)
        assert not talk.seen(UserSaid)
    fading = slice((n_before - 1) * 960, n_before * 960)
    whole = talk.heard()[: len(TONE)]
    np.testing.assert_allclose(np.delete(whole, fading), np.delete(TONE, fading), atol=1e-4)


async def test_who_wants_the_turn_gets_it_and_the_history_ends_with_the_last_word_that_was_heard(talk):
    await talk.speaking()
    await talk.user_says("Stop, please.", 0.9)
    said = await talk.hear_it_out()
    assert said.interrupted
    assert len(said.text) < len(REPLY)
    assert REPLY.startswith(said.text)
    await talk.until(lambda: ("user", "Stop, please.") in talk.session.history)
    assert ("assistant", said.text) in talk.session.history or not said.text


async def test_an_echo_of_its_own_voice_is_not_heard_as_speech(talk):
    await talk.speaking()
    talk.ears.text = "three four five six"
    talk.session.push_audio((sound(0.2, 1.0, 1.0) / 8000 * 0.035).astype(np.float32))
    said = await talk.hear_it_out()
    assert said == AvatarSaid(REPLY, interrupted=False)
    assert not talk.seen(UserSpeaking)
    assert not talk.seen(UserSaid)


async def test_its_own_words_take_no_turn_however_loud_they_come_back(talk):
    await talk.speaking()
    await talk.user_says("Three four five six.", 0.9)
    assert await talk.hear_it_out() == AvatarSaid(REPLY, interrupted=False)
    assert not talk.seen(UserSaid)


async def test_the_same_word_is_an_answer_when_the_avatar_is_silent(talk):
    await talk.user_says("Yeah.", 0.3)
    await talk.until(lambda: ("user", "Yeah.") in talk.session.history)


async def test_a_sentence_that_breaks_off_is_waited_for(talk):
    await talk.user_says("Could you tell me about", 0.9)
    await talk.until(lambda: talk.seen(UserSaid, text="Could you tell me about", final=True))
    talk.events.clear()
    await talk.user_says("the largest ocean?", 0.9)
    await talk.until(lambda: any(role == "user" for role, _ in talk.session.history))
    assert talk.session.history[0] == ("user", "Could you tell me about the largest ocean?")


class HangsUp(WordTurnDetector):
    """A detector that ends the session while it thinks about the end of a turn."""

    def __init__(self, talk: Talk) -> None:
        self.closing: asyncio.Task[None] | None = None
        self._talk = talk

    async def predict_end_of_turn(self, chat_ctx: llm.ChatContext, *, timeout: float | None = None) -> float:  # noqa: ASYNC109 - livekit's signature
        self.closing = self.closing or asyncio.create_task(self._talk.session.__aexit__(None, None, None))
        return await super().predict_end_of_turn(chat_ctx, timeout=timeout)


async def test_who_hangs_up_as_a_turn_ends_waits_for_no_answer(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agent.session._CLOSING_SECONDS", 3600.0)
    async with FakeService().running() as service:
        talk = Talk(service)
        talk.parts.detection = detector = HangsUp(talk)
        await talk.session.__aenter__()
        await talk.user_says("What is the largest ocean?", 0.9)
        await talk.until(lambda: detector.closing)
        async with asyncio.timeout(60):
            await detector.closing
        await talk.parts.aclose()
    assert not talk.sink.heard


async def test_an_llm_that_can_reads_what_was_said_before_and_then_what_the_user_has_said_so_far(monkeypatch):
    read: list[list[tuple[str, str | None]]] = []
    async with FakeService().running() as service, Talk(service) as talk:

        def note(chat: llm.ChatContext) -> None:
            read.append([(item.role, item.text_content) for item in chat.items if isinstance(item, llm.ChatMessage)])

        monkeypatch.setattr(talk.parts.llm, "read_ahead", note, raising=False)
        await talk.user_says("What is the capital of France?", 2.0)
        await service.asked.wait()
    asked = next(body for kind, body in service.requests if kind == "chat")
    assert read[:2] == [
        [("system", "You are Ada.")],
        [("system", "You are Ada."), ("user", "What is the capital of France?")],
    ]
    assert [message["content"] for message in asked["messages"]] == [text for _, text in read[1]]
