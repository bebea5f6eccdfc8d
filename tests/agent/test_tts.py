from __future__ import annotations

import numpy as np
import pytest
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT

from agent.options import PiperOptions
from agent.tts import EngineTTS, PiperEngine
from avatar.errors import InputError, ModelError

RATE = 16_000


class CountingEngine:
    """Says a text as a tenth of a second of sound a word, sentence by sentence."""

    name = "counting"
    sample_rate = RATE

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text):
        self.said.append(text)
        if any(character.isalnum() for character in text):
            yield np.full(RATE // 10 * len(text.split()), 1000, np.int16).tobytes()


async def speak(engine, *pieces):
    voice = EngineTTS(engine)
    async with voice, voice.stream() as stream:
        for piece in pieces:
            stream.push_text(piece)
        stream.end_input()
        return sum([event.frame.duration async for event in stream])


async def test_each_sentence_is_spoken_by_itself():
    engine = CountingEngine()
    length = await speak(engine, "The cap", "ital is Paris. It is ", "very big. Really!")
    assert [text.strip() for text in engine.said] == ["The capital is Paris.", "It is very big.", "Really!"]
    assert length == pytest.approx(0.9, abs=0.02)


async def test_a_sentence_is_spoken_before_the_text_ends():
    engine = CountingEngine()
    voice = EngineTTS(engine)
    async with voice, voice.stream() as stream:
        stream.push_text("The capital of France is Paris. And the capital ")
        first = await anext(stream)
        assert first.frame.samples_per_channel > 0
        assert [text.strip() for text in engine.said] == ["The capital of France is Paris."]
        stream.end_input()


async def test_the_first_phrase_is_spoken_before_its_sentence_ends():
    engine = CountingEngine()
    voice = EngineTTS(engine)
    async with voice, voice.stream() as stream:
        stream.push_text("I'm doing well, thank you, and ")
        await anext(stream)
        assert engine.said == ["I'm doing well, "]
        stream.push_text("you?")
        stream.end_input()
        assert [text.strip() async for _ in stream for text in engine.said[1:]][-1] == "thank you, and you?"


async def test_a_phrase_that_was_cut_off_for_it_is_spoken_at_once():
    engine = CountingEngine()
    voice = EngineTTS(engine)
    async with voice, voice.stream() as stream:
        stream.push_text("The old man of the sea ")
        await anext(stream)
        assert engine.said == ["The old man of the sea "]
        stream.end_input()


async def test_a_first_sentence_that_is_over_is_spoken_before_the_space_after_it_comes():
    engine = CountingEngine()
    voice = EngineTTS(engine)
    async with voice, voice.stream() as stream:
        stream.push_text("It is Paris.")
        timed = [*(await anext(stream)).frame.userdata[USERDATA_TIMED_TRANSCRIPT]]
        assert engine.said == ["It is Paris."]
        stream.push_text(" I love it.")
        stream.end_input()
        async for event in stream:
            timed += event.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, [])
    assert engine.said[1:] == [" I love it."]
    assert "".join(timed) == "It is Paris. I love it."


async def test_each_piece_comes_with_its_words_and_when_they_are_said():
    voice = EngineTTS(CountingEngine())
    async with voice, voice.stream() as stream:
        stream.push_text("One two. Three four five.")
        stream.end_input()
        timed = [
            (str(words).strip(), words.start_time, words.end_time)
            async for event in stream
            for words in event.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT, [])
        ]
    assert timed == [("One two.", 0.0, 0.2), ("Three four five.", 0.2, pytest.approx(0.5))]


async def test_text_without_words_gives_a_little_silence_instead_of_an_error():
    assert 0 < await speak(CountingEngine(), "... 😀") < 0.1


async def test_a_whole_text_can_be_spoken_at_once():
    voice = EngineTTS(CountingEngine())
    async with voice:
        frame = await voice.synthesize("One two three.").collect()
    assert frame.duration == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("voice", ["jo", "none.onnx"])
def test_an_unknown_voice_is_one_line(voice):
    with pytest.raises(InputError) as caught:
        PiperEngine(PiperOptions(voice=voice))
    assert voice in str(caught.value)


def test_a_damaged_voice_is_one_line(tmp_path):
    (tmp_path / "voice.onnx").write_bytes(b"rubbish")
    (tmp_path / "voice.onnx.json").write_text("{}")
    with pytest.raises(ModelError) as caught:
        PiperEngine(PiperOptions(voice=str(tmp_path / "voice.onnx")))
    assert "a Piper voice" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.model
def test_the_same_seed_gives_the_same_speech():
    spoken = [b"".join(PiperEngine(PiperOptions(), seed).say("Good morning.")) for seed in (1, 1, 2)]
    assert spoken[0] == spoken[1]
    assert spoken[0] != spoken[2]


@pytest.mark.model
def test_speed_and_volume_are_heard(piper):
    slow, fast = (
        np.frombuffer(
            b"".join(PiperEngine(PiperOptions(speed=speed, volume=volume, pause=0)).say("Good morning.")), "<i2"
        )
        for speed, volume in ((0.7, 1.0), (1.5, 0.25))
    )
    assert len(slow) > 1.5 * len(fast)
    assert np.abs(slow.astype(int)).max() > 3 * np.abs(fast.astype(int)).max()
    assert piper.sample_rate == 22_050


@pytest.mark.model
def test_a_phrase_that_breaks_off_ends_without_a_pause(piper):
    open_end, closed = (
        np.frombuffer(b"".join(piper.say(text)), "<i2") for text in ("The largest ocean ", "The largest ocean. ")
    )
    assert np.abs(open_end[-round(0.06 * piper.sample_rate) :].astype(int)).max() > 300
    assert np.abs(closed[-round(0.06 * piper.sample_rate) :].astype(int)).max() < 300
