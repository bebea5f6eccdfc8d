"""Options of our own parts of the voice loop."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads the annotation at run time
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0, le=60)]
Threads = Annotated[int, Field(ge=1, le=64)]


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
    pause: Seconds = 0.12
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


OUR_PARTS: Final[dict[str, dict[str, type[Strict]]]] = {
    "vad": {"silero": SileroOptions, "webrtc": WebRtcOptions},
    "stt": {"whisper": WhisperOptions},
    "llm": {"llama": LlamaOptions},
    "tts": {"piper": PiperOptions},
}
"""Short names of our own parts, with their options, by kind of part."""
