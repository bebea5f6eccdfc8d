"""Stage directions: what the face shall do, in brackets before the word that it goes with, e.g. ``[happy] Hello!``.

Whoever writes the words, a language model or a person, writes them between the words; nobody hears or reads them. The
set is small and closed. Words that only look like a direction (``[laughs softly]``) are left out as well, since nobody
would want to hear them; other brackets (``[1]``, ``array[0]``, ``[a link](...)``) are text.
"""

from __future__ import annotations

import re
from typing import Final

from avatar.types import Cue, Emotion, Gesture

USUAL_INTENSITY: Final = 0.7
"""Intensity of an emotion that is named without a number."""

_EMOTIONS: Final[dict[str, tuple[Emotion, float]]] = {
    **{emotion.value: (emotion, USUAL_INTENSITY) for emotion in Emotion},
    **dict.fromkeys(("joy", "joyful", "glad", "cheerful", "smile", "smiles", "smiling"), (Emotion.HAPPY, 0.6)),
    **dict.fromkeys(("laugh", "laughs", "laughing", "excited", "delighted"), (Emotion.HAPPY, 0.9)),
    **dict.fromkeys(("sadness", "sorry", "unhappy"), (Emotion.SAD, 0.6)),
    **dict.fromkeys(("anger", "annoyed", "mad"), (Emotion.ANGRY, 0.6)),
    **dict.fromkeys(("afraid", "scared", "fearful", "worried"), (Emotion.FEAR, 0.6)),
    **dict.fromkeys(("surprised", "amazed", "astonished"), (Emotion.SURPRISE, USUAL_INTENSITY)),
    **dict.fromkeys(("disgusted", "contemptuous"), (Emotion.DISGUST, 0.6)),
    **dict.fromkeys(("calm", "serious"), (Emotion.NEUTRAL, 1.0)),
}
_GESTURES: Final[dict[str, Gesture]] = {
    **{gesture.value: gesture for gesture in Gesture},
    **dict.fromkeys(("nods", "nodding"), Gesture.NOD),
    **dict.fromkeys(("shakes", "shake head", "shakes head"), Gesture.SHAKE),
    **dict.fromkeys(("tilts", "tilt head", "tilts head"), Gesture.TILT),
    **dict.fromkeys(("winks", "winking"), Gesture.WINK),
    "looks away": Gesture.LOOK_AWAY,
    "looks down": Gesture.LOOK_DOWN,
    **dict.fromkeys(("raise brows", "raises brows", "raise eyebrows", "raises eyebrows"), Gesture.BROWS_UP),
}
_DEGREES: Final = {"slightly": 0.5, "quite": 1.0, "very": 1.4}
"""How a word before an emotion changes its usual intensity."""

_LONGEST: Final = 48
"""Characters that a direction has at most; text after a bracket is not held back for longer."""

_INSIDE: Final = re.compile(r"[A-Za-z0-9 .,:;=%+'_-]")
_SEPARATOR: Final = re.compile(r"[,;+]|\band\b")
_WORD: Final = re.compile(r"[a-z']+")
_NUMBER: Final = re.compile(r"[0-9.]+%?")
_LOOKS_LIKE_ONE: Final = re.compile(r"\s*[a-z][a-z'_-]+(?:[ ,]+[a-z'_-]+){0,3}[\s:=,]*[0-9.]*%?\s*")
_LOOKS_CUT_OFF: Final = re.compile(r"\s*(?:[A-Za-z'_-]+[ ,:=]*){0,4}[0-9.]*%?\s*")


def read_direction(inside: str) -> tuple[Cue, ...]:
    """Returns what the text between two brackets asks for; nothing if none of it is known.

    Several emotions are a mixture: ``happy 0.4, surprise 0.6``. Without a number that can be read, it is the usual one.
    """
    emotions: dict[Emotion, float] = {}
    gestures: list[Cue] = []
    for name, number in _named(inside):
        degree, plain = 1.0, name
        for word, factor in _DEGREES.items():
            if name.startswith(f"{word} "):
                degree, plain = factor, name.removeprefix(f"{word} ")
        if plain in _EMOTIONS:
            emotion, usual = _EMOTIONS[plain]
            emotions[emotion] = min(usual * degree, 1.0) if number is None else number
        elif plain in _GESTURES:
            gestures.append(Cue(gesture=_GESTURES[plain], strength=1.0 if number is None else number))
    return (*((Cue(emotion=tuple(emotions.items())),) if emotions else ()), *gestures)


