"""The real conversation with a stand-in for the voice loop: what reaches the page, the face and the ears."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest

import agent.session
from agent import events
from agent.latency import LatencyReport
from agent.steady import settle
from agent.web import talk
from agent.web.conversation import (
    Ask,
    Caption,
    Choice,
    Interrupt,
    Notice,
    Say,
    SetEmotion,
    SetMicrophone,
    StateChanged,
    TurnLatency,
)
from agent.web.talk import LiveConversation
from avatar.errors import EndpointError
from avatar.stream import AvatarStream
from avatar.stream.motion import LIVE
from avatar.types import AvatarState, Emotion
from tests.fakes import FlashRenderer, LoudnessGenerator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from numpy.typing import NDArray

    from avatar.types import SyncedFrame


class Voice:
    """Stands in for `agent.session.VoiceSession` and notes what it is told."""

    last: Voice

    def __init__(
        self, parts: object, config: object, sink: AvatarStream, on_event: object, *, earlier: list[tuple[str, str]]
    ) -> None:
        self.on_event = on_event
        self.history = list(earlier)
        self.log: list[tuple[str, str]] = []
        self.heard = 0
        Voice.last = self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.log.append(("left", ""))

    def push_audio(self, samples: NDArray[np.float32]) -> None:
        self.heard += len(samples)

    def say(self, text: str) -> None:
        self.log.append(("say", text))

    def ask(self, text: str) -> None:
        self.log.append(("ask", text))
        self.history.append(("user", text))

    def take_up(self, wish: str) -> None:
        self.log.append(("take up", ""))

    def interrupt(self) -> None:
        self.log.append(("interrupt", ""))


class Viewer:
    """Notes what a conversation shows and tells."""

    def __init__(self) -> None:
        self.frames: list[SyncedFrame] = []
        self.events: list[object] = []
        self._news = asyncio.Event()

    async def show(self, frame: SyncedFrame) -> None:
        self.frames.append(frame)
        self._news.set()

    def tell(self, event: object) -> None:
        self.events.append(event)

    async def see(self, n_frames: int) -> None:
        while len(self.frames) < n_frames:
            self._news.clear()
            await self._news.wait()


class Engine:
    """Has a face and parts at once; the greeting is the persona's."""

    def __init__(self, greeting: str = "", speak_first_after: float | None = None) -> None:
        self.config = SimpleNamespace(turns=SimpleNamespace(speak_first_after=speak_first_after))
        self.stream = AvatarStream(LoudnessGenerator(), FlashRenderer(), LIVE)
        self._greeting = greeting

    async def face(self, avatar: str) -> AvatarStream:
        return self.stream

    async def parts(self, choice: Choice) -> object:
        return SimpleNamespace(persona=SimpleNamespace(greeting=self._greeting))


@asynccontextmanager
async def talking(
    greeting: str = "", *, speak_first_after: float | None = None, earlier: tuple[tuple[str, str], ...] = ()
) -> AsyncGenerator[tuple[LiveConversation, Viewer, Engine]]:
    engine, viewer = Engine(greeting, speak_first_after), Viewer()
    conversation = LiveConversation(engine, Choice("first", "voice", "persona"), earlier)
    running = asyncio.create_task(conversation.run(viewer))
    await asyncio.wait_for(viewer.see(1), 10)
    try:
        yield conversation, viewer, engine
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.fixture(autouse=True)
def voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.session, "VoiceSession", Voice)


async def test_frames_come_from_the_first_moment_and_stop_with_the_conversation():
    async with talking() as (_, viewer, _):
        await asyncio.wait_for(viewer.see(5), 10)
    assert [frame.index for frame in viewer.frames[:5]] == [0, 1, 2, 3, 4]
    assert Voice.last.log[-1] == ("left", "")


async def test_commands_reach_the_voice_loop_in_order():
    async with talking() as (conversation, viewer, _):
        await conversation.do(Ask("how are you"))
        await conversation.do(Say("hello"))
        await conversation.do(Interrupt())
        told = [event for event in viewer.events if isinstance(event, Caption)]
        assert told == [Caption("user", "line1", "how are you", final=True)]
        assert Voice.last.log == [
            ("interrupt", ""),
            ("ask", "how are you"),
            ("interrupt", ""),
            ("say", "hello"),
            ("interrupt", ""),
        ]


async def test_the_greeting_is_said_once_when_the_microphone_opens():
    async with talking("Hi there") as (conversation, _, _):
        await conversation.do(Ask("wait for the voice"))
        for live in (True, False, True):
            await conversation.do(SetMicrophone(live))
        assert Voice.last.log.count(("say", "Hi there")) == 1


async def test_a_closing_microphone_ends_what_was_being_said_with_silence():
    async with talking() as (conversation, _, _):
        await conversation.do(Ask("wait for the voice"))
        await conversation.do(SetMicrophone(live=True))
        conversation.hear(np.ones(160, np.float32))
        await conversation.do(SetMicrophone(live=False))
        assert Voice.last.heard == 160 + 32_000


async def test_who_can_not_hear_does_not_listen():
    async with talking() as (conversation, viewer, _):
        await conversation.do(Ask("wait for the voice"))
        Voice.last.on_event(events.StateChanged(AvatarState.LISTENING))
        assert viewer.events[-1] == StateChanged(AvatarState.IDLE)
        await conversation.do(SetMicrophone(live=True))
        assert viewer.events[-1] == StateChanged(AvatarState.LISTENING)
        await asyncio.wait_for(viewer.see(len(viewer.frames) + 15), 10)
        assert viewer.frames[-1].state is AvatarState.LISTENING


