from __future__ import annotations

import pytest

from agent.phrases import ends_open, first_phrase, is_phrase


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("I'm doing well, thank", "I'm doing well,"),
        ("Well, I think so, but", "Well, I think so,"),
        ('He said "no," and', 'He said "no,"'),
        ("It costs 3,000 euros and", ""),
        ("The largest ocean in the world is", ""),
        ("The old man of the sea who lived here was called", "The old man of the sea"),
        ("One two three four five six seven eight nine", ""),
        ("With all of my heart I wish you a good day", ""),
        ("...  , ", ""),
        ("", ""),
    ],
)
def test_the_first_phrase_ends_where_people_breathe_or_take_up_the_sentence_again(text, phrase):
    assert text[: first_phrase(text)].strip() == phrase


def test_a_phrase_with_its_space_is_known_as_one():
    assert is_phrase("The old man of the sea ")
    assert not is_phrase("The ")
    assert not is_phrase("The old man of the sea")


def test_a_text_is_open_if_the_next_word_follows_at_once():
    assert ends_open("The old man ")
    assert not ends_open("Well, ")
    assert not ends_open("Yes.")
