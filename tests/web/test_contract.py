"""The description of the contract names every message, and the messages say what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from agent.web import contract
from agent.web.conversation import (
    Ask,
    Caption,
    Choice,
    Interrupt,
    LoadStage,
    LoadState,
    Notice,
    Option,
    Options,
    Say,
    SetEmotion,
    SetMicrophone,
    StateChanged,
    TurnLatency,
)
from avatar.errors import InputError
from avatar.types import AvatarState, Emotion

PROTOCOL = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def described(heading: str) -> set[str]:
    """Returns the message types in the table below a heading."""
    table = PROTOCOL.partition(heading)[2].partition("\n#")[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) - {"type"}


def test_every_message_of_a_front_end_is_described():
    union, _ = get_args(contract.ClientMessage)
    assert described("### From the front end") == {
        get_args(model.model_fields["type"].annotation)[0] for model in get_args(union)
    }


def test_every_event_is_described():
    events = [
        StateChanged(AvatarState.IDLE),
        Caption("user", "line1", "Hi", final=True),
        TurnLatency(1, 0.5, {}),
        Notice("service", "it failed"),
    ]
    kinds = {contract.event_message(event)["type"] for event in events}
    kinds |= {
        contract.error_message(InputError("x", expected="y", got="z"))["type"],
        contract.loading_message([LoadStage("voice", LoadState.READY)], ready=True)["type"],
        contract.options_message(Options(), Choice("a", "v", "p"))["type"],
    }
    assert described("### From the server") == kinds | {"welcome", "answer", "progress", "ended"}


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"type": "ask", "text": " Hi "}', Ask("Hi")),
        ('{"type": "say", "text": "Hi"}', Say("Hi")),
        ('{"type": "interrupt"}', Interrupt()),
        ('{"type": "emotion", "emotion": "sad"}', SetEmotion(Emotion.SAD, 1.0)),
        ('{"type": "microphone", "live": false}', SetMicrophone(live=False)),
        ('{"type": "end"}', None),
    ],
)
def test_a_message_becomes_the_command_it_asks_for(text: str, command: object):
    assert contract.command_of(contract.parse_message(text)) == command


def test_an_avatar_without_a_picture_has_none_in_the_options():
    options = Options([Option("a", "A"), Option("b", "B", Path("b.jpg"))], [Option("v", "V")], [Option("p", "P")])
    message = contract.options_message(options, options.default())
    assert [avatar["picture"] for avatar in message["avatars"]] == [None, "/api/avatars/b/picture?b"]
    assert message["chosen"] == {"avatar": "a", "voice": "v", "persona": "p"}


def test_people_can_be_told_what_an_avatar_is():
    options = Options([Option("a", "A", disclosure="I am an AI.")], [Option("v", "V")], [Option("p", "P")])
    message = contract.options_message(options, options.default())
    assert message["avatars"] == [{"id": "a", "label": "A", "picture": None, "disclosure": "I am an AI."}]
    assert message["voices"] == [{"id": "v", "label": "V"}]
