"""Phones with their times, in one alphabet (IPA letters), whatever engine spoke them.

Every engine's own names become tuples of IPA letters that `lip_targets` knows. Diphthongs and other compounds become
two phones, split at 55 % of their time.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PAUSE: Final = "_"
"""Name of silence."""

BILABIALS: Final = frozenset("pbmɓʘʙ")
LABIODENTALS: Final = frozenset("fvʋɱⱱ")

_FIRST_PART: Final = 0.55

_ARPABET: Final[dict[str, str]] = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "b": "b", "ch": "ʧ",
    "d": "d", "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "l", "em": "m", "en": "n", "er": "ɝ", "ey": "eɪ", "f": "f",
    "g": "g", "hh": "h", "hv": "h", "ih": "ɪ", "iy": "i", "jh": "ʤ", "k": "k", "l": "l", "m": "m", "n": "n", "nx": "n",
    "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "uh": "ʊ",
    "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ", "pau": PAUSE, "h#": PAUSE, "brth": PAUSE,
    "sil": PAUSE, "ssil": PAUSE,
}  # fmt: skip
"""The Darpa/CMU names of flite's and festival's English voices."""

_CATALAN: Final[dict[str, str]] = {
    **{letter: letter for letter in "abdefgijklmnopstuwz"},
    "ax": "ə", "a1": "a", "e1": "e", "E1": "ɛ", "E": "ɛ", "i1": "i", "o1": "o", "O1": "ɔ", "O": "ɔ", "u1": "u",
    "J": "ɲ", "L": "ʎ", "r": "ɾ", "rr": "r", "S": "ʃ", "Z": "ʒ", "pau": PAUSE, "_": PAUSE, "#": PAUSE,
}  # fmt: skip

_FINNISH: Final[dict[str, str]] = {
    **{letter: letter for letter in "aeiouyptkbdgfshvmnlrjw"},
    "@": "ø", "7": "æ", "T": "θ", "S": "ʃ", "N": "ŋ", "L": "ʎ", "D": "ð", "Z": "ʒ", "z": "z", "#": PAUSE, "##": PAUSE,
}  # fmt: skip

_ITALIAN: Final[dict[str, str]] = {
    **{letter: letter for letter in "aeiouptkbdgfsvzmnlrjw"},
    "E": "ɛ", "O": "ɔ", "i1": "i", "e1": "e", "E1": "ɛ", "a1": "a", "o1": "o", "O1": "ɔ", "u1": "u", "S": "ʃ",
    "ts": "ʦ", "tS": "ʧ", "dz": "ʣ", "dZ": "ʤ", "J": "ɲ", "ng": "ŋ", "nf": "ɱ", "L": "ʎ", "#": PAUSE, "pau": PAUSE,
}  # fmt: skip

_RUSSIAN: Final[dict[str, str]] = {
    **{letter: letter for letter in "aeiptkgdbfvszhmnlrj"},
    "ii": "i", "yy": "ɨ", "y": "ɨ", "uu": "u", "ur": "u", "u": "u", "ee": "ɛ", "oo": "o", "aa": "a", "ae": "a",
    "ay": "ə", "pp": "p", "bb": "b", "tt": "t", "dd": "d", "kk": "k", "gg": "g", "c": "ʦ", "ch": "ʧ", "ff": "f",
    "vv": "v", "ss": "s", "zz": "z", "sh": "ʃ", "sch": "ʃ", "zh": "ʒ", "h": "x", "hh": "x", "mm": "m", "nn": "n",
    "ll": "l", "rr": "r", "pau": PAUSE,
}  # fmt: skip

_CZECH: Final[dict[str, str]] = {
    **{letter: letter for letter in "abdefgijklmnoprstuvz"},
    "c": "ʦ", "c~": "ʧ", "ch": "x", "d~": "ɟ", "dz": "ʣ", "dz~": "ʤ", "h": "ɦ", "n*": "ŋ", "n~": "ɲ", "r~": "r",
    "r~*": "r", "s~": "ʃ", "t~": "c", "z~": "ʒ", "_": "ʔ", "#": PAUSE,
}  # fmt: skip

_INDIAN: Final[dict[str, str]] = {
    **{letter: letter for letter in "fkgnpbmrlsh"},
    "a": "ə", "aa": "a", "ih": "ɪ", "iy": "i", "uh": "ʊ", "uw": "u", "eh": "e", "ee": "e", "ay": "ɛ", "oh": "o",
    "oo": "o", "aw": "ɔ", "v": "ʋ", "w": "w", "y": "j", "j": "ʤ", "ch": "ʧ", "sh": "ʃ", "zh": "ɻ", "th": "t",
    "tth": "t", "dh": "d", "ddh": "d", "T": "ʈ", "td": "ʈ", "D": "ɖ", "N": "ɳ", "L": "ɭ", "R": "r", "kh": "k",
    "gh": "g", "bh": "b", "ksh": "kʃ", "sri": "sr", "pau": PAUSE,
}  # fmt: skip
"""The names of festival's Hindi, Marathi and Telugu voices."""

PHONE_SETS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": _ARPABET,
    "ca": _CATALAN,
    "cs": _CZECH,
    "fi": _FINNISH,
    "hi": _INDIAN,
    "it": _ITALIAN,
    "mr": _INDIAN,
    "ru": _RUSSIAN,
    "te": _INDIAN,
}
"""Names used by flite and festival voices, by language; each stands for one or two IPA letters."""

