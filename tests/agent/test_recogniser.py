from __future__ import annotations

import jiwer
import numpy as np
import pytest

from agent.options import WhisperOptions
from agent.recogniser import Recogniser, is_invented, until, without_echo
from avatar.motion.whisper import load_whisper

FIRST = 1000
SPEECH = [FIRST, 1, 2, 3, FIRST + 50]


@pytest.mark.parametrize(
    ("text", "log_probability", "no_speech"),
    [
        ("", -0.1, 0.0),
        (" ... ", -0.1, 0.0),
        ("I'm going to add some salt.", -1.5, 0.1),
        ("Something", -1.1, 0.8),
        ("no " * 40, -0.1, 0.0),
        ("Thank you.", -0.7, 0.1),
        ("you", -0.3, 0.5),
    ],
)
def test_what_whisper_makes_up_is_dropped(text, log_probability, no_speech):
    assert is_invented(text, log_probability=log_probability, no_speech=no_speech)


@pytest.mark.parametrize(
    ("text", "log_probability", "no_speech"),
    [
        ("What is the capital of France?", -0.4, 0.01),
        ("Who are you?", -0.7, 0.05),
        ("Thank you.", -0.3, 0.02),
        ("Yes.", -1.66, 0.1),
    ],
)
def test_what_was_said_is_kept(text, log_probability, no_speech):
    assert not is_invented(text, log_probability=log_probability, no_speech=no_speech)


def test_segments_after_the_sound_are_cut_off():
    assert until(FIRST + 60, [*SPEECH, FIRST + 70, 4, 5, FIRST + 90], FIRST) == SPEECH


def test_segments_within_the_sound_are_kept():
    tokens = [*SPEECH, FIRST + 50, 4, 5, FIRST + 90]
    assert until(FIRST + 60, tokens, FIRST) == tokens
    assert until(FIRST + 60, [1, 2], FIRST) == [1, 2]


@pytest.mark.parametrize(
    ("text", "seconds", "said"),
    [
        ("Who are you? Who are you? Who are", 0.9, "Who are you?"),
        ("No. No. No.", 2.0, "No. No. No."),
        ("Stop. I mean it.", 0.5, "Stop. I mean it."),
        ("Why is the sky blue?", 1.5, "Why is the sky blue?"),
    ],
)
def test_a_sentence_that_nobody_had_time_to_repeat_is_said_once(text, seconds, said):
    assert without_echo(text, seconds) == said


@pytest.fixture(scope="module")
def recogniser():
    return Recogniser(load_whisper(), WhisperOptions())


@pytest.mark.model
@pytest.mark.parametrize(
    "text",
    ["What is the capital of France?", "Who are you?", "Yes.", "Please close the windows before you leave the office."],
)
def test_short_questions_are_recognised(recogniser, say, text):
    said = recogniser.recognise(say(text))
    words = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.ReduceToListOfListOfWords()])
    assert jiwer.wer(text, said.text, reference_transform=words, hypothesis_transform=words) < 0.2
    assert said.confidence > 0.2


@pytest.mark.model
def test_silence_noise_and_tones_are_no_words(recogniser):
    rng = np.random.default_rng(0)
    time = np.arange(32_000)
    for sound in (np.zeros(32_000), rng.normal(size=32_000) * 0.05, 0.2 * np.sin(0.1 * time), np.zeros(100)):
        assert recogniser.recognise(sound.astype(np.float32)).text == ""


@pytest.mark.model
def test_the_language_can_be_detected(say):
    recogniser = Recogniser(load_whisper(), WhisperOptions(language=None))
    assert recogniser.recognise(say("Could you tell me how to get to the station?")).language == "en"
