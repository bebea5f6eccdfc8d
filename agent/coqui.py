"""Coqui's voices: XTTS, which clones a voice from a recording and streams, and VITS. Needs the extra ``coqui``."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from agent.phrases import ends_open
from agent.text import speakable
from agent.tts import without_end
from avatar.audio import read_audio, to_int16
from avatar.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from agent.options import CoquiOptions

_CLONING_RATE: Final = 22_050
"""Hz of the recordings that XTTS clones a voice from."""

_LEAST_RECORDING: Final = 1.0
"""Seconds of a voice that can be cloned at all; six and more sound right."""

_LONGEST_TEXT: Final = 200
"""Characters that XTTS speaks at a time; longer texts are cut at a pause."""


class _Model(Protocol):
    """One kind of Coqui's models."""

    sample_rate: int

    def speak(self, text: str) -> Iterator[NDArray[np.float32]]:
        """Yields sound, float32 (n_samples,), while it is made."""
        ...


class CoquiEngine:
    """A loaded model of Coqui's.

    Args:
        options: Which, with whose voice, and how it speaks.
        seed: Same seed, same sound of the same texts in the same order.

    Attributes:
        sample_rate: Hz of what it says.

    Raises:
        InputError: The package is missing, or the folder, the recordings or the options don't fit.
        ModelError: The model is damaged.
    """

    name = "coqui"

    def __init__(self, options: CoquiOptions, seed: int = 0) -> None:
        self._options = options
        self._seeds = np.random.default_rng(seed)
        self._model = _speaker(options)
        self.sample_rate = self._model.sample_rate

    def warm_up(self) -> None:
        """Says a word that nobody hears: the first run allocates."""
        for _ in self.say("Hello."):
            pass

    def say(self, text: str) -> Iterator[bytes]:
        """Yields 16-bit mono PCM as soon as it is made, with the pause at the end.

        A text that breaks off between two words ends without a pause, so that the next one can go on from there.
        """
        import torch  # noqa: PLC0415 - heavy

        goes_on = text.endswith(" ") and ends_open(text)
        text = speakable(text)
        if not any(character.isalnum() for character in text):
            return
        torch.manual_seed(int(self._seeds.integers(2**31)))
        volume = np.float32(self._options.volume)
        quiet: NDArray[np.int16] | None = None  # at the end of what was made so far, which may become the text's end
        for part in _pieces(text):
            for spoken in self._model.speak(part):
                made = to_int16(spoken * volume)
                made = made if quiet is None else np.concatenate((quiet, made))
                sounding = without_end(made, self.sample_rate)
                quiet = made[len(sounding) :]
                yield sounding.tobytes()
        if quiet is not None and not goes_on:
            yield quiet.tobytes() + bytes(2 * round(self._options.pause * self.sample_rate))


class _Xtts:
    """XTTS with a cloned voice, or one of its own."""

    def __init__(self, options: CoquiOptions, config: Any, model: Any) -> None:  # noqa: ANN401 - Coqui has no types
        self._options = options
        self._model = model
        self.sample_rate = int(config.audio.output_sample_rate)
        if options.language not in config.languages:
            known = ", ".join(sorted(config.languages))
            raise InputError("loading the voice", expected=f"a language of {known}", got=f"`{options.language}`")
        if options.reference:
            self._voice = self._cloned(config, options.reference)
        else:
            self._voice = self._own(options.speaker)

    def speak(self, text: str) -> Iterator[NDArray[np.float32]]:
        """Yields sound while the model is still speaking."""
        latent, embedding = self._voice
        stream = self._model.inference_stream(
            text,
            self._options.language,
            latent,
            embedding,
            stream_chunk_size=self._options.chunk,
            temperature=self._options.temperature,
            speed=self._options.speed,
        )
        for part in stream:
            yield part.detach().float().cpu().numpy().reshape(-1)

    def _cloned(self, config: Any, recordings: tuple[Path, ...]) -> tuple[Any, Any]:  # noqa: ANN401 - likewise
        import torch  # noqa: PLC0415 - heavy

        longest = _CLONING_RATE * int(config.max_ref_len)
        sounds = [torch.from_numpy(_recording(path)[None, :longest]) for path in recordings]
        embeddings = [self._model.get_speaker_embedding(sound, _CLONING_RATE) for sound in sounds]
        latent = self._model.get_gpt_cond_latents(
            torch.cat(sounds, dim=-1),
            _CLONING_RATE,
            length=int(config.gpt_cond_len),
            chunk_length=int(config.gpt_cond_chunk_len),
        )
        return latent, torch.stack(embeddings).mean(dim=0)

    def _own(self, speaker: str | None) -> tuple[Any, Any]:
        manager = self._model.speaker_manager
        speakers: dict[str, Any] = manager.speakers if manager is not None else {}
        if speaker not in speakers:
            raise InputError(
                "loading the voice",
                expected="recordings of a voice in `tts.args.reference`, or a `speaker` of the model",
                got=f"`{speaker}`" if speaker else "neither",
                hint=f"it has: {', '.join(sorted(speakers)[:8])}"
                if speakers
                else "6 to 30 s of clear speech are enough",
            )
        return speakers[speaker]["gpt_cond_latent"], speakers[speaker]["speaker_embedding"]


