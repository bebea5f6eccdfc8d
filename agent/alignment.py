"""When a voice says each word: from the lengths that its network gives every symbol."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Self

from livekit.agents.types import TimedString

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD: Final = re.compile(r"\s*\S+\s*")
_LETTERS_A_DIGIT: Final = 5
_MODEL_GRAPH: Final = 7
_GRAPH_OUTPUT: Final = 12
_VALUE_NAME: Final = 1
"""Field numbers of ONNX's ModelProto, GraphProto and ValueInfoProto."""


class AlignedSound(bytes):
    """16-bit mono PCM of a whole text, and when each of its symbols begins.

    Attributes:
        symbols: Phonetic letters, marks and spaces, each with its start in seconds; empty if unknown.
    """

    symbols: tuple[tuple[str, float], ...]

    def __new__(cls, sound: bytes, symbols: Sequence[tuple[str, float]] = ()) -> Self:
        """Returns sound with its symbols."""
        made = super().__new__(cls, sound)
        made.symbols = tuple(symbols)
        return made


def with_output(model: bytes, name: str) -> bytes:
    """Returns an ONNX model that gives one more of its tensors out, last.

    A message that comes twice in Protocol Buffers is merged, so a second graph with nothing but the output will do; the
    package onnx is not needed.
    """
    value = _field(_VALUE_NAME, name.encode())
    return model + _field(_MODEL_GRAPH, _field(_GRAPH_OUTPUT, value))


def symbol_starts(symbols: Sequence[str], lengths: Sequence[float], seconds: float) -> list[tuple[str, float]]:
    """Returns each symbol with its start in seconds.

    Args:
        symbols: What was said.
        lengths: Of each symbol, in any unit; of a pause before and after them as well.
        seconds: All lengths together.
    """
    unit = seconds / max(sum(lengths), 1e-6)
    starts: list[tuple[str, float]] = []
    time = lengths[0] * unit
    for symbol, length in zip(symbols, lengths[1:], strict=False):
        starts.append((symbol, time))
        time += length * unit
    return starts


def timed_words(text: str, symbols: Sequence[tuple[str, float]], start: float, end: float) -> list[TimedString]:
    """Returns the words of a text, spaces and all, with their times.

    Where the voice says another number of words than there are (``25``), words are laid on the sounds by their letters.

    Args:
        text: What was said.
        symbols: The symbols that were said and when, from the beginning of the text.
        start: Seconds at which the text begins.
        end: Seconds at which it ends.
    """
    words = [match.group() for match in _WORD.finditer(text)]
    sounds = [time for symbol, time in symbols if symbol.isalpha()]
    if not words or not sounds:
        return [TimedString(text, start, end)]
    spoken = _word_starts(symbols)
    said = [index for index, word in enumerate(words) if any(character.isalnum() for character in word)]
    if len(spoken) == len(said):
        times = dict(zip(said, spoken, strict=True))
    else:
        n_letters = max(sum(map(_letters, words)), 1)
        before = [sum(map(_letters, words[:index])) for index in range(len(words))]
        times = {index: sounds[min(before[index] * len(sounds) // n_letters, len(sounds) - 1)] for index in said}
    starts: list[float] = []
    for index in range(len(words)):
        starts.append(start + times[index] if index in times else (starts[-1] if starts else start))
    return [
        TimedString(word, min(begins, end), min(ends, end))
        for word, begins, ends in zip(words, starts, [*starts[1:], end], strict=True)
    ]


def _word_starts(symbols: Sequence[tuple[str, float]]) -> list[float]:
    """Returns when each word begins, with its first sound or its mark of stress."""
    starts: list[float] = []
    within = False
    for symbol, time in symbols:
        if symbol.isalpha() and not within:
            starts.append(time)
        within = not symbol.isspace() and (within or symbol.isalpha())
    return starts


def _letters(word: str) -> int:
    """Returns how many letters a word is said with, about."""
    return sum(_LETTERS_A_DIGIT if character.isdigit() else character.isalpha() for character in word)


def _field(number: int, content: bytes) -> bytes:
    length, encoded = len(content), bytearray([number << 3 | 2])
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(encoded) + bytes([length]) + content
