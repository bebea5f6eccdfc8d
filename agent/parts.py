"""The parts of the voice loop, built from the configuration; models load side by side."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from livekit.agents import llm, stt, tts, vad

from agent.config import OUR_DETECTIONS, options_of
from agent.options import (
    CoquiOptions,
    HibariOptions,
    LlamaOptions,
    PiperOptions,
    SileroOptions,
    WebRtcOptions,
    WhisperOptions,
)
from agent.persona import load_persona
from agent.plugins import make_plugin
from agent.steady import LLM_NICENESS, VOICE_NICENESS, made_to_give_way
from agent.tools import load_tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.config import Config, PartConfig
    from agent.llm_server import LlamaServer
    from agent.persona import Persona

T = TypeVar("T")


@dataclass
class Parts:
    """Everything that a session is made of; may serve several sessions.

    Attributes:
        persona: Who the avatar is.
        vad: Finds speech.
        stt: Speech to text.
        llm: The mind.
        tts: Text to speech.
        detection: ``words``, ``vad``, or livekit's turn detector.
        tools: Functions that the LLM may call.
        load_seconds: How long each part took to load.
    """

    persona: Persona
    vad: vad.VAD
    stt: stt.STT[Any]
    llm: llm.LLM[Any]
    tts: tts.TTS[Any]
    detection: Any
    tools: list[llm.FunctionTool[..., Any]] = field(default_factory=list)
    load_seconds: dict[str, float] = field(default_factory=dict)
    _servers: list[LlamaServer] = field(default_factory=list)

    async def aclose(self) -> None:
        """Closes every part and stops the servers."""
        for part in (self.stt, self.tts, self.llm):
            await part.aclose()
        client = getattr(self.stt, "_client", None)  # livekit's OpenAI STT leaves its connections open
        if client is not None and hasattr(client, "close"):
            await client.close()
        for server in self._servers:
            server.close()


def load_parts(config: Config, on_loaded: Callable[[str, float], None] | None = None) -> Parts:
    """Builds every part; in the main thread, which livekit's plugins ask for.

    Args:
        config: What to build.
        on_loaded: Called with each part's kind and its seconds, when it is loaded.

    Raises:
        InputError: The configuration names what is not there.
        ModelError: A model is missing or damaged.
    """
    quiet_logs()
    persona = load_persona(config.persona, directions=config.teaches_directions)
    if feel := config.motion.feel():
        feel("Hello.")  # reads the lexicon, so that the first answer need not
    tools = load_tools(config.tools, config.timeout) if config.tools else []
    for plugin in ("openai", "silero"):
        import_module(f"livekit.plugins.{plugin}")  # what worker threads use must be imported here first
    seconds: dict[str, float] = {}
    servers: list[LlamaServer] = []

    def timed(kind: str, make: Callable[[], T]) -> T:
        start = monotonic()
        made = make()
        seconds[kind] = monotonic() - start
        if on_loaded:
            on_loaded(kind, seconds[kind])
        return made

    parts = {kind: _maker(kind, getattr(config, kind), config, servers) for kind in ("vad", "stt", "llm", "tts")}
    ours = {kind: part for kind, part in parts.items() if not isinstance(part, _Plugin)}
    try:
        with ThreadPoolExecutor(len(parts), "load") as pool:
            loading = {kind: pool.submit(timed, kind, make) for kind, make in ours.items()}
            made = {kind: timed(kind, make) for kind, make in parts.items() if kind not in ours}
            made |= {kind: future.result() for kind, future in loading.items()}
        if config.stt.name == "whisper":
            from agent.stt import WhisperSTT  # noqa: PLC0415 - loads CTranslate2

            made["stt"] = WhisperSTT(made["stt"], made["vad"], options_of(config.stt, WhisperOptions))
        detection = config.turns.detection
        named = detection.name in OUR_DETECTIONS
        turns = detection.name if named else make_plugin("turns.detection", detection, object)
    except BaseException:
        for server in servers:
            server.close()
        raise
    return Parts(persona=persona, detection=turns, tools=tools, load_seconds=seconds, _servers=servers, **made)


def load_tts(config: Config) -> tts.TTS[Any]:
    """Builds text to speech alone.

    Raises:
        InputError: The configuration names what is not there.
        ModelError: The voice is missing or damaged.
    """
    quiet_logs()
    return _maker("tts", config.tts, config, [])()


def quiet_logs() -> None:
    """Keeps libraries from writing to the terminal: they log what was said, and we tell what matters ourselves."""
    for name in (
        "livekit",
        "livekit.agents",
        "livekit.plugins",
        "openai",
        "httpx",
        "httpx2",
        "faster_whisper",
        "piper",
    ):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class _Plugin:
    """Makes a part of livekit's, in the main thread."""

    kind: str
    part: PartConfig
    base: type[Any]

    def __call__(self) -> Any:  # noqa: ANN401 - one of four kinds
        return make_plugin(self.kind, self.part, self.base)


