"""Whisper on one utterance: short windows, and guards against what it makes up.

Timestamps are asked for although nobody reads them: on windows shorter than Whisper was trained on, a decoder without
them does not end and says the sentence again and again; with them it closes the segment and stops.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.options import WhisperOptions
    from avatar.motion.whisper import WhisperEncoder

LONGEST: Final = 28.0
"""Seconds of sound that one call takes; Whisper hears 30 s at most, and silence is added."""

_TAIL: Final = 1.5
"""Seconds of silence after the sound, so that the last word is heard to end."""

_SHORTEST_WINDOW: Final = 5.0
"""Seconds that the encoder hears at least. Below, Whisper repeats itself: on 20 sentences the word error was 37 % at
3 s, 4.5 % at 5 s and 3.8 % at 30 s, which costs 14 times as much."""

_LEAST_SPEECH: Final = 0.12
"""Seconds below which nothing was said."""

_NO_SPEECH: Final = 0.6
_LEAST_LOG_PROBABILITY: Final = -1.0
_MOST_COMPRESSION: Final = 2.4
"""Thresholds of Radford et al. 2022, section 4.5."""

_GUESS: Final = -1.2
_GUESSED_WORD: Final = -2.0
"""Mean log probability of a token below which Whisper guesses: noise gave -1.5, sentences -0.7 at worst, but single
words, most of whose tokens are timestamps, down to -1.66."""

_FEW_WORDS: Final = 3
_FASTEST_WORDS: Final = 4.5
"""Words a second above which a repeated sentence is an echo of Whisper's, not the speaker's."""

_TOKENS_PER_SECOND: Final = 10.0
_SLACK: Final = 0.3
"""Seconds after the sound's end in which a segment may still begin: timestamps are rough."""

_TICKS_PER_SECOND: Final = 50
"""Timestamp tokens a second."""

_WORD: Final = re.compile(r"\w")
_SENTENCE: Final = re.compile(r"[^.!?]+[.!?]*")
_INVENTED: Final = frozenset(
    {
        "thank you",
        "thanks for watching",
        "thank you for watching",
        "you",
        "bye",
        "the end",
        "subtitles by the amara org community",
    }
)
"""What Whisper says of noise; kept only if it is sure."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was said.

    Attributes:
        text: The words, or an empty string.
        language: Code such as ``en``.
        confidence: Mean probability of a token, in [0, 1].
    """

    text: str
    language: str
    confidence: float


class Recogniser:
    """Recognises utterances with Whisper; one thread at a time."""

    def __init__(self, whisper: WhisperEncoder, options: WhisperOptions) -> None:
        import tokenizers  # noqa: PLC0415 - only those who recognise should pay for it
        from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415 - likewise

        self._whisper = whisper
        self._options = options
        self._tokens = tokenizers.Tokenizer.from_file(str(whisper.tokenizer_path))
        self._tokenizer = Tokenizer
        self._suppressed = [-1, *self._tokenizer_for(options.language or "en").non_speech_tokens]

    def warm_up(self) -> None:
        """Recognises a second of silence: the first run allocates."""
        self.recognise(np.zeros(SPEECH_RATE, np.float32))

    def recognise(self, samples: NDArray[np.float32]) -> Recognised:
        """Returns what was said in float32 (n_samples,) at 16 kHz; only the first `LONGEST` seconds are heard."""
        language = self._options.language or "en"
        if len(samples) < _LEAST_SPEECH * SPEECH_RATE:
            return Recognised("", language, 0.0)
        sound = samples[: round(LONGEST * SPEECH_RATE)]
        length = max(len(sound) + round(_TAIL * SPEECH_RATE), round(_SHORTEST_WINDOW * SPEECH_RATE))
        encoded = self._whisper.encode_view(np.pad(sound, (0, length - len(sound))))
        if self._options.language is None:
            language = self._whisper.model.detect_language(encoded)[0][0][0].strip("<|>")
        tokenizer = self._tokenizer_for(language)
        seconds = len(sound) / SPEECH_RATE
        result = self._whisper.model.generate(
            encoded,
            [tokenizer.sot_sequence],
            beam_size=self._options.beam,
            max_length=16 + round(_TOKENS_PER_SECOND * (seconds + 1)),
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        last_tick = tokenizer.timestamp_begin + round((seconds + _SLACK) * _TICKS_PER_SECOND)
        text = tokenizer.decode(until(last_tick, result.sequences_ids[0], tokenizer.timestamp_begin)).strip()
        log_probability = float(result.scores[0])
        if is_invented(text, log_probability=log_probability, no_speech=float(result.no_speech_prob)):
            return Recognised("", language, 0.0)
        return Recognised(without_echo(text, seconds), language, float(np.exp(log_probability)))

    def _tokenizer_for(self, language: str):  # noqa: ANN202 - faster-whisper's Tokenizer, loaded late
        return self._tokenizer(self._tokens, multilingual=True, task="transcribe", language=language)


def until(last_tick: int, tokens: list[int], first_tick: int) -> list[int]:
    """Returns the tokens before the first segment that begins after `last_tick`: sound there is none, so it is made up.

    Args:
        last_tick: Timestamp token of the sound's end.
        tokens: What Whisper wrote: segments of text, each between two timestamp tokens.
        first_tick: The timestamp token of 0 s; tokens below it are text.
    """
    opening = True
    for index, token in enumerate(tokens):
        if token < first_tick:
            continue
        if opening and token > last_tick:
            return tokens[:index]
        opening = not opening
    return tokens


def without_echo(text: str, seconds: float) -> str:
    """Returns a text without a sentence's repetitions, if nobody could have said them all in that time."""
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(text)]
    if len(sentences) > 1 and len(text.split()) / max(seconds, 0.1) > _FASTEST_WORDS:
        first = sentences[0].rstrip(".!?,").lower()
        if all(first.startswith(sentence.rstrip(".!?,").lower()) for sentence in sentences[1:]):
            return sentences[0]
    return text


def is_invented(text: str, *, log_probability: float, no_speech: float) -> bool:
    """Returns whether a transcript is one of those that Whisper makes of silence, noise or its own repetition."""
    if not _WORD.search(text):
        return True
    guess = _GUESSED_WORD if len(text.split()) <= _FEW_WORDS else _GUESS
    if log_probability < guess or (no_speech > _NO_SPEECH and log_probability < _LEAST_LOG_PROBABILITY):
        return True
    raw = text.encode()
    if len(raw) / len(zlib.compress(raw)) > _MOST_COMPRESSION:
        return True
    bare = re.sub(r"[^\w ]", "", text.lower()).strip()
    return bare in _INVENTED and (no_speech > 0.3 or log_probability < -0.6)
