"""The real conversation: the voice loop and the face, on one set of loaded models."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Final

import numpy as np

from agent import events
from agent.config import PLUGINS
from agent.persona import load_persona
from agent.web.conversation import (
    Ask,
    Caption,
    Interrupt,
    LoadStage,
    LoadState,
    Notice,
    Say,
    SetEmotion,
    SetMicrophone,
    StateChanged,
    TurnLatency,
)
from avatar.errors import InputError, VisavisError
from avatar.stream import AvatarStream, LiveStream
from avatar.stream.motion import LIVE
from avatar.types import SPEECH_RATE, AudioChunk, AvatarState, Emotion

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from agent.config import Config
    from agent.parts import Parts
    from agent.session import VoiceSession
    from agent.web.conversation import Audience, Choice, Command
    from agent.web.gallery import PhotoGallery

SIZE: Final = 512
"""Height and width of the pictures."""

_FACE: Final = "face"
_PARTS: Final = {
    "vad": "voice detection",
    "stt": "speech recognition",
    "llm": "language model",
    "tts": "voice",
}
_STARTING: Final = 10.0
"""Seconds that a command waits for the voice loop."""

_SILENCE_AFTER_CLOSING: Final = 2.0
"""Seconds of silence that the ears are given when the microphone closes, so that what was being said ends."""


class LiveEngine:
    """Loads the models once and opens conversations on them.

    Args:
        config: What to load.
        gallery: Knows the portraits.
    """

    def __init__(self, config: Config, gallery: PhotoGallery) -> None:
        self.config = config
        self.gallery = gallery
        self._parts: Parts | None = None
        self._loaded = asyncio.Event()
        self._spare: dict[str, AvatarStream] = {}
        self._faces = asyncio.Lock()

    async def load(self, report: Callable[[LoadStage], None]) -> None:
        """Loads the face first, so that there is something to see, then what it hears, thinks and speaks with.

        Raises:
            VisavisError: A model is missing or damaged, or the configuration names what is not there.
        """
        for name in (_FACE, *_PARTS.values()):
            report(LoadStage(name, LoadState.LOADING))
        first = self.gallery.options().default().avatar
        async with self._faces:
            self._spare[first] = await asyncio.to_thread(self._make_face, first)
        report(LoadStage(_FACE, LoadState.READY))
        # livekit lets plugins be imported in the main thread only.
        _import_plugins(self.config)
        from agent.parts import load_parts  # noqa: PLC0415 - loads livekit-agents

        loop = asyncio.get_running_loop()

        def on_loaded(kind: str, _: float) -> None:
            loop.call_soon_threadsafe(report, LoadStage(_PARTS[kind], LoadState.READY))

        self._parts = await asyncio.to_thread(load_parts, self.config, on_loaded)
        import_module("agent.session")
        # A full collection over what is loaded (350 000 objects) would hold up frames and sound for 180 ms.
        gc.collect()
        gc.freeze()
        self._loaded.set()

    async def prepare(self, choice: Choice) -> None:
        """Makes the avatar's face ready.

        Raises:
            InputError: The photo can't be used.
        """
        async with self._faces:
            if choice.avatar not in self._spare:
                self._spare = {choice.avatar: await asyncio.to_thread(self._make_face, choice.avatar)}

    def open(self, choice: Choice) -> LiveConversation:
        """Returns a new conversation."""
        return LiveConversation(self, choice)

    async def face(self, avatar: str) -> AvatarStream:
        """Returns a face of its own; the first one was made while loading.

        Raises:
            InputError: The photo can't be used.
        """
        async with self._faces:
            spare = self._spare.pop(avatar, None)
            return spare or await asyncio.to_thread(self._make_face, avatar)

    async def parts(self, persona: str) -> Parts:
        """Returns the parts of the voice loop with a persona, as soon as they are loaded."""
        await self._loaded.wait()
        if self._parts is None:
            raise RuntimeError("the parts were closed")
        return replace(self._parts, persona=load_persona(self.gallery.persona(persona)))

    async def aclose(self) -> None:
        """Frees the models; conversations must have ended."""
        parts, self._parts = self._parts, None
        if parts is not None:
            await parts.aclose()

    def _make_face(self, avatar: str) -> AvatarStream:
        from avatar.motion.generator import load_motion_model  # noqa: PLC0415 - heavy
        from avatar.render.renderer import PortraitRenderer  # noqa: PLC0415 - heavy

        options = self.config.avatar
        renderer = PortraitRenderer(self.gallery.portrait(avatar), SIZE, threads=options.threads)
        return AvatarStream(load_motion_model(options.seed, options.threads), renderer, LIVE)


class LiveConversation:
    """One person's talk with one avatar.

    Args:
        engine: The loaded models.
        choice: Avatar, voice and persona.
    """

    def __init__(self, engine: LiveEngine, choice: Choice) -> None:
        self._engine = engine
        self._choice = choice
        self._audience: Audience | None = None
        self._face: AvatarStream | None = None
        self._voice: VoiceSession | None = None
        self._talking = asyncio.Event()
        self._greeting = ""
        self._microphone = False
        self._state = AvatarState.IDLE
        self._emotion = (Emotion.NEUTRAL, 0.0)
        self._lines = count(1)
        self._turns = count(1)
        self._open_lines: dict[str, tuple[str, str]] = {}

    async def run(self, audience: Audience) -> None:
        """Shows the face at once and talks as soon as the voice loop is loaded, until it is cancelled.

        Raises:
            VisavisError: The avatar, the persona or a service can't be used.
        """
        self._audience = audience
        self._face = await self._engine.face(self._choice.avatar)
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
                voice.say(text)
            case Interrupt():
                if self._voice is not None:
                    self._voice.interrupt()

    async def _talk(self, face: AvatarStream) -> None:
        from agent.session import VoiceSession  # noqa: PLC0415 - loads livekit-agents

        parts = await self._engine.parts(self._choice.persona)
        self._greeting = parts.persona.greeting
        async with VoiceSession(parts, self._engine.config, face, self._on_event) as voice:
            self._voice = voice
            self._talking.set()
            self._greet()
            try:
                await asyncio.Event().wait()
            finally:
                self._voice = None
                self._talking.clear()

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
                self._line("avatar", self._so_far("avatar") + text, final=False)
            case events.AvatarSaid(text=text):
                self._line("avatar", text, final=True)
            case events.TurnMeasured(latency=latency):
                rows = dict(latency.rows())
                self._tell(TurnLatency(next(self._turns), latency.audible or max(rows.values(), default=0.0), rows))
            case events.Failed(error=error):
                hint = error.hint if isinstance(error, VisavisError) else ""
                self._tell(Notice("service", str(error), hint))
            case events.UserSpeaking():
                pass

    def _show_state(self, state: AvatarState) -> None:
        """Tells the face and the page; who can't hear does not listen."""
        self._state = state
        if state is AvatarState.LISTENING and not self._microphone:
            state = AvatarState.IDLE
        if self._face is not None:
            self._face.set_state(state)
        self._tell(StateChanged(state))

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


def _import_plugins(config: Config) -> None:
    named = [config.vad.name, config.stt.name, config.llm.name, config.tts.name, config.turns.detection.name]
    for name in ("livekit.plugins.openai.", "livekit.plugins.silero.", *named):
        if name.startswith(PLUGINS):
            try:
                import_module(name.rpartition(".")[0])
            except ModuleNotFoundError:
                continue  # loading the part says what is missing
