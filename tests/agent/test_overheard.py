from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from livekit.agents import stt
from livekit.agents.language import LanguageCode

from agent.overheard import EchoGate, wants_turn
from tests.fakes import spoken

SAID = "The largest ocean is the Pacific Ocean."


@dataclass
class Voice:
    speaking: bool = True
    lately: str = SAID
    loudness: float = 0.1


def heard(text: str, kind: stt.SpeechEventType = stt.SpeechEventType.FINAL_TRANSCRIPT) -> stt.SpeechEvent:
    return stt.SpeechEvent(kind, alternatives=[stt.SpeechData(LanguageCode("en"), text)])


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


@pytest.mark.parametrize("kind", ["INTERIM_TRANSCRIPT", "PREFLIGHT_TRANSCRIPT", "FINAL_TRANSCRIPT"])
def test_a_listeners_sound_takes_no_turn_while_the_avatar_speaks(kind):
    assert not wants_turn(heard("Mm-hm.", stt.SpeechEventType[kind]), Voice())


def test_the_same_word_answers_when_the_avatar_is_silent():
    assert wants_turn(heard("Yeah."), Voice(speaking=False, loudness=0.0))


def test_the_avatars_own_words_take_no_turn():
    assert not wants_turn(heard("is the Pacific Ocean"), Voice())
    assert not wants_turn(heard("the Pacific Ocean."), Voice(speaking=False))


def test_its_words_may_be_repeated_a_while_later():
    assert wants_turn(heard("The Pacific Ocean?"), Voice(speaking=False, loudness=0.0))


def test_what_is_said_against_it_takes_the_turn():
    assert wants_turn(heard("Stop, please."), Voice())


def test_events_without_words_pass():
    assert wants_turn(stt.SpeechEvent(stt.SpeechEventType.START_OF_SPEECH), Voice())


def test_an_echo_20_db_below_the_voice_is_silenced():
    voice = spoken(3.0)
    assert not np.any(EchoGate(Voice(loudness=rms(voice))).clean(0.1 * voice))


def test_who_speaks_over_the_echo_is_heard():
    user = spoken(2.0)
    cleaned = EchoGate(Voice(loudness=rms(user))).clean(user + 0.1 * spoken(2.0)[::-1])
    assert np.corrcoef(cleaned, user)[0, 1] > 0.98


def test_everything_is_heard_while_the_avatar_is_silent():
    sound = 0.001 * spoken(1.0)
    np.testing.assert_array_equal(EchoGate(Voice(loudness=0.0)).clean(sound), sound)
