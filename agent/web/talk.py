"""The real conversation: the voice loop and the face, on one set of loaded models."""

from __future__ import annotations

import asyncio
import gc
from itertools import count
from typing import TYPE_CHECKING, Final

import numpy as np

from agent import events
from agent.web.conversation import (
    Ask,
    Caption,
    Interrupt,
    Notice,
    Say,
    SetEmotion,
    SetMicrophone,
    StateChanged,
    TurnLatency,
)
from agent.web.silence import SilenceWatch
from avatar.errors import InputError, VisavisError
from avatar.stream import LiveStream
from avatar.types import SPEECH_RATE, AudioChunk, AvatarState, Emotion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agent.session import VoiceSession
    from agent.web.conversation import Audience, Choice, Command
    from agent.web.live import LiveEngine
    from avatar.stream import AvatarStream

_STARTING: Final = 10.0
"""Seconds that a command waits for the voice loop."""

_SILENCE_AFTER_CLOSING: Final = 2.0
"""Seconds of silence that the ears are given when the microphone closes, so that what was being said ends."""

LET_GO_AFTER: Final = 2.0
"""Seconds after a conversation in which what it held is let go: some 60 MB in cycles, for which Python waits long."""

_TAKE_UP: Final = (
    "The user has said nothing for a while. Say one short, friendly sentence that takes up the conversation, for "
    "example a question about what was said last."
)


