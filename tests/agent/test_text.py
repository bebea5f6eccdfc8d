from __future__ import annotations

import pytest

from agent.text import speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Paris** is *big*.", "Paris is big."),
        ("# Title\nText", "Title Text"),
        ("- one\n- two\n1. three", "one two three"),
        ("See [the page](https://example.org/a).", "See the page."),
        ("It is at https://example.org/a now", "It is at now"),
        ("Hello 😀👍🏽 there ❤️!", "Hello there !"),
        ("`code` and ~~old~~", "code and old"),
        ("```python\nprint()\n``` Done.", "Done."),
        ("snake_case stays, 3 * 4 stays", "snake_case stays, 3 * 4 stays"),
        ("21 °C, © us, 5 €, café, naïve", "21 °C, © us, 5 €, café, naïve"),
        ("  many \n\n spaces\t", "many spaces"),
        ("\x07bell\u200b", "bell"),
    ],
)
def test_only_what_can_be_said_remains(written, spoken):
    assert speakable(written) == spoken


def test_text_without_words_becomes_empty():
    assert speakable("😀 \n ") == ""
