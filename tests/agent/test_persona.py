from __future__ import annotations

import re

import pytest

from agent.config import load_config
from agent.directions import read_direction
from agent.persona import load_persona
from avatar.errors import InputError


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        path = tmp_path / "persona.md"
        path.write_text(text)
        return path

    return write


def test_plain_text_is_a_persona(write):
    persona = load_persona(write("You are a lighthouse keeper.\n"))
    assert persona.instructions == "You are a lighthouse keeper."
    assert persona.opening() == [("system", "You are a lighthouse keeper.")]


def test_the_head_gives_name_greeting_and_examples(write):
    persona = load_persona(write("---\nname: Ada\nexamples:\n  - user: Hi\n    avatar: Hello!\n---\nYou are Ada.\n"))
    assert persona.name == "Ada"
    assert persona.opening() == [("system", "You are Ada."), ("user", "Hi"), ("assistant", "Hello!")]


def test_the_persona_that_comes_with_us_asks_for_speech_without_markdown():
    persona = load_persona(load_config().persona)
    assert "markdown" in persona.instructions
    assert persona.max_sentences
    assert all("*" not in example.avatar for example in persona.examples)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "got no text"),
        ("---\nname: Ada\n---\n\n", "got no text"),
        ("---\nname: Ada\nYou are Ada.", "a second line ---"),
        ("---\nnam: Ada\n---\nYou are Ada.", "got `nam`"),
        ("---\nexamples: [{usr: a, avatar: b}]\n---\nYou are Ada.", "got `examples.0.usr`"),
        ("---\n- Ada\n---\nYou are Ada.", "got list"),
        ("---\na: [\n---\nYou are Ada.", "expected YAML"),
        ("---\nmax_sentences: 0\n---\nYou are Ada.", "max_sentences"),
    ],
)
def test_a_bad_persona_is_refused_in_one_line(write, text, message):
    with pytest.raises(InputError) as caught:
        load_persona(write(text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_misspelt_key_is_answered_with_the_nearest(write):
    with pytest.raises(InputError) as caught:
        load_persona(write("---\ngreting: Hi\n---\nYou are Ada."))
    assert caught.value.hint == "did you mean `greeting`?"


def test_what_is_taught_of_directions_is_what_is_understood(write):
    taught = load_persona(write("You are Ada."), directions=True).instructions
    assert taught.startswith("You are Ada.\n")
    named = re.findall(r"\[([^\]]+)\]", taught)
    assert len(named) >= 12
    assert all(read_direction(inside) for inside in named)
    assert load_persona(write("You are Ada.")).instructions == "You are Ada."
