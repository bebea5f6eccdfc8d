"""The feeling of a sentence, for words that come without stage directions.

VADER (Hutto & Gilbert 2014) rates English by a lexicon and rules for negation and degree; other languages stay neutral.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from avatar.types import Cue, Emotion

if TYPE_CHECKING:
    from collections.abc import Callable

_FROM: Final = 0.25
"""Compound rating in [-1, 1] below which a sentence is neutral."""

_SURPRISE: Final = re.compile(r"^\W*(?:wow|whoa|oh my|my goodness|no way|really[?!]|incredible)\b", re.IGNORECASE)
_SORRY: Final = re.compile(r"\b(?:sorry|apologi[sz]e|condolences|regret)\b", re.IGNORECASE)
_SORRY_RATING: Final = -0.5
"""Regret is felt, whatever it is about; VADER rates "sorry" as nearly neutral."""


def feeling(sentence: str, intensity: float) -> Cue:
    """Returns the emotion that goes with a sentence: the avatar's own mood if it is neutral.

    Args:
        sentence: What is said.
        intensity: Of the emotion of the most emotional sentence.
    """
    rating = _rater()(sentence)
    if _SORRY.search(sentence):
        rating = min(rating, _SORRY_RATING)
    strength = round(intensity * min(1.0, 0.35 + abs(rating)), 2)
    if _SURPRISE.search(sentence):
        return Cue(emotion=((Emotion.SURPRISE, round(0.6 * intensity, 2)), (Emotion.HAPPY, round(0.5 * strength, 2))))
    if abs(rating) < _FROM:
        return Cue(emotion=())
    return Cue(emotion=((Emotion.HAPPY if rating > 0 else Emotion.SAD, strength),))


@cache
def _rater() -> Callable[[str], float]:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415 - reads 0.4 MB

    analyzer: Any = SentimentIntensityAnalyzer()
    return lambda sentence: float(analyzer.polarity_scores(sentence)["compound"])
