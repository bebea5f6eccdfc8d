from __future__ import annotations

import jiwer
import numpy as np
import pytest
import soxr

from agent.config import load_config, options_of
from agent.hibari import HibariEngine
from agent.options import HibariOptions, WhisperOptions
from agent.recogniser import Recogniser
from avatar.motion.whisper import load_whisper
from avatar.types import SPEECH_RATE

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def heart() -> HibariEngine:
    return HibariEngine(HibariOptions(pause=0.2))


def sound_of(engine: HibariEngine, text: str) -> np.ndarray:
    return np.frombuffer(b"".join(engine.say(text)), np.int16)


def pitch(sound: np.ndarray, rate: int) -> float:
    """Returns the median pitch in Hz of the loud windows, by autocorrelation (Rabiner 1977)."""
    pitches = []
    for start in range(0, len(sound) - 1200, 600):
        window = sound[start : start + 1200].astype(float)
        if np.abs(window).max() > 3000:
            correlation = np.correlate(window, window, "full")[len(window) - 1 :]
            low, high = rate // 400, rate // 70
            lag = low + int(np.argmax(correlation[low:high]))
            if correlation[lag] > 0.5 * correlation[0]:
                pitches.append(rate / lag)
    return float(np.median(pitches))


def test_it_is_the_voice_of_the_default_configuration():
    tts = load_config().tts
    assert tts.name == "hibari"
    assert options_of(tts, HibariOptions).speed == 1.0


def test_whisper_understands_it_and_it_sounds_like_a_woman(heart):
    text = "The largest ocean on our planet is the Pacific Ocean. Would you like to hear a story about the sea?"
    sound = sound_of(heart, text)
    assert heart.sample_rate == 24_000
    assert 160 < pitch(sound, heart.sample_rate) < 300
    heard = Recogniser(load_whisper(1), WhisperOptions()).recognise(
        soxr.resample(sound.astype(np.float32) / 32_768, heart.sample_rate, SPEECH_RATE)
    )
    plain = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip()])
    assert jiwer.wer(plain(text), plain(heard.text)) <= 0.1


def test_each_sentence_comes_by_itself_with_a_pause(heart):
    parts = [np.frombuffer(part, np.int16) for part in heart.say("Good morning. How are you?")]
    assert len(parts) == 2
    assert all(not part[-4800:].any() for part in parts)


def test_a_phrase_that_goes_on_ends_without_a_pause(heart):
    open_end, closed = sound_of(heart, "I would say "), sound_of(heart, "I would say.")
    assert np.abs(open_end[-1200:]).max() > 0
    assert len(open_end) < len(closed) - 4800


def test_text_without_words_is_silent(heart):
    assert len(sound_of(heart, "... 😀")) == 0


def test_the_same_seed_gives_the_same_speech():
    first, again, other = (sound_of(HibariEngine(HibariOptions(), seed), "Good morning.") for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_speed_and_volume_are_heard():
    slow, fast = (
        sound_of(HibariEngine(HibariOptions(speed=speed, volume=volume, pause=0)), "Good morning.").astype(int)
        for speed, volume in ((0.7, 1.0), (1.5, 0.25))
    )
    assert len(slow) > 1.5 * len(fast)
    assert np.abs(slow).max() > 3 * np.abs(fast).max()


def test_it_begins_at_once_and_knows_when_each_word_begins(heart):
    (spoken,) = heart.say("Six people sat there.")
    sound = np.abs(np.frombuffer(spoken, np.int16).astype(int))
    assert np.flatnonzero(sound > 300)[0] / heart.sample_rate < 0.05
    starts = {symbol: start for symbol, start in reversed(spoken.symbols) if symbol.isalpha()}
    assert 0 <= starts["s"] < 0.2
    assert spoken.symbols[-1][1] < len(sound) / heart.sample_rate
