"""What each phone asks of the lips: openness, width and rounding, and how strongly it insists.

Openness values are those that a fit on tracked people kept (README.md): open vowels near 0.8-1, high front vowels
0.45-0.8, rounded high vowels 0.2-0.35, alveolars 0.25 and yielding, [h] 0.6, bilabials 0.2 and insisting, labiodentals
0.1, pauses 0.42.
Width follows the vowel chart of the IPA; which consonants round or spread follows the JALI rules (Edwards et al. 2016).
Tongue phones leave the lips to their neighbours: their strength in width is near zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from avatar.training.corpus.phones import PAUSE


@dataclass(frozen=True, slots=True)
class LipTarget:
    """A phone's targets and dominances (Cohen & Massaro 1993).

    Attributes:
        openness: Gap between the lips, 0 closed to 1 as for an open vowel.
        openness_dominance: How much it overrules its neighbours.
        width: -1 fully rounded to 1 fully spread.
        width_dominance: How much it overrules its neighbours.
        funnel: Share of the rounding that flares the lips open (as in "sh", "aw") rather than purses them ("oo").
        tongue: How far the tongue's tip shows, 0 to 1.
        is_vowel: Vowels act farther in time than consonants.
    """

    openness: float
    openness_dominance: float
    width: float = 0.0
    width_dominance: float = 0.1
    funnel: float = 0.5
    tongue: float = 0.0
    is_vowel: bool = False


def _vowel(openness: float, width: float, funnel: float = 0.5, strength: float = 1.0) -> LipTarget:
    return LipTarget(openness, strength, width, (0.5 + 0.7 * abs(width)) * strength, funnel, is_vowel=True)


_VOWELS: Final[dict[str, LipTarget]] = {
    "i": _vowel(0.45, 0.8), "ɪ": _vowel(0.6, 0.45), "e": _vowel(0.6, 0.55), "ɛ": _vowel(0.8, 0.4),
    "æ": _vowel(0.95, 0.45), "a": _vowel(1.0, 0.1), "ɶ": _vowel(0.9, -0.3, 0.9), "ɐ": _vowel(0.8, 0.05),
    "ɑ": _vowel(0.95, 0.0), "ɒ": _vowel(0.85, -0.35, 0.9), "ʌ": _vowel(0.85, 0.0), "ɔ": _vowel(0.75, -0.55, 0.8),
    "o": _vowel(0.5, -0.8, 0.55), "ʊ": _vowel(0.35, -0.6, 0.35), "u": _vowel(0.22, -1.0, 0.2),
    "y": _vowel(0.28, -0.95, 0.25), "ʏ": _vowel(0.38, -0.7, 0.3), "ø": _vowel(0.45, -0.75, 0.5),
    "œ": _vowel(0.6, -0.5, 0.7), "ɨ": _vowel(0.45, 0.3), "ʉ": _vowel(0.28, -0.8, 0.25), "ɯ": _vowel(0.4, 0.25),
    "ɤ": _vowel(0.5, 0.1), "ɘ": _vowel(0.5, 0.1), "ɵ": _vowel(0.45, -0.5, 0.5), "ɜ": _vowel(0.5, -0.1),
    "ɞ": _vowel(0.5, -0.3, 0.6), "ɝ": _vowel(0.32, -0.35, 0.5), "ɚ": _vowel(0.35, -0.25, 0.5, 0.6),
    "ə": _vowel(0.55, 0.0, strength=0.5),
}  # fmt: skip

_BILABIAL: Final = LipTarget(0.2, 4.6)
_LABIODENTAL: Final = LipTarget(0.1, 3.0, 0.05, 0.3)
_ALVEOLAR: Final = LipTarget(0.25, 0.3)
_SIBILANT: Final = LipTarget(0.25, 0.6, 0.35, 0.35)
_HUSH: Final = LipTarget(0.3, 0.7, -0.6, 1.0, 0.8)
_BACK: Final = LipTarget(0.42, 0.2, 0.0, 0.05)
_BREATH: Final = LipTarget(0.6, 0.2, 0.0, 0.05)
_GLIDE: Final = LipTarget(0.2, 1.5, -1.0, 1.6, 0.1)
_PALATAL: Final = LipTarget(0.4, 0.3, 0.45, 0.4)

_CONSONANTS: Final[dict[str, LipTarget]] = {
    **dict.fromkeys("pbmɓʘʙɸβ", _BILABIAL),
    **dict.fromkeys("fvʋɱⱱ", _LABIODENTAL),
    **dict.fromkeys("tdnʈɖɳɗɾɽrɺɬɮ", _ALVEOLAR),
    **dict.fromkeys("lɫɭʟ", LipTarget(0.38, 0.3, tongue=0.3)),
    **dict.fromkeys("θð", LipTarget(0.35, 0.5, 0.1, 0.2, tongue=1.0)),
    **dict.fromkeys("szʦʣ", _SIBILANT),
    **dict.fromkeys("ʃʒʧʤʂʐɕʑ", _HUSH),
    **dict.fromkeys("ɹɻ", LipTarget(0.33, 0.5, -0.4, 0.6, 0.5)),
    **dict.fromkeys("kgŋqɢɴxɣχʁʀħʕɠʄɰ", _BACK),
    **dict.fromkeys("hɦʔ", _BREATH),
    **dict.fromkeys("wʍɥ", _GLIDE),
    **dict.fromkeys("jçʝɲʎcɟ", _PALATAL),
}

LIP_TARGETS: Final[dict[str, LipTarget]] = {
    **_VOWELS,
    **_CONSONANTS,
    PAUSE: LipTarget(0.42, 0.7, 0.0, 0.5),
}
"""Targets of every IPA letter that `phones` may give, and of silence."""
"""(ɸ and β are bilabial fricatives: nearly closed, never sealed, so `phones.BILABIALS` leaves them out.)"""
