"""Text made fit to be spoken."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_CODE: Final = re.compile(r"```.*?(```|\Z)", re.DOTALL)
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ADDRESS: Final = re.compile(r"https?://\S+")
_BULLET: Final = re.compile(r"^[ \t]*(?:[-*+•]|\d+[.)]|#{1,6}|>)[ \t]+", re.MULTILINE)
_EMPHASIS: Final = re.compile(r"(\*{1,3}|_{1,3}|~~|`)(?=\S)(.+?)(?<=\S)\1")
_SPACE: Final = re.compile(r"\s+")
_SILENT_CATEGORIES: Final = {"So", "Cs", "Co", "Cn", "Cf", "Sk"}
_SIGNS_WITH_NAMES: Final = frozenset("°©®™№℃℉")


def speakable(text: str) -> str:
    """Returns `text` without markdown, emoji, addresses and control characters; spaces become single."""
    text = _CODE.sub(" ", text)
    text = _LINK.sub(r"\1", text)
    text = _ADDRESS.sub(" ", text)
    text = _BULLET.sub("", text)
    text = _EMPHASIS.sub(r"\2", text)
    text = "".join(character for character in text if _is_heard(character))
    return _SPACE.sub(" ", text).strip()


def _is_heard(character: str) -> bool:
    if character in _SIGNS_WITH_NAMES or character.isspace():
        return True
    category = unicodedata.category(character)
    return category not in _SILENT_CATEGORIES and category != "Cc" and not "\ufe00" <= character <= "\ufe0f"