async def test_lines_grow_until_they_are_final():
    async with talking() as (conversation, viewer, _):
        await conversation.do(Ask("wait for the voice"))
        viewer.events.clear()
        for event in (
            events.UserSaid("What", final=False),
            events.UserSaid("What is it?", final=True),
            events.AvatarWords("It is "),
            events.AvatarWords("a test"),
            events.AvatarSaid("It is a", interrupted=True),
            events.AvatarWords("Sorry"),
        ):
            Voice.last.on_event(event)
        assert viewer.events == [
            Caption("user", "line2", "What", final=False),
            Caption("user", "line2", "What is it?", final=True),
            Caption("avatar", "line3", "It is", final=False),
            Caption("avatar", "line3", "It is a test", final=False),
            Caption("avatar", "line3", "It is a", final=True),
            Caption("avatar", "line4", "Sorry", final=False),
        ]


@pytest.mark.parametrize("begin", ["a turn", "a wish"])
async def test_an_answer_that_was_broken_off_before_it_was_heard_leaves_no_words_in_the_next(begin: str):
    async with talking() as (conversation, viewer, _):
        await conversation.do(Ask("wait for the voice"))
        viewer.events.clear()
        Voice.last.on_event(events.AvatarWords("The "))
        if begin == "a turn":
            Voice.last.on_event(events.StateChanged(AvatarState.THINKING))
        else:
            await conversation.do(Say("The best"))
        for event in (
            events.AvatarWords("The "),
            events.StateChanged(AvatarState.LISTENING),  # a pause
            events.StateChanged(AvatarState.SPEAKING),
            events.AvatarWords("best"),
            events.AvatarSaid("The best", interrupted=False),
        ):
            Voice.last.on_event(event)
        assert [event for event in viewer.events if isinstance(event, Caption)] == [
            Caption("avatar", "line2", "The", final=False),
            Caption("avatar", "line2", "", final=True),
            Caption("avatar", "line3", "The", final=False),
            Caption("avatar", "line3", "The best", final=False),
            Caption("avatar", "line3", "The best", final=True),
        ]


async def test_latency_and_failures_reach_the_page():
    async with talking() as (conversation, viewer, _):
        await conversation.do(Ask("wait for the voice"))
        viewer.events.clear()
        Voice.last.on_event(events.TurnMeasured(LatencyReport(vad_end=0.3, audible=0.8)))
        Voice.last.on_event(
            events.Failed(EndpointError("asking the LLM", expected="an answer", got="none", hint="is it on?"))
        )
        latency, notice = viewer.events
        assert latency == TurnLatency(1, 0.8, {"silence noticed": 0.3, "avatar audible": 0.8})
        assert notice == Notice("service", "asking the LLM: expected an answer, got none", "is it on?")


async def test_an_emotion_is_on_the_face_at_once():
    async with talking() as (conversation, viewer, engine):
        await conversation.do(SetEmotion(Emotion.HAPPY, 0.5))
        await asyncio.wait_for(viewer.see(len(viewer.frames) + 15), 10)
        assert engine.stream._generator.requests[-1].emotion[-1].max() == pytest.approx(0.5)


async def test_it_goes_on_from_an_earlier_history_without_another_greeting():
    async with talking("Hi there", earlier=(("user", "I am Bea."),)) as (conversation, _, _):
        await conversation.do(Ask("Who am I?"))
        await conversation.do(SetMicrophone(live=True))
    assert ("say", "Hi there") not in Voice.last.log
    assert conversation.history == [("user", "I am Bea."), ("user", "Who am I?")]


async def test_after_a_silence_it_speaks_first_once_until_somebody_speaks():
    async with talking(speak_first_after=0.01) as (conversation, viewer, _):
        await conversation.do(Say("wait for the voice"))
        Voice.last.on_event(events.StateChanged(AvatarState.LISTENING))
        await asyncio.wait_for(viewer.see(len(viewer.frames) + 5), 10)
        assert ("take up", "") not in Voice.last.log
        await conversation.do(SetMicrophone(live=True))
        await asyncio.wait_for(viewer.see(len(viewer.frames) + 15), 10)
        assert Voice.last.log.count(("take up", "")) == 1
        Voice.last.on_event(events.UserSpeaking(speaking=True))
        await asyncio.wait_for(viewer.see(len(viewer.frames) + 5), 10)
        assert Voice.last.log.count(("take up", "")) == 1
        Voice.last.on_event(events.UserSpeaking(speaking=False))
        await asyncio.wait_for(viewer.see(len(viewer.frames) + 15), 10)
        assert Voice.last.log.count(("take up", "")) == 2


@pytest.mark.parametrize("began", ["while models loaded", "later"])
async def test_a_conversation_that_ended_is_let_go_without_waiting_for_python_to_collect(
    began: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(talk, "LET_GO_AFTER", 0.0)
    engine, viewer, gone = Engine(), Viewer(), asyncio.Event()
    conversation = LiveConversation(engine, Choice("first", "voice", "persona"))
    conversation.itself = conversation  # as livekit's sessions do
    face = weakref.ref(engine.stream, lambda _: gone.set())
    running = asyncio.create_task(conversation.run(viewer))
    await asyncio.wait_for(viewer.see(1), 10)
    await conversation.do(Ask("wait for the voice"))
    engine.stream = Voice.last = None
    gc.disable()
    if began == "while models loaded":
        settle()
    try:
        running.cancel()
        del conversation, running
        assert face() is not None
        await asyncio.wait_for(gone.wait(), 10)
    finally:
        gc.unfreeze()
        gc.enable()