_IPA_VOWELS: Final = frozenset("iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝᵻ")
_IPA_CONSONANTS: Final = frozenset("pbtdʈɖcɟkgqɢʔmɱnɳɲŋɴʙrʀɾɽɸβfvθðszʃʒʂʐçʝxɣχʁħʕhɦɬɮʋɹɻjɰlɭʎʟwɥɕʑʍɫʧʤʦʣɓɗɠʄ")
_SAME: Final = str.maketrans({"ɡ": "g", "ε": "ɛ", "ʁ": "ʁ", "ɚ": "ɚ", "ᵻ": "ɨ", "ʲ": "", "ʰ": ""})
_AFFRICATES: Final = {"tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ", "tɕ": "ʧ", "dʑ": "ʤ", "tʂ": "ʧ", "dʐ": "ʤ"}


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone of a spoken text.

    Attributes:
        name: One IPA letter, or `PAUSE`.
        start: Seconds since the sound's first sample.
        end: Seconds, at least `start`.
    """

    name: str
    start: float
    end: float

    @property
    def is_pause(self) -> bool:
        """Whether nothing is articulated."""
        return self.name == PAUSE


def ipa_letters(name: str) -> tuple[str, ...]:
    """Returns the IPA letters in an engine's IPA name, e.g. ``"oʊ"`` or ``"tʃ"``; empty if it holds none.

    Stress, length, tone and secondary articulation are dropped: they don't shape the lips.
    """
    plain = "".join(sign for sign in unicodedata.normalize("NFD", name) if not unicodedata.combining(sign))
    plain = plain.translate(_SAME)
    for long, short in _AFFRICATES.items():
        plain = plain.replace(long, short)
    return tuple(sign for sign in plain if sign in _IPA_VOWELS or sign in _IPA_CONSONANTS)


def from_ends(names: Sequence[str], ends: Sequence[float], phone_set: Mapping[str, str]) -> list[Phone]:
    """Returns the phones of a list of names with their end times (flite's ``-psdur``, festival's segments).

    Doubled (long) names such as ``m:`` count as their short form; unknown names count as a pause.
    """
    phones: list[Phone] = []
    start = 0.0
    for name, end in zip(names, ends, strict=True):
        ipa = phone_set.get(name) or phone_set.get(name.rstrip(":0123456789~*")) or PAUSE
        phones.extend(spread(tuple(ipa), start, max(start, end)))
        start = max(start, end)
    return merged(phones)


def spread(letters: Sequence[str], start: float, end: float) -> list[Phone]:
    """Returns phones that share a span of time: one fills it, the first of two takes 55 %, more share alike."""
    if len(letters) < 2:
        return [Phone(letter, start, end) for letter in letters]
    shares = [_FIRST_PART, 1 - _FIRST_PART] if len(letters) == 2 else [1 / len(letters)] * len(letters)
    phones: list[Phone] = []
    for letter, share in zip(letters, shares, strict=True):
        stop = min(end, start + share * (end - phones[0].start if phones else end - start))
        phones.append(Phone(letter, start, stop))
        start = stop
    return [*phones[:-1], Phone(phones[-1].name, phones[-1].start, end)]


def merged(phones: Iterable[Phone]) -> list[Phone]:
    """Joins neighbouring pauses and drops phones without time."""
    result: list[Phone] = []
    for phone in phones:
        if phone.end <= phone.start:
            continue
        if phone.is_pause and result and result[-1].is_pause:
            result[-1] = Phone(PAUSE, result[-1].start, phone.end)
        else:
            result.append(phone)
    return result


def shifted(phones: Iterable[Phone], seconds: float, speed: float = 1.0) -> list[Phone]:
    """Returns the phones of a sound that is played `speed` times as fast and begins `seconds` later."""
    return [Phone(phone.name, phone.start / speed + seconds, phone.end / speed + seconds) for phone in phones]


def moved_boundaries(phones: Sequence[Phone], delays: Mapping[str, float]) -> list[Phone]:
    """Moves the starts of phones that an engine reports late.

    Args:
        phones: Consecutive phones.
        delays: Seconds by which the reported start of each IPA letter is late.

    Returns:
        The phones with those boundaries moved earlier, each phone keeping at least 10 ms.
    """
    starts = [phone.start for phone in phones]
    for index in range(1, len(phones)):
        delay = delays.get(phones[index].name, 0.0)
        starts[index] = max(starts[index - 1] + 0.01, starts[index] - delay)
    ends = [*starts[1:], phones[-1].end] if phones else []
    moved = (Phone(phone.name, start, end) for phone, start, end in zip(phones, starts, ends, strict=True))
    return merged(moved)


def pauses_filled(phones: Sequence[Phone], seconds: float) -> list[Phone]:
    """Returns phones that cover [0, seconds] without a gap: what no phone covers is a pause."""
    result: list[Phone] = []
    time = 0.0
    for phone in phones:
        if phone.start > time + 1e-6:
            result.append(Phone(PAUSE, time, phone.start))
        result.append(phone)
        time = max(time, phone.end)
    if seconds > time:
        result.append(Phone(PAUSE, time, seconds))
    return merged(result)


def phrase_ends(phones: Sequence[Phone], *, min_pause: float = 0.2) -> list[float]:
    """Returns the times at which speech gives way to a pause of at least `min_pause` seconds, or to the end."""
    ends: list[float] = []
    for index, phone in enumerate(phones):
        if phone.is_pause:
            continue
        after = phones[index + 1] if index + 1 < len(phones) else None
        if after is None or (after.is_pause and after.end - after.start >= min_pause):
            ends.append(phone.end)
    return ends