class LiveConversation:
    """One person's talk with one avatar.

    Args:
        engine: The loaded models.
        choice: Avatar, voice and persona.
        earlier: The history that it goes on from.
    """

    def __init__(self, engine: LiveEngine, choice: Choice, earlier: Sequence[tuple[str, str]] = ()) -> None:
        self._engine = engine
        self._choice = choice
        self._earlier = list(earlier)
        self._audience: Audience | None = None
        self._face: AvatarStream | None = None
        self._voice: VoiceSession | None = None
        self._talking = asyncio.Event()
        self._greeting = ""
        self._microphone = False
        self._state = AvatarState.IDLE
        self._emotion: tuple[Emotion, float] | None = None  # the configuration's mood, until somebody asks for another
        self._lines = count(1)
        self._turns = count(1)
        self._open_lines: dict[str, tuple[str, str]] = {}
        self._answer_begins = False
        self._silence = SilenceWatch(None, self._take_up)

    @property
    def history(self) -> list[tuple[str, str]]:
        """Who said what so far, ``user`` or ``assistant`` and the words that were heard."""
        return self._earlier if self._voice is None else self._voice.history

    async def run(self, audience: Audience) -> None:
        """Shows the face at once and talks as soon as the voice loop is loaded, until it is cancelled.

        Raises:
            VisavisError: The avatar, the persona or a service can't be used.
        """
        self._audience = audience
        n_frozen = gc.get_freeze_count()
        self._face = await self._engine.face(self._choice.avatar)
        if self._emotion is not None:
            self._face.set_emotion(*self._emotion)
        shown = LiveStream(self._face)
        entering = asyncio.create_task(asyncio.to_thread(shown.__enter__))
        try:
            await asyncio.shield(entering)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._talk(self._face), name="voice loop")
                async for frame in shown.frames():
                    await audience.show(frame)
        except* VisavisError as group:
            raise group.exceptions[0] from None
        finally:
            await asyncio.wait([entering])
            await asyncio.to_thread(shown.__exit__, None, None, None)
            asyncio.get_running_loop().call_later(LET_GO_AFTER, _let_go, n_frozen)

    def hear(self, samples: NDArray[np.float32]) -> None:
        """Takes the user's next sound, float32 (n_samples,) at 16 kHz."""
        if self._face is not None:
            self._face.push_user_audio(AudioChunk(samples, SPEECH_RATE))
        if self._voice is not None:
            self._voice.push_audio(samples)

    async def do(self, command: Command) -> None:
        """Carries out a command; one that needs the voice loop waits a little if that is just starting.

        Raises:
            InputError: The conversation does not begin.
        """
        if isinstance(command, Ask | Say):
            self._silence.someone_spoke()
        match command:
            case SetEmotion(emotion=emotion, intensity=intensity):
                self._emotion = (emotion, intensity)
                if self._face is not None:
                    self._face.set_emotion(emotion, intensity)
            case SetMicrophone(live=live):
                self._open_ears(live=live)
            case Ask(text=text):
                voice = await self._ready_voice()
                voice.interrupt()
                self._tell(Caption("user", f"line{next(self._lines)}", text, final=True))
                voice.ask(text)
            case Say(text=text):
                voice = await self._ready_voice()
                voice.interrupt()
                self._answer_begins = True
                voice.say(text)
            case Interrupt():
                if self._voice is not None:
                    self._voice.interrupt()

    async def _talk(self, face: AvatarStream) -> None:
        parts = await self._engine.parts(self._choice)
        from agent.session import VoiceSession  # noqa: PLC0415 - loads livekit-agents, as the engine has by now

        config = self._engine.config
        self._greeting = "" if self._earlier else parts.persona.greeting
        self._silence = SilenceWatch(config.turns.speak_first_after, self._take_up)
        voice = VoiceSession(parts, config, face, self._on_event, earlier=self._earlier)
        try:
            async with voice:
                self._voice = voice
                self._talking.set()
                self._greet()
                try:
                    await asyncio.Event().wait()
                finally:
                    self._silence.end()
                    self._voice = None
                    self._talking.clear()
        finally:
            self._earlier = voice.history

    async def _ready_voice(self) -> VoiceSession:
        try:
            async with asyncio.timeout(_STARTING):
                await self._talking.wait()
        except TimeoutError:
            pass
        if self._voice is None:
            raise InputError(
                "talking", expected="a conversation that runs", got="one that is starting", hint="try again in a moment"
            )
        return self._voice

    def _open_ears(self, *, live: bool) -> None:
        was_live, self._microphone = self._microphone, live
        if was_live and not live and self._voice is not None:
            self._voice.push_audio(np.zeros(round(_SILENCE_AFTER_CLOSING * SPEECH_RATE), np.float32))
        self._greet()
        self._show_state(self._state)

    def _greet(self) -> None:
        """Says hello once, to who can answer."""
        if self._microphone and self._voice is not None and self._greeting:
            self._voice.say(self._greeting)
            self._greeting = ""

    def _on_event(self, event: events.SessionEvent) -> None:
        match event:
            case events.StateChanged(state=state):
                self._show_state(state)
            case events.UserSaid(text=text, final=final):
                self._line("user", text, final=final)
            case events.AvatarWords(text=text):
                self._drop_unheard()
                self._line("avatar", self._so_far("avatar") + text, final=False)
            case events.AvatarSaid(text=text):
                self._line("avatar", text, final=True)
            case events.TurnMeasured(latency=latency):
                rows = dict(latency.rows())
                self._tell(TurnLatency(next(self._turns), latency.audible or max(rows.values(), default=0.0), rows))
            case events.Failed(error=error):
                hint = error.hint if isinstance(error, VisavisError) else ""
                self._tell(Notice("service", str(error), hint))
            case events.UserSpeaking(speaking=speaking):
                self._silence.someone_spoke()
                self._watch(quiet=not speaking)

    def _show_state(self, state: AvatarState) -> None:
        """Tells the face and the page; who can't hear does not listen."""
        self._state = state
        self._answer_begins = self._answer_begins or state is AvatarState.THINKING
        if state is AvatarState.LISTENING and not self._microphone:
            state = AvatarState.IDLE
        if self._face is not None:
            self._face.set_state(state)
        self._tell(StateChanged(state))
        self._watch(quiet=self._state in {AvatarState.LISTENING, AvatarState.IDLE})

    def _watch(self, *, quiet: bool) -> None:
        self._silence.set(quiet=quiet and self._microphone)

    def _take_up(self) -> None:
        """Speaks first: the user has said nothing for a while."""
        if self._voice is not None:
            self._voice.take_up(_TAKE_UP)

    def _drop_unheard(self) -> None:
        """Takes the line of an earlier answer away that was broken off before anybody heard it, as the history does."""
        if self._answer_begins and "avatar" in self._open_lines:
            self._line("avatar", "", final=True)
        self._answer_begins = False

    def _so_far(self, speaker: str) -> str:
        return self._open_lines.get(speaker, ("", ""))[1]

    def _line(self, speaker: str, text: str, *, final: bool) -> None:
        name, _ = self._open_lines.get(speaker) or (f"line{next(self._lines)}", "")
        self._open_lines[speaker] = (name, text)
        if final:
            del self._open_lines[speaker]
        self._tell(Caption("user" if speaker == "user" else "avatar", name, text.strip(), final))

    def _tell(self, event: Caption | StateChanged | TurnLatency | Notice) -> None:
        if self._audience is not None:
            self._audience.tell(event)


def _let_go(n_frozen: int) -> None:
    """Collects what a conversation held.

    Args:
        n_frozen: Objects that were out of collections when it began. If others joined them (`agent.steady.settle`),
            those of the conversation are among them.
    """
    was_frozen = gc.get_freeze_count() != n_frozen
    if was_frozen:
        gc.unfreeze()
    gc.collect()
    if was_frozen:
        gc.freeze()
