"""The LLM's words on their way to the voice: a first phrase, then whole sentences, and not too many of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from agent.directions import DirectionParser, write_direction
from agent.phrases import first_phrase

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator

    from avatar.types import Cue

Chunk = TypeVar("Chunk")

_END: Final = re.compile(
    r"(?<!\b[A-Z])(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bMrs)[.!?…]+[\"')\]]*(?=\s)|[。\uff01\uff1f]+|\n+"
)
"""Ends of sentences, with room for what may follow; an initial or a title ends none."""

_PLAIN_END: Final = re.compile(r"\w.*\s[^\W\d_]{2,}(?:['’-][^\W\d_]+)*[.!?]$", re.DOTALL)
"""An end after a plain word, which hardly ever goes on without a space: `3.` may become 3.5, and `U.` U.S."""

_DIRECTION: Final = re.compile(r"\[[a-z][a-z0-9 .+]*\]")


def split_sentences(text: str) -> tuple[list[str], str]:
    """Returns the whole sentences of a text, with the spaces that lead them, and the rest."""
    sentences: list[str] = []
    start = 0
    for match in _END.finditer(text):
        if text[start : match.end()].strip():
            sentences.append(text[start : match.end()])
            start = match.end()
    return sentences, text[start:]


def ends_surely(text: str) -> bool:
    """Returns whether a sentence is over as far as its last mark tells, before it is known what follows.

    What waits for that waits for another token, or for the end of the answer. The voice takes a breath within a name
    such as ``example.com``, should one come.
    """
    is_open = text.count('"') % 2 or text.count("(") > text.count(")") or text.count("“") > text.count("”")
    return not is_open and _PLAIN_END.search(text) is not None and _END.search(f"{text} ") is not None


def is_whole(text: str) -> bool:
    """Returns whether a text ends like a sentence."""
    return _END.search(text.rstrip() + " ") is not None and bool(
        re.search(r"[.!?…。\uff01\uff1f][\"')\]]*$", text.rstrip())
    )


async def whole_sentences(
    chunks: AsyncIterable[Chunk], text_of: Callable[[Chunk], str], limit: int | None
) -> AsyncIterator[str | Chunk]:
    """Yields text sentence by sentence, until `limit` sentences; chunks without text pass through.

    The first phrase of the first sentence comes by itself, as soon as it is there (`agent.phrases`), so that the voice
    can begin; so does a first sentence that surely ends. A space follows each other piece at once, so that a voice need
    not wait for the next one to know that it is whole. A last sentence that was cut off is dropped, unless it is the
    only one: half a sentence sounds broken. Stage directions (`agent.directions`) stay before their words, written in
    one way.

    Args:
        chunks: What the LLM writes.
        text_of: Returns a chunk's text, or an empty string.
        limit: Sentences, or None.
    """
    answer = _Answer(limit)
    async for chunk in chunks:
        text = text_of(chunk)
        if not text:
            yield chunk
            continue
        for piece in answer.feed(text):
            yield piece
        if answer.complete:
            return
    if last := answer.finish():
        yield last


class _Answer:
    """An answer that is being written, cut into what is said at a time."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._directions = DirectionParser()
        self._rest = self._gap = ""
        self._n_sentences = self._n_told = 0
        self._begun = False

    @property
    def complete(self) -> bool:
        """Whether it has as many sentences as it may have."""
        return self._n_sentences == self._limit

    def feed(self, text: str) -> Iterator[str]:
        """Yields the pieces that are certain now."""
        sentences, self._rest = split_sentences(self._rest + _written(self._directions.feed(text)))
        for sentence in sentences:
            piece, self._n_told = f"{sentence.lstrip()} "[self._n_told :], 0
            if piece.isspace():
                self._gap = piece
            else:
                yield self._gap + piece
                self._gap = ""
            self._n_sentences += 1
            if self.complete:
                return
        if not self._begun and not self._n_sentences:
            yield from self._begin()

    def finish(self) -> str:
        """Returns the last piece, if any."""
        rest = self._rest + _written(self._directions.finish())
        spoken = _DIRECTION.sub("", rest).strip()
        if rest.strip() and (self._n_sentences == 0 or is_whole(rest) or not spoken):
            return self._gap + rest.strip()[self._n_told :]
        return self._gap

    def _begin(self) -> Iterator[str]:
        """Yields what can be said of the first sentence before it is known to be whole."""
        plain = _DIRECTION.sub(_spaces, self._rest)
        if cut := first_phrase(plain):
            yield f"{self._rest[:cut].strip()} "
            self._rest = self._rest[cut:]
        elif ends_surely(plain):
            yield self._rest.lstrip()
            self._n_told = len(self._rest.lstrip())
        self._begun = bool(cut or self._n_told)


def _written(pieces: list[str | Cue]) -> str:
    return "".join(piece if isinstance(piece, str) else write_direction(piece) for piece in pieces)


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match.group())
