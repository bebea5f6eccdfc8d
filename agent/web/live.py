"""The loaded models, one set for the process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from agent.config import PLUGINS
from agent.persona import load_persona
from agent.steady import settle
from agent.web.conversation import LoadStage, LoadState
from agent.web.talk import LiveConversation
from avatar.stream import AvatarStream
from avatar.stream.motion import LIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from livekit.agents.tts import TTS

    from agent.config import Config
    from agent.parts import Parts
    from agent.web.conversation import Choice
    from agent.web.gallery import PhotoGallery
    from avatar.portrait.types import Portrait

SIZE: Final = 512
"""Height and width of the pictures."""

_FACE: Final = "face"
_PARTS: Final = {
    "vad": "voice detection",
    "stt": "speech recognition",
    "llm": "language model",
    "tts": "voice",
}
_MADE_OF: Final = ("livekit.agents", "openai.types.beta.realtime", "agent.parts", "agent.session")
_PLUGINS: Final = ("livekit.plugins.openai", "livekit.plugins.silero")

_MOST_VOICES: Final = 2
"""Voices kept loaded beside the configured one."""


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
        self._voices: OrderedDict[str, TTS[Any]] = OrderedDict()
        self._spare: dict[str, AvatarStream] = {}
        self._faces = asyncio.Lock()
        self._loading_voice = asyncio.Lock()

    async def load(self, report: Callable[[LoadStage], None]) -> None:
        """Loads the face, so that there is something to see, and beside it what it hears, thinks and speaks with.

        Raises:
            VisavisError: A model is missing or damaged, or the configuration names what is not there.
        """
        for name in (_FACE, *_PARTS.values()):
            report(LoadStage(name, LoadState.LOADING))
        first = self.gallery.options().default().avatar
        loop = asyncio.get_running_loop()

        def on_loaded(kind: str, _: float) -> None:
            loop.call_soon_threadsafe(report, LoadStage(_PARTS[kind], LoadState.READY))

        # By a filter requests keeps urllib3 from warning while it is imported; another thread's catch_warnings, which
        # setting up a photo has many of, would take that away.
        import_module("requests")
        portrait = asyncio.create_task(asyncio.to_thread(self.gallery.portrait, first))
        face = asyncio.create_task(self._first_face(first, portrait, report))
        try:
            await _import_parts(self.config)
            if portrait.done() or self.config.avatar.portrait is not None:
                await portrait  # a photo that can't be used is told before models are loaded in vain
            await self._load_parts(on_loaded)
            await face
        finally:
            face.cancel()
            await asyncio.gather(face, return_exceptions=True)
        settle()
        self._loaded.set()

    async def prepare(self, choice: Choice) -> None:
        """Makes the avatar's face and its voice ready.

        Raises:
            InputError: The photo or the voice can't be used.
        """
        async with self._faces:
            if choice.avatar not in self._spare:
                self._spare = {choice.avatar: await asyncio.to_thread(self._make_face, choice.avatar)}
        await self._voice(choice.voice)

    def open(self, choice: Choice, earlier: Sequence[tuple[str, str]] = ()) -> LiveConversation:
        """Returns a new conversation that goes on from an earlier history."""
        return LiveConversation(self, choice, earlier)

    async def face(self, avatar: str) -> AvatarStream:
        """Returns a face of its own; the first one was made while loading.

        Raises:
            InputError: The photo can't be used.
        """
        async with self._faces:
            spare = self._spare.pop(avatar, None)
            return spare or await asyncio.to_thread(self._make_face, avatar)

    async def parts(self, choice: Choice) -> Parts:
        """Returns the parts of the voice loop with a voice and a persona, as soon as they are loaded.

        Raises:
            VisavisError: The voice or the persona can't be used.
        """
        await self._loaded.wait()
        if self._parts is None:
            raise RuntimeError("the parts were closed")
        persona = load_persona(self.gallery.cast.persona(choice.persona), directions=self.config.teaches_directions)
        return replace(self._parts, persona=persona, tts=await self._voice(choice.voice))

    async def aclose(self) -> None:
        """Frees the models; conversations must have ended."""
        parts, self._parts = self._parts, None
        if parts is not None:
            await parts.aclose()
        for voice in self._voices.values():
            await voice.aclose()

    async def _first_face(
        self, avatar: str, portrait: asyncio.Task[Portrait], report: Callable[[LoadStage], None]
    ) -> None:
        async with self._faces:
            await portrait
            report(LoadStage(_FACE, LoadState.LOADING))  # from now on there is a picture of it to show
            self._spare[avatar] = await asyncio.to_thread(self._make_face, avatar)
        report(LoadStage(_FACE, LoadState.READY))

    async def _load_parts(self, on_loaded: Callable[[str, float], None]) -> None:
        from agent.parts import load_parts  # noqa: PLC0415 - imported before

        loading = asyncio.create_task(asyncio.to_thread(load_parts, self.config, on_loaded))
        try:
            await asyncio.wait([loading])
        finally:
            self._parts = await loading  # a thread can't be cancelled: `aclose` frees what it has loaded

    async def _voice(self, name: str) -> TTS[Any]:
        """Returns a voice; a few stay loaded beside the configured one."""
        await self._loaded.wait()
        if self._parts is None:
            raise RuntimeError("the parts were closed")
        if name == self.gallery.cast.voices[0].id:
            return self._parts.tts
        async with self._loading_voice:
            if name not in self._voices:
                from agent.parts import load_tts  # noqa: PLC0415 - loads livekit-agents

                config = self.config.model_copy(update={"tts": self.gallery.cast.voice(name)})
                self._voices[name] = await asyncio.to_thread(load_tts, config)
            self._voices.move_to_end(name)
            while len(self._voices) > _MOST_VOICES:
                self._voices.popitem(last=False)  # whoever speaks with it keeps it
            return self._voices[name]

    def _make_face(self, avatar: str) -> AvatarStream:
        from avatar.motion.generator import load_motion_model  # noqa: PLC0415 - heavy
        from avatar.render.renderer import PortraitRenderer  # noqa: PLC0415 - heavy

        options = self.config.avatar
        renderer = PortraitRenderer(self.gallery.portrait(avatar), SIZE, threads=options.threads, relaxed=True)
        stream = AvatarStream(load_motion_model(options.seed, options.threads), renderer, LIVE)
        self.config.motion.set_on(stream)
        return stream


async def _import_parts(config: Config) -> None:
    """Imports what the parts are made of: in a thread, so that pages are answered.

    livekit's plugins want the main thread. What takes long of them is there by then.
    """
    parts = (config.vad, config.stt, config.llm, config.tts, config.turns.detection)
    plugins = [part.name.rpartition(".")[0] for part in parts if part.name.startswith(PLUGINS)]
    await asyncio.to_thread(_import_all, _MADE_OF)
    for name in (*_PLUGINS, *plugins):
        await asyncio.sleep(0)
        try:
            import_module(name)
        except ModuleNotFoundError:
            if name not in plugins:  # loading the part says what is missing
                raise


def _import_all(names: Sequence[str]) -> None:
    for name in names:
        import_module(name)
