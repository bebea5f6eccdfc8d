from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import stt, vad
from livekit.agents.language import LanguageCode

from agent.config import load_config
from agent.options import SileroOptions
from agent.overheard import Courtesy, EchoGate, wants_turn
from agent.vad import VoicedVAD, silero_vad
from avatar.audio import to_int16
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


def in_a_room(reply: np.ndarray) -> np.ndarray:
    """Returns a reply as a microphone hears it from the loudspeaker: 20 dB softer, 0.1 s late, with a short reverb."""
    room = np.zeros(4800)
    room[1600] = 1.0
    random = np.random.default_rng(1)
    room[2000:] = 0.05 * random.normal(size=2800) * np.exp(-np.arange(2800) / 800)
    return (0.1 * np.convolve(reply, room)[: len(reply)]).astype(np.float32)


def gated(sound: np.ndarray, reply: np.ndarray) -> np.ndarray:
    """Returns a microphone's sound through the gate, 20 ms at a time, while `reply` is being spoken."""
    voice, cleaned = Voice(), []
    gate = EchoGate(voice)
    level = np.sqrt(np.convolve(reply**2, np.ones(640) / 640, "same"))
    for start in range(0, len(sound), 320):
        voice.loudness = float(level[max(0, start - 9600) : start + 3200].max())
        cleaned.append(gate.clean(sound[start : start + 320]))
    return np.concatenate(cleaned)


async def voiced(sound: np.ndarray) -> float:
    """Returns the longest speech that Silero finds in a sound, in seconds."""
    stream = VoicedVAD(silero_vad(SileroOptions())).stream()
    pcm = to_int16(np.pad(sound, (8000, 12_000)))
    for start in range(0, len(pcm), 320):
        piece = pcm[start : start + 320]
        stream.push_frame(rtc.AudioFrame(piece.tobytes(), 16_000, 1, len(piece)))
    stream.end_input()
    lengths = [event.speech_duration async for event in stream if event.speaking]
    await stream.aclose()
    return max(lengths, default=0.0)


REPLY = "The largest ocean is the Pacific Ocean. It covers about a third of the surface of the earth."


@pytest.mark.model
async def test_the_real_detector_finds_no_speech_in_the_avatars_echo(say):
    reply = say(REPLY)
    echo = in_a_room(reply)
    assert await voiced(echo) > 1.0
    assert await voiced(gated(echo, reply)) == 0.0


@pytest.mark.model
async def test_the_real_detector_finds_who_speaks_over_the_echo(say):
    reply = say(REPLY)
    both = in_a_room(reply)
    words = 0.7 * say("Wait, stop for a moment.")
    both[16_000 : 16_000 + len(words)] += words
    assert await voiced(gated(both, reply)) > load_config().turns.min_interruption


@pytest.mark.model
@pytest.mark.parametrize("word", ["Yeah.", "Right.", "Uh-huh.", "Okay."])
async def test_a_listeners_word_is_too_short_to_interrupt(say, word):
    assert 0 < await voiced(say(word)) < load_config().turns.min_interruption


class Listened:
    """A voice that notes when it is held back."""

    def __init__(self) -> None:
        self.held: list[bool] = []

    def hush(self) -> None:
        self.held.append(True)

    def unhush(self) -> None:
        self.held.append(False)


def window(*, speech: float = 0.0, silence: float = 0.0) -> vad.VADEvent:
    return vad.VADEvent(
        vad.VADEventType.INFERENCE_DONE,
        samples_index=0,
        timestamp=0.0,
        speech_duration=0.0,
        silence_duration=0.0,
        raw_accumulated_speech=speech,
        raw_accumulated_silence=silence,
    )


def test_the_voice_is_held_back_for_somebody_who_speaks_and_goes_on_when_they_are_silent():
    voice = Listened()
    courtesy = Courtesy(voice, 0.06)
    for heard in (window(speech=0.032), window(speech=0.064), window(silence=0.128), window(silence=0.224)):
        courtesy.heard(heard)
    assert voice.held == [True, False]


def test_who_wants_no_courtesy_gets_none():
    voice = Listened()
    Courtesy(voice, None).heard(window(speech=2.0))
    assert True not in voice.held
