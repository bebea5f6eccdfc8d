"""The corpus's text: one compressed, committed file that `write_text` made and nobody edited."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TEXT_FILE: Final = Path(__file__).with_name("text.tsv.xz")

ENGLISH: Final = "en"

OTHER_LANGUAGES: Final = (
    *("de", "fr", "es", "it", "pl", "tr", "ru", "pt", "nl", "hu", "ca", "fi", "hi", "id", "sv"),
    *("cs", "mr", "te"),
)
"""Languages, besides English, of which the text file has lines (ISO 639-1)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph to be spoken.

    Attributes:
        language: ISO 639-1 code.
        kind: ``reply`` or ``question`` (English), ``list`` (other languages).
        text: One or more sentences.
    """

    language: str
    kind: str
    text: str


@cache
def read_lines(language: str) -> tuple[Line, ...]:
    """Returns every line of a language in the file's order."""
    with lzma.open(TEXT_FILE, "rt", encoding="utf-8") as file:
        lines = (Line(*row.rstrip("\n").split("\t")) for row in file)
        return tuple(line for line in lines if line.language == language)
