from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from agent.config import load_config
from agent.manner import MotionConfig
from avatar.errors import InputError
from avatar.motion.articulation import lip_gap
from avatar.motion.generator import load_motion_model
from avatar.motion.layout import INDEX
from avatar.stream import FILES, MotionStream, speaking_frames
from avatar.training import measures
from avatar.training.corpus.speech_piper import speak
from avatar.types import SPEECH_RATE, AudioChunk, Emotion
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


@pytest.fixture(scope="module")
def presets():
    """The motion of both presets and the default for a sentence full of bilabials, and its phones."""
    utterance = speak("Maybe Bob bought my mum a purple pipe. Pam's mop fell from the bumper of a big blue bus.", 0)
    speech = AudioChunk(utterance.samples, SPEECH_RATE)
    folder = load_config().persona.parents[1] / "configs"
    motions = {}
    for name in ("kiosk", "default", "friend"):
        stream = MotionStream(load_motion_model(seed=0), FILES)
        load_config(folder / f"{name}.yaml").motion.set_on(stream)
        motions[name] = np.array(list(speaking_frames(stream, [speech], stream.next_motion)))
    return motions, [(phone.name, phone.start, phone.end) for phone in utterance.phones]


@pytest.mark.model
def test_presets_differ_in_how_far_head_brows_and_lips_move(presets):
    motions, _ = presets
    head, brows, jaw = (
        [float(measure(motions[name])) for name in ("kiosk", "default", "friend")]
        for measure in (
            lambda motion: np.abs(np.diff(motion[:, 52:55], axis=0)).mean(),
            lambda motion: motion[:, INDEX["browInnerUp"]].mean(),
            lambda motion: motion[:, INDEX["jawOpen"]].mean(),
        )
    )
    assert head[0] < 0.8 * head[1]
    assert head[2] > 1.2 * head[1]
    assert brows[0] < 0.8 * brows[1]
    assert jaw[2] > 1.03 * jaw[0]


@pytest.mark.model
@pytest.mark.parametrize("name", ["kiosk", "friend"])
def test_lips_still_close_on_bilabials(presets, name):
    motions, phones = presets
    usual, total = measures.closure_recall(lip_gap(motions["default"]), phones)
    found, _ = measures.closure_recall(lip_gap(motions[name]), phones)
    assert total >= 20
    assert found >= usual - 2
    assert found >= 0.75 * total


@pytest.mark.model
def test_a_smile_grows_with_its_mood(presets):
    motions, _ = presets
    smile = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
    assert motions["friend"][:, smile].mean() > motions["kiosk"][:, smile].mean() + 0.02
