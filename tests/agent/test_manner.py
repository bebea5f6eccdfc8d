from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from agent.config import load_config
from agent.manner import MotionConfig
from avatar.errors import InputError
from avatar.stream import MotionStream
from avatar.types import Emotion
from tests.fakes import LoudnessGenerator


def test_a_stream_moves_as_configured():
    generator = LoudnessGenerator()
    stream = MotionStream(generator)
    MotionConfig(lip_amplitude=0.8, energy=0.5, mood={Emotion.HAPPY: 0.4}).set_on(stream)
    stream.next_motion()
    assert generator.requests[0].controls.lip_amplitude == 0.8
    np.testing.assert_allclose(generator.requests[0].emotion[0], [0, 0.2, 0, 0, 0, 0, 0, 0])


def test_sentiment_can_be_turned_off():
    assert MotionConfig(sentiment=0).feel() is None
    feel = MotionConfig(sentiment=0.5).feel()
    assert feel
    assert feel("That is wonderful!").emotion


@pytest.mark.parametrize(
    "values", [{"lip_amplitude": 0}, {"head_amplitude": 3}, {"gaze": [2, 0]}, {"mood": {"happy": 2}}, {"moo": 1}]
)
def test_values_out_of_range_are_refused(values):
    with pytest.raises(ValidationError):
        MotionConfig.model_validate(values)


def test_a_misspelt_key_of_the_section_is_one_line(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("motion: {lip_amplitud: 1}\n")
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert "motion.lip_amplitud" in str(caught.value)
    assert caught.value.hint == "did you mean `lip_amplitude`?"


def test_only_a_language_model_that_can_keep_to_them_is_taught_directions(tmp_path):
    path = tmp_path / "my.yaml"
    for text, taught in (
        ("{}", False),
        ("motion: {directions: true}", True),
        ("llm: {class: livekit.plugins.openai.LLM, args: {model: m}}", True),
        ("llm: {class: livekit.plugins.openai.LLM, args: {model: m}}\nmotion: {directions: false}", False),
    ):
        path.write_text(text + "\n")
        assert load_config(path).teaches_directions is taught


@pytest.mark.parametrize("name", ["kiosk", "friend"])
def test_the_presets_load(name):
    path = load_config().persona.parents[1] / "configs" / f"{name}.yaml"
    assert load_config(path).motion != MotionConfig()
    assert load_config(path).persona.is_file()


def test_a_friend_is_livelier_than_a_kiosk():
    folder = load_config().persona.parents[1] / "configs"
    kiosk, friend = (load_config(folder / f"{name}.yaml").motion for name in ("kiosk", "friend"))
    assert kiosk.energy < 1 < friend.energy
    assert kiosk.head_amplitude < friend.head_amplitude
    assert kiosk.sentiment < friend.sentiment
