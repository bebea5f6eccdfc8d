"""Options of our own parts of the voice loop."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads the annotation at run time
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0, le=60)]
Threads = Annotated[int, Field(ge=1, le=64)]

HEART: Final = "heart"
"""Hibari's voice."""


class Strict(BaseModel):
    """A model that takes no unknown key and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class SileroOptions(Strict):
    """Silero VAD.

    Attributes:
        threshold: Probability from which a window is speech.
        min_speech: Seconds of speech before it counts.
        min_silence: Seconds of silence that end speech.
    """

    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    min_speech: Seconds = 0.1
    min_silence: Seconds = 0.35


class WebRtcOptions(Strict):
    """WebRTC VAD.

    Attributes:
        aggressiveness: 0 lets most sound through, 3 the least.
        min_speech: Seconds of speech before it counts.
        min_silence: Seconds of silence that end speech.
    """

    aggressiveness: Annotated[int, Field(ge=0, le=3)] = 3
    min_speech: Seconds = 0.1
    min_silence: Seconds = 0.35


class WhisperOptions(Strict):
    """Streaming Whisper.

    Attributes:
        language: Code such as ``en``, or null to detect it.
        threads: CPU threads.
        refresh: Seconds of new sound between partial transcripts.
        pause: Seconds of silence after which the transcript is prepared, before the end of speech is certain.
        beam: Beam size of the decoder.
    """

    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = "en"
    threads: Threads = 1
    refresh: Annotated[float, Field(ge=0.1, le=10)] = 0.6
    pause: Seconds = 0.08
    beam: Annotated[int, Field(ge=1, le=10)] = 1


class LlamaOptions(Strict):
    """llama.cpp in this process.

    Attributes:
        model: A GGUF file, or null for the embedded SmolLM2.
        context: Tokens that the model sees at once.
        threads: CPU threads.
        temperature: 0 always takes the likeliest token.
        top_p: Share of the probability that sampling takes tokens from.
        repeat_penalty: Above 1 it discourages repetition.
        max_tokens: Longest reply.
    """

    model: Path | None = None
    context: Annotated[int, Field(ge=256, le=131072)] = 2048
    threads: Threads = 1
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9
    repeat_penalty: Annotated[float, Field(ge=0.5, le=2)] = 1.1
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = 96


class PiperOptions(Strict):
    """Piper.

    Attributes:
        voice: ``joe``, or an ONNX voice with its JSON beside it.
        speed: 1 is the voice's own.
        volume: 1 is the voice's own.
        pause: Seconds of silence after each sentence.
        threads: CPU threads.
    """

    voice: str = "joe"
    speed: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    volume: Annotated[float, Field(gt=0, le=2)] = 1.0
    pause: Seconds = 0.12
    threads: Threads = 1


class HibariOptions(Strict):
    """Hibari's embedded voice, ``heart``.

    Attributes:
        speed: 1 is the voice's own.
        volume: 1 is the voice's own.
        pause: Seconds of silence after each sentence.
        threads: CPU threads.
    """

    speed: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    volume: Annotated[float, Field(gt=0, le=2)] = 1.0
    pause: Seconds = 0.12
    threads: Threads = 1


class CoquiOptions(Strict):
    """A model of Coqui's: XTTS, which clones a voice and streams, or VITS.

    Attributes:
        model: Its folder, with ``config.json`` and ``model.pth``.
        reference: Recordings of the voice that XTTS clones; 6 to 30 s of clear speech.
        speaker: Name of one of the model's own speakers, in the place of recordings.
        language: Code such as ``en``, for models that know several.
        speed: 1 is the voice's own.
        volume: 1 is the voice's own.
        pause: Seconds of silence after each sentence.
        temperature: How freely XTTS speaks.
        chunk: Tokens of XTTS (about 46 ms each) that are spoken at a time: fewer are heard sooner and cost more.
        device: ``cpu``, ``cuda``, or ``auto``: a GPU where there is one.
        threads: CPU threads.
    """

    model: Path
    reference: tuple[Path, ...] = ()
    speaker: str | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[a-z]{2})?$")] = "en"
    speed: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    volume: Annotated[float, Field(gt=0, le=2)] = 1.0
    pause: Seconds = 0.12
    temperature: Annotated[float, Field(gt=0, le=2)] = 0.65
    chunk: Annotated[int, Field(ge=4, le=200)] = 20
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: Threads = 1


OUR_PARTS: Final[dict[str, dict[str, type[Strict]]]] = {
    "vad": {"silero": SileroOptions, "webrtc": WebRtcOptions},
    "stt": {"whisper": WhisperOptions},
    "llm": {"llama": LlamaOptions},
    "tts": {"hibari": HibariOptions, "piper": PiperOptions, "coqui": CoquiOptions},
}
"""Short names of our own parts, with their options, by kind of part."""