class _Vits:
    """VITS: a whole sentence at a time."""

    def __init__(self, options: CoquiOptions, config: Any, model: Any) -> None:  # noqa: ANN401 - Coqui has no types
        self._model = model
        self._speaker = options.speaker
        self._language = options.language if model.language_manager and model.language_manager.num_languages else None
        self.sample_rate = int(config.audio.sample_rate)
        model.length_scale = model.length_scale / options.speed
        speakers = list(model.speaker_manager.speaker_names) if model.speaker_manager else []
        if options.reference:
            raise InputError("loading the voice", expected="XTTS, which can clone a voice", got="VITS, which can't")
        if speakers and options.speaker not in speakers:
            raise InputError(
                "loading the voice",
                expected=f"a speaker of {', '.join(speakers[:8])} in `tts.args.speaker`",
                got=f"`{options.speaker}`" if options.speaker else "none",
            )

    def speak(self, text: str) -> Iterator[NDArray[np.float32]]:
        """Yields the sound of a text at once."""
        made = self._model.synthesize(text, speaker=self._speaker, language=self._language)
        yield np.asarray(made["wav"], np.float32).reshape(-1)


def _speaker(options: CoquiOptions) -> _Model:
    config, model = _load(options)
    return _Xtts(options, config, model) if config.model == "xtts" else _Vits(options, config, model)


def _load(options: CoquiOptions) -> tuple[Any, Any]:
    """Returns a model's configuration and the model."""
    for name in ("config.json", "model.pth"):
        if not (options.model / name).is_file():
            raise InputError("loading the voice", expected=f"the file {options.model / name}", got="no such file")
    try:
        import torch  # noqa: PLC0415 - heavy

        load_config = import_module("TTS.config").load_config
        setup_model = import_module("TTS.tts.models").setup_model
    except ImportError as error:
        raise InputError(
            "loading the voice", expected="the package coqui-tts", got="none that works", hint="uv sync --extra coqui"
        ) from error
    torch.set_num_threads(options.threads)
    try:
        config = load_config(options.model / "config.json")
    except Exception as error:  # Coqui's parser lets whatever goes wrong through
        raise _damaged(options.model / "config.json", error) from error
    if config.model not in {"xtts", "vits"}:
        raise InputError("loading the voice", expected="a model of XTTS or VITS", got=f"`{config.model}`")
    try:
        model = setup_model(config)
        if config.model == "xtts":
            model.load_checkpoint(config, checkpoint_dir=options.model, eval=True)
        else:
            model.load_checkpoint(config, checkpoint_path=options.model / "model.pth", eval=True)
        return config, model.to(_device(options.device))
    except Exception as error:  # likewise
        raise _damaged(options.model, error) from error


def _device(named: str) -> str:
    import torch  # noqa: PLC0415 - heavy

    if named != "auto":
        return named
    return "cuda" if torch.cuda.is_available() else "cpu"


def _damaged(path: Path, error: Exception) -> ModelError:
    got = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return ModelError(f"loading the voice {path}", expected="a model of Coqui's", got=got)


def _recording(path: Path) -> NDArray[np.float32]:
    sound = read_audio(path, _CLONING_RATE)
    if len(sound) < _LEAST_RECORDING * _CLONING_RATE:
        raise InputError(
            f"cloning the voice of {path}",
            expected=f"at least {_LEAST_RECORDING:g} s of speech",
            got=f"{len(sound) / _CLONING_RATE:.1f} s",
        )
    return sound


def _pieces(text: str) -> list[str]:
    """Returns a text in pieces that are not too long, cut at marks of a pause, else between words."""
    pieces: list[str] = []
    while len(text) > _LONGEST_TEXT:
        head = text[:_LONGEST_TEXT]
        cuts = [match.end() for match in re.finditer(r"[.,;:!?…—]\s", head)] or [head.rfind(" ") + 1 or _LONGEST_TEXT]
        pieces.append(text[: cuts[-1]].strip())
        text = text[cuts[-1] :]
    return [*pieces, text.strip()] if text.strip() else pieces
