from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents.types import TimedString

from agent.heard import SpokenText


def spoken(*pieces: str | tuple[str, float, float]) -> SpokenText:
    text = SpokenText()
    for piece in pieces:
        text.add(piece if isinstance(piece, str) else TimedString(piece[0], start_time=piece[1], end_time=piece[2]))
    return text


@pytest.mark.parametrize(
    ("seconds", "heard"),
    [
        (0.0, ""),
        (0.5, ""),
        (1.0, "Well, "),
        (1.7, "Well, "),
        (1.8, "Well, four "),
        (3.0, "Well, four five "),
        (9.0, "Well, four five six."),
    ],
)
def test_words_are_heard_when_the_voice_has_said_them(seconds, heard):
    text = spoken(("Well, ", 0.0, 1.0), ("four five six.", 1.0, 4.0))
    assert text.until(seconds) == heard


def test_a_voice_without_times_speaks_at_an_ordinary_pace():
    text = spoken("Twelve words ", "and some more that will be said much later than these. ")
    assert text.until(1.0) == "Twelve words "
    assert text.until(60.0) == text.text


def test_a_new_reply_begins_with_nothing():
    text = spoken("Hello.")
    text.clear()
    assert text.text == text.until(9.0) == ""


@given(st.lists(st.text(alphabet="ab .", max_size=12)), st.floats(0, 20), st.floats(0, 20))
def test_more_time_never_means_fewer_words_and_the_words_are_the_texts_beginning(pieces, first, second):
    text = spoken(*pieces)
    assert text.text.startswith(text.until(max(first, second)))
    assert text.until(max(first, second)).startswith(text.until(min(first, second)))
    assert text.until(1000.0) == text.text
