from __future__ import annotations

import pytest
from livekit.agents import llm

from agent.turns import WordTurnDetector, finished, is_backchannel, is_echo

FINISHED = (
    "What is the capital of France?",
    "Where are you from?",
    "Why?",
    "My name is Bob.",
    "Yes.",
    "No",
    "Hello",
    "Tell me a joke.",
    "I like that.",
    "I don't know what to do.",
    "What time is it",
    "What are you thinking about?",
    "What kind of music do you like?",
    "How are you",
    "Thank you very much!",
    "Stop.",
    "It was a long day, and I am tired.",
)
UNFINISHED = (
    "I was wondering if",
    "I was wondering if you could...",
    "Could you tell me about",
    "Can you help me with my",
    "So, um",
    "Well,",
    "My name is",
    "I went to the store and",
    "I think it's because",
    "What is the",
    "When I was young,",
    "I would like to",
    "The thing I want to ask is…",
    "Um",
    "",
)


@pytest.mark.parametrize("text", FINISHED)
def test_what_sounds_complete_may_be_answered(text):
    assert finished(text) > 0.5


@pytest.mark.parametrize("text", UNFINISHED)
def test_what_breaks_off_is_waited_for(text):
    assert finished(text) < 0.5


def test_a_question_is_more_certain_than_a_statement():
    assert finished("Is it late?") > finished("It is late.")


@pytest.mark.parametrize(
    "text", ["Mm-hm.", "Yeah.", "Uh-huh", "Yeah, yeah, right.", "I see.", "Okay, got it.", "Really?", "Wow!", "...", ""]
)
def test_a_listeners_sounds_are_backchannels(text):
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["Stop.", "No.", "Yeah, but wait", "Right, and what about me?", "I", "It.", "Wait", "Yes, tell me more."]
)
def test_what_wants_the_turn_is_no_backchannel(text):
    assert not is_backchannel(text)


SAID = "The largest ocean is the Pacific Ocean. It covers a third of the planet."


@pytest.mark.parametrize(
    ("text", "language"),
    [("Ja, genau.", "de"), ("Mhm.", "de-AT"), ("Claro.", "es"), ("D'accord.", "fr"), ("Esatto!", "it")],
)
def test_people_listen_in_other_languages_too(text, language):
    assert is_backchannel(text, language)


@pytest.mark.parametrize(("text", "language"), [("Ja, warum?", "de"), ("Claro.", "en"), ("Espera.", "es")])
def test_a_listeners_word_counts_in_its_own_language(text, language):
    assert not is_backchannel(text, language)


@pytest.mark.parametrize(
    "text", ["is the Pacific Ocean", "The largest ocean is the specific ocean.", "It covers a third"]
)
def test_the_avatars_own_words_are_an_echo_even_if_partly_misheard(text):
    assert is_echo(text, SAID)


@pytest.mark.parametrize("text", ["What about the Atlantic Ocean?", "planet the of third a", "Stop it, please.", ""])
def test_other_words_or_another_order_are_none(text):
    assert not is_echo(text, SAID)


async def test_livekit_asks_for_the_last_message():
    detector = WordTurnDetector()
    chat = llm.ChatContext.empty()
    assert await detector.predict_end_of_turn(chat) == 0.0
    chat.add_message(role="assistant", content="Hello.")
    chat.add_message(role="user", content="Could you tell me about")
    threshold = await detector.unlikely_threshold(None)
    assert threshold is not None
    assert await detector.predict_end_of_turn(chat) < threshold
    chat.add_message(role="user", content="Where is Paris?")
    assert await detector.predict_end_of_turn(chat) > threshold
    assert await detector.supports_language(None)
