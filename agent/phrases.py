"""Where the first piece of an answer ends: short enough to be heard soon, whole enough to sound right."""

from __future__ import annotations

import re
from typing import Final

_BREATH: Final = re.compile(r"[,;:–—]+[\"')\]]*(?=\s)")
"""Marks at which people pause within a sentence, with room for what may follow."""

_JOINT: Final = re.compile(
    r"\s+(?=(?:and|but|or|so|because|although|while|when|where|which|who|that|if|after|before|"
    r"with|without|from|for|into|through|between|during)\s)"
)
"""Where a sentence without such marks can be taken up again: before a word that opens a part of its own."""

_WORD: Final = re.compile(r"\w[\w'’]*")

_LEAST_CHARACTERS: Final = 8
"""Below, the voice would be through before the next piece is there, and the picture waits for more sound anyway."""

_LEAST_WORDS_AT_JOINT: Final = 4
_MOST_WORDS: Final = 8
"""Words that are waited for before a sentence is cut at a joint."""


def first_phrase(text: str) -> int:
    """Returns where the first phrase of a sentence that is still being written ends, 0 if that is not known yet.

    A phrase ends at a comma or the like. A long stretch without one ends before a conjunction or preposition.

    Args:
        text: The sentence so far.
    """
    for match in _BREATH.finditer(text):
        phrase = text[: match.end()].strip()
        if len(phrase) >= _LEAST_CHARACTERS and _WORD.search(phrase):
            return match.end()
    if len(_WORD.findall(text)) <= _MOST_WORDS:
        return 0
    for match in _JOINT.finditer(text):
        if len(_WORD.findall(text[: match.start()])) >= _LEAST_WORDS_AT_JOINT:
            return match.start()
    return 0


def ends_open(text: str) -> bool:
    """Returns whether a text breaks off between two words, without a mark at which a voice would pause."""
    return bool(re.search(r"[\w'’]\s*$", text))


def is_phrase(piece: str) -> bool:
    """Returns whether a piece of text is one that `first_phrase` cut off and a space was put after."""
    return piece.endswith(" ") and len(_WORD.findall(piece)) >= _LEAST_WORDS_AT_JOINT