def write_direction(cue: Cue) -> str:
    """Returns a cue as a direction that reads the same, without marks at which a sentence could be cut."""
    parts = [f"{emotion.value} {intensity:g}" for emotion, intensity in cue.emotion or ()]
    if cue.gesture:
        parts.append(f"{cue.gesture.value} {cue.strength:g}")
    return f"[{'+'.join(parts)}]"


def without_directions(text: str) -> str:
    """Returns what of a text is to be said."""
    parser = DirectionParser()
    return "".join(piece for piece in (*parser.feed(text), *parser.finish()) if isinstance(piece, str))


class DirectionParser:
    """Takes stage directions out of text that arrives in pieces; any cutting of the text gives the same result."""

    def __init__(self) -> None:
        self._held = ""  # from an opening bracket on
        self._last = " "  # the last character that was text
        self._drops_space = False
        self._n_nested = 0

    def feed(self, text: str) -> list[str | Cue]:
        """Returns the text and the directions that are certain now, in order."""
        pieces: list[str | Cue] = []
        for character in text:
            self._take(character, pieces)
        return _joined(pieces)

    def finish(self) -> list[str | Cue]:
        """Returns what is left, now that no more text comes; a direction that was cut off goes."""
        pieces: list[str | Cue] = []
        if self._held.endswith("]"):
            self._close(pieces)
        elif self._held:
            self._break_off(pieces, ended=True)
        return _joined(pieces)

    def _take(self, character: str, pieces: list[str | Cue]) -> None:
        if self._held.endswith("]"):
            if character == "(" and not read_direction(self._held[1:-1]):
                self._write(self._held, pieces)  # a link
                self._held = ""
            else:
                self._close(pieces)
        if self._held:
            if character == "[":
                self._break_off(pieces)
            elif character == "]" or (_INSIDE.match(character) and len(self._held) < _LONGEST):
                self._held += character
                return
            else:
                self._break_off(pieces)
        if character == "[":
            self._held = character
        elif character == "]" and self._n_nested:
            self._n_nested -= 1
        else:
            self._write(character, pieces)

    def _close(self, pieces: list[str | Cue]) -> None:
        """Takes what is held, brackets and all, for a direction or for text."""
        inside, text = self._held[1:-1], self._held
        self._held = ""
        cues = read_direction(inside)
        if cues or (_LOOKS_LIKE_ONE.fullmatch(inside) and not self._last.isalnum()):
            pieces.extend(cues)
            self._drops_space |= self._last.isspace()
        else:
            self._write(text, pieces)

    def _break_off(self, pieces: list[str | Cue], *, ended: bool = False) -> None:
        """Takes what is held after a bracket that is not closed: a direction at its start, and the rest as text."""
        text, self._held = self._held, ""
        if text == "[":  # doubled
            self._n_nested += 1
            return
        words = text[1:].split(" ")
        for n_words in range(min(4, len(words)), 0, -1):
            head = " ".join(words[:n_words])
            if (cues := read_direction(head)) and all(_known(name) for name, _ in _named(head)):
                pieces.extend(cues)
                self._drops_space |= self._last.isspace()
                self._n_nested += 1
                self._write(text[1 + len(head) :], pieces)
                return
        if not (ended and _LOOKS_CUT_OFF.fullmatch(text[1:])):
            self._write(text, pieces)

    def _write(self, text: str, pieces: list[str | Cue]) -> None:
        if self._drops_space:
            text = text.lstrip()
        if text:
            self._drops_space = False
            self._last = text[-1]
            self._n_nested = 0 if text[-1].isalnum() else self._n_nested
            pieces.append(text)


def _named(inside: str) -> list[tuple[str, float | None]]:
    """Returns each name between two brackets, in small letters, with its number in [0, 1]."""
    found: list[tuple[str, float | None]] = []
    for part in _SEPARATOR.split(inside.lower().replace("_", " ").replace("-", " ")):
        name, numbers = " ".join(_WORD.findall(part)), _NUMBER.findall(part)
        number = _number(numbers[0]) if numbers else None
        if name:
            found.append((name, number))
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0], number)
    return found


def _known(name: str) -> bool:
    first, _, rest = name.partition(" ")
    plain = rest if first in _DEGREES else name
    return plain in _EMOTIONS or plain in _GESTURES


def _number(text: str) -> float | None:
    try:
        value = float(text.rstrip("%"))
    except ValueError:
        return None
    return min(value / 100 if text.endswith("%") else value, 1.0)


def _joined(pieces: list[str | Cue]) -> list[str | Cue]:
    """Returns the pieces with neighbouring text joined."""
    joined: list[str | Cue] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
