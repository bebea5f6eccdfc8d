"""The LLM's words on their way to the voice: a first phrase, then whole sentences, and not too many of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from agent.directions import DirectionParser, write_direction
from agent.phrases import first_phrase

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable

    from avatar.types import Cue

Chunk = TypeVar("Chunk")

_END: Final = re.compile(
    r"(?<!\b[A-Z])(?<!\bMr)(?<!\bMs)(?<!\bDr)(?<!\bMrs)[.!?…]+[\"')\]]*(?=\s)|[。\uff01\uff1f]+|\n+"
)
"""Ends of sentences, with room for what may follow; an initial or a title ends none."""


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
    can begin. A space follows each piece at once, so that a voice need not wait for the next one to know that it is
    whole. A last sentence that was cut off is dropped, unless it is the only one: half a sentence sounds broken.
    Stage directions (`agent.directions`) stay before their words, written in one way.

    Args:
        chunks: What the LLM writes.
        text_of: Returns a chunk's text, or an empty string.
        limit: Sentences, or None.
    """
    rest = ""
    n_sentences = 0
    begun = False
    directions = DirectionParser()
    async for chunk in chunks:
        text = text_of(chunk)
        if not text:
            yield chunk
            continue
        sentences, rest = split_sentences(rest + _written(directions.feed(text)))
        for sentence in sentences:
            yield f"{sentence.lstrip()} "
            n_sentences += 1
            if n_sentences == limit:
                return
        cut = 0 if begun or n_sentences else first_phrase(_DIRECTION.sub(_spaces, rest))
        if cut:
            begun = True
            yield f"{rest[:cut].strip()} "
            rest = rest[cut:]
    rest += _written(directions.finish())
    if rest.strip() and (n_sentences == 0 or is_whole(rest) or not _DIRECTION.sub("", rest).strip()):
        yield rest.strip()


def _written(pieces: list[str | Cue]) -> str:
    return "".join(piece if isinstance(piece, str) else write_direction(piece) for piece in pieces)


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match.group())
