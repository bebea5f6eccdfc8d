"""Which of the avatar's words were heard, by the position of its sound."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Final, NamedTuple

from livekit.agents.types import TimedString
from livekit.agents.utils import is_given

_CHARACTERS_PER_SECOND: Final = 14.0
"""Of English at an easy pace; only for voices that don't say when they say what."""

_WORD: Final = re.compile(r"\s*\S+\s*")

_BARELY: Final = 0.08
"""Seconds of a word's end that nobody misses."""


class _Word(NamedTuple):
    text: str
    end: float


class SpokenText:
    """The words of one reply as they come, and when each is said.

    A piece of text that comes with its times (`TimedString`) is spread over them by its letters; one without is laid
    behind those before it at an ordinary pace.
    """

    def __init__(self) -> None:
        self._words: list[_Word] = []

    @property
    def text(self) -> str:
        """All words so far."""
        return "".join(word.text for word in self._words)

    def add(self, text: str) -> None:
        """Adds words."""
        start = self._words[-1].end if self._words else 0.0
        end = start + len(text) / _CHARACTERS_PER_SECOND
        if isinstance(text, TimedString) and is_given(text.start_time) and is_given(text.end_time):
            start, end = text.start_time, text.end_time
        length = max(1, len(text.rstrip()))
        self._words += [
            _Word(match.group(), start + (end - start) * min(1.0, len(text[: match.end()].rstrip()) / length))
            for match in _WORD.finditer(text)
        ]

    def until(self, seconds: float) -> str:
        """Returns the words that were heard whole after so many seconds of sound."""
        return "".join(word.text for word in takewhile(lambda word: word.end <= seconds + _BARELY, self._words))

    def clear(self) -> None:
        """Begins a new reply."""
        self._words.clear()