def _maker(kind: str, part: PartConfig, config: Config, servers: list[LlamaServer]) -> Callable[[], Any]:
    make = _OURS.get(part.name)
    if make:
        return lambda: make(part, config, servers)
    return _Plugin(kind, part, {"vad": vad.VAD, "stt": stt.STT, "llm": llm.LLM, "tts": tts.TTS}[kind])


def _silero(part: PartConfig, _config: Config, _servers: list[LlamaServer]) -> vad.VAD:
    from agent.vad import silero_vad  # noqa: PLC0415 - loads webrtcvad

    return silero_vad(options_of(part, SileroOptions))


def _webrtc(part: PartConfig, _config: Config, _servers: list[LlamaServer]) -> vad.VAD:
    from agent.vad import WebRtcVAD  # noqa: PLC0415 - loads webrtcvad

    return WebRtcVAD(options_of(part, WebRtcOptions))


def _whisper(part: PartConfig, _config: Config, _servers: list[LlamaServer]) -> Any:  # noqa: ANN401 - becomes the STT when the detector is there
    from agent.recogniser import Recogniser  # noqa: PLC0415 - loads tokenizers
    from avatar.motion.whisper import WhisperEncoder, whisper_folder  # noqa: PLC0415 - loads CTranslate2

    options = options_of(part, WhisperOptions)
    # not the one that motion listens with: that would wait for every transcript, and both would be of one rank
    whisper = made_to_give_way(VOICE_NICENESS, lambda: WhisperEncoder(whisper_folder(), threads=options.threads))
    recogniser = Recogniser(whisper, options)
    recogniser.warm_up()
    return recogniser


def _llama(part: PartConfig, config: Config, servers: list[LlamaServer]) -> llm.LLM[Any]:
    from agent.embedded_llm import EmbeddedLLM  # noqa: PLC0415 - loads OpenAI's client
    from agent.llm_server import LlamaServer  # noqa: PLC0415 - loads llama.cpp

    options = options_of(part, LlamaOptions)
    server = made_to_give_way(LLM_NICENESS, lambda: LlamaServer(options))
    servers.append(server)
    server.warm_up(load_persona(config.persona, directions=config.teaches_directions).opening())
    return EmbeddedLLM(server, options, config.avatar.seed)


def _hibari(part: PartConfig, config: Config, _servers: list[LlamaServer]) -> tts.TTS[Any]:
    from agent.hibari import HibariEngine  # noqa: PLC0415 - loads onnxruntime
    from agent.tts import EngineTTS  # noqa: PLC0415 - likewise

    engine = HibariEngine(options_of(part, HibariOptions), config.avatar.seed)
    engine.warm_up()
    return EngineTTS(engine)


def _coqui(part: PartConfig, config: Config, _servers: list[LlamaServer]) -> tts.TTS[Any]:
    from agent.coqui import CoquiEngine  # noqa: PLC0415 - loads torch
    from agent.tts import EngineTTS  # noqa: PLC0415 - loads livekit-agents

    engine = CoquiEngine(options_of(part, CoquiOptions), config.avatar.seed)
    engine.warm_up()
    return EngineTTS(engine)


def _piper(part: PartConfig, config: Config, _servers: list[LlamaServer]) -> tts.TTS[Any]:
    from agent.tts import EngineTTS, PiperEngine  # noqa: PLC0415 - loads onnxruntime

    engine = PiperEngine(options_of(part, PiperOptions), config.avatar.seed)
    engine.warm_up()
    return EngineTTS(engine)


_OURS: Final[dict[str, Callable[[PartConfig, Config, list[LlamaServer]], Any]]] = {
    "silero": _silero,
    "webrtc": _webrtc,
    "whisper": _whisper,
    "llama": _llama,
    "hibari": _hibari,
    "piper": _piper,
    "coqui": _coqui,
}
