from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.config import DEFAULT_PERSONA, PartConfig, load_config
from agent.web.cast import Cast
from agent.web.conversation import Choice, Option, Options

if TYPE_CHECKING:
    from pathlib import Path


def cast(**tts: object) -> Cast:
    part = PartConfig.model_validate(tts) if tts else load_config().tts
    return Cast(load_config().model_copy(update={"tts": part}), [])


def test_the_embedded_voices_can_be_chosen_the_configured_one_first():
    assert [(voice.id, voice.label) for voice in cast().voices] == [("heart", "Heart"), ("joe", "Joe")]
    joe = cast(**{"class": "piper", "args": {"speed": 1.2}})
    assert [voice.id for voice in joe.voices] == ["joe", "heart"]
    assert joe.voice("heart") == PartConfig.model_validate({"class": "hibari", "args": {"speed": 1.2}})


@pytest.mark.parametrize(
    ("part", "label"),
    [
        ({"class": "livekit.plugins.openai.TTS", "args": {"model": "tts-1", "voice": "ash"}}, "Ash"),
        ({"class": "piper", "args": {"voice": "/voices/en_GB-alba.onnx"}}, "En gb-alba"),
        ({"class": "coqui", "args": {"model": "/models/xtts_v2"}}, "Xtts v2"),
    ],
)
def test_a_voice_from_elsewhere_has_the_name_that_the_configuration_gives_it(part: dict, label: str):
    made = cast(**part)
    assert (made.voices[0].id, made.voices[0].label) == ("configured", label)
    assert made.voice("configured").name == part["class"]


def test_personas_beside_the_configured_one_can_be_chosen_and_broken_ones_are_left_out(tmp_path: Path):
    (tmp_path / "guide.md").write_text("---\nname: Guide\n---\nYou are a guide.")
    (tmp_path / "other.md").write_text("You are somebody.")
    (tmp_path / "broken.md").write_text("---\nname: [\n---\n")
    made = Cast(load_config().model_copy(update={"persona": tmp_path / "guide.md"}), [])
    names = [persona.id for persona in made.personas]
    assert names[:2] == ["guide", "other"]
    assert "default" in names
    assert made.persona("default") == DEFAULT_PERSONA


def test_what_an_avatar_brought_goes_with_it():
    avatars = [
        Option("first", "First", voice="heart", persona="default"),
        Option("bob", "Bob", voice="joe", persona="bob.persona"),
        Option("plain", "Plain"),
    ]
    voices = [Option("heart", "Heart"), Option("joe", "Joe"), Option("amy", "Amy")]
    personas = [Option("default", "Default"), Option("bob.persona", "Bob")]
    options = Options(avatars, voices, personas)
    bob = options.with_avatar("bob", options.default())
    assert bob == Choice("bob", "joe", "bob.persona")
    assert options.with_avatar("plain", bob) == Choice("plain", "heart", "default")
    assert options.with_avatar("first", bob) == options.default()
    assert options.with_avatar("plain", Choice("bob", "amy", "default")) == Choice("plain", "amy", "default")
    assert options.with_avatar("bob", Choice("gone", "amy", "default")) == bob
