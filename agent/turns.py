"""Whose turn it is, by the words: what ends a turn, and what does not take the avatar's away."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from livekit.agents import llm
    from livekit.agents.language import LanguageCode


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_BACKCHANNELS: Final = _set(
    "mm mmm mhm mmhm mhmm hm hmm huh uh um uhhuh uhuh ah aha oh ooh wow yeah yep yup yes ok okay right sure true "
    "exactly indeed nice cool great good really fine alright interesting"
)
"""Words with which listeners say no more than that they listen (Schegloff 1982; Ward & Tsukahara 2000)."""

_BACKCHANNELS_ELSEWHERE: Final = {
    "de": _set("ja jaja jo genau stimmt klar achso ach so aha echt gut schön richtig natürlich super krass"),
    "es": _set("sí si ya ajá claro vale bueno bien exacto cierto eso"),
    "fr": _set("oui ouais d'accord bien voilà exactement bon tout à fait"),
    "it": _set("sì già certo esatto bene giusto davvero ecco capito va"),
}
"""The same in other languages, beside those of English, of which sounds and some words are used there as well."""

_BACKCHANNEL_PHRASES: Final = re.compile(r"\b(?:i see|got it|of course|go on|uh huh|mm hm+|makes sense)\b")
_LONGEST_BACKCHANNEL: Final = 4

_GOES_ON: Final = _set(
    "a an the and or but so because if when while although though unless until since as than which who whose "
    "whom what where why how to of in on at by for with from into about between through during without within my "
    "your his its our their some any every each is are was were be been being have has had could "
    "should shall may might must i'm you're we're they're he's she's it's i'd i'll "
    "i've very really just not also like um uh er erm hmm well maybe perhaps i we they he she"
)
"""Words after which an English sentence is rarely over: determiners, conjunctions, prepositions, auxiliaries, pronouns
that open a clause, and fillers (Clark & Fox Tree 2002)."""

_OPENS_A_QUESTION: Final = _set(
    "what who whose which where when why how is are was were am do does did have has had can could will would shall "
    "should may might must isn't aren't don't doesn't didn't can't couldn't won't wouldn't"
)
"""Words that open a question, in which a preposition, an auxiliary or a pronoun may well come last."""

_MAY_END_A_QUESTION: Final = _set(
    "to of in on at by for with from about through is are was were be have has had i we they he she like"
)

_UNLIKELY: Final = 0.1
_LIKELY: Final = 0.8
_CERTAIN: Final = 0.95

_ECHOED: Final = 0.7
"""Share of the words that must be the avatar's own."""

_UNFINISHED_MARK: Final = re.compile(r"(?:\.\.\.|…|[,;:–—-])[\"')\]]*$")


def is_backchannel(text: str, language: str = "en") -> bool:
    """Returns whether a text says no more than that someone listens.

    Args:
        text: What was said.
        language: Its code, such as ``de`` or ``de-AT``.
    """
    said = _BACKCHANNEL_PHRASES.sub("yes", " ".join(words(text))).split()
    known = _BACKCHANNELS | _BACKCHANNELS_ELSEWHERE.get(language.lower().split("-")[0], frozenset())
    return len(said) <= _LONGEST_BACKCHANNEL and set(said) <= known


def is_echo(text: str, spoken: str) -> bool:
    """Returns whether a text is what the avatar itself has just said, as a microphone hears it.

    Args:
        text: What was understood, maybe in part wrongly.
        spoken: What the avatar has said lately.
    """
    heard, said = words(text), words(spoken)
    if not heard:
        return False
    return len(heard) - (Counter(heard) - Counter(said)).total() >= _ECHOED * len(heard) and _in_order(heard, said)


def finished(text: str) -> float:
    """Returns how likely a user who pauses after `text` has said it all, in [0, 1]: a rule on its last words."""
    said = words(text)
    if not said:
        return 0.0
    bare = text.strip()
    asks = bare.endswith("?") and said[0] in _OPENS_A_QUESTION
    if _UNFINISHED_MARK.search(bare):
        return _UNLIKELY
    if said[-1] in _GOES_ON and not (len(said) > 2 and asks and said[-1] in _MAY_END_A_QUESTION) and len(said) > 1:
        return _UNLIKELY
    if len(said) == 1 and said[0] in _GOES_ON - {"what", "why", "how", "who", "where", "when", "maybe", "perhaps"}:
        return _UNLIKELY
    return _CERTAIN if bare.endswith(("?", "!")) else _LIKELY


class WordTurnDetector:
    """livekit's interface of a turn detector over `finished`: it needs no model and no time, and knows English only."""

    @property
    def model(self) -> str:
        """Its name."""
        return "words"

    @property
    def provider(self) -> str:
        """Where it runs."""
        return "embedded"

    async def unlikely_threshold(self, language: LanguageCode | None) -> float | None:
        """Returns the likelihood below which the avatar waits longer."""
        return 0.5

    async def supports_language(self, language: LanguageCode | None) -> bool:
        """Returns whether it knows a language; an unknown one is taken for English."""
        return language is None or str(language).lower().split("-")[0] == "en"

    async def predict_end_of_turn(
        self,
        chat_ctx: llm.ChatContext,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - livekit's signature
    ) -> float:
        """Returns how likely the last message is complete."""
        messages = chat_ctx.messages()
        return finished(messages[-1].text_content or "") if messages else 0.0


def words(text: str) -> list[str]:
    """Returns a text's words in small letters; a hyphen joins none, but for sounds such as `uh-huh`."""
    plain = re.sub(r"\b(uh|mm|mhm|m)-(huh|hm+|hmm+|mm)\b", r"\1\2", text.lower().replace("’", "'"))
    return _WORD.findall(plain)


def _in_order(heard: list[str], said: list[str]) -> bool:
    """Returns whether most of `heard` follows `said` in its order (longest common subsequence)."""
    lengths = [0] * (len(said) + 1)
    for word in heard:
        diagonal = 0
        for index, other in enumerate(said, 1):
            above = lengths[index]
            lengths[index] = diagonal + 1 if word == other else max(above, lengths[index - 1])
            diagonal = above
    return lengths[-1] >= _ECHOED * len(heard)
