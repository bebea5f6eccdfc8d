"""A microphone and a speaker, on a real sound server's virtual cables."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.devices import choose, list_devices
from agent.sound import HELD, LEAD, Microphone, PlayBuffer, Speaker
from avatar.errors import InputError
from avatar.types import OUTPUT_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME = 1920


def tone(index: int) -> NDArray[np.float32]:
    at = np.arange(index * FRAME, (index + 1) * FRAME)
    return (0.3 * np.sin(2 * np.pi * 440 * at / OUTPUT_RATE)).astype(np.float32)


def test_sound_comes_out_of_the_buffer_as_it_went_in_after_a_lead():
    buffer = PlayBuffer()
    frames = [tone(index) for index in range(4)]
    for frame in frames[:2]:
        buffer.push(frame)
    first = buffer.due(0)
    for frame in frames[2:]:
        buffer.push(frame)
    taken = np.concatenate([first, buffer.due(LEAD)])
    assert not taken[:LEAD].any()
    assert np.array_equal(taken[LEAD:], np.concatenate(frames))
    assert not len(buffer.due(LEAD))


def test_after_a_gap_the_speaker_gets_its_lead_again():
    buffer = PlayBuffer()
    buffer.push(tone(0))
    assert len(buffer.due(0)) == LEAD + FRAME
    silence = buffer.due(0)
    assert len(silence)
    assert not silence.any()
    buffer.push(tone(1))
    taken = buffer.due(len(silence))
    assert len(taken) == LEAD - len(silence) + FRAME
    assert np.array_equal(taken[-FRAME:], tone(1))


def test_a_late_frame_is_no_gap_while_the_speaker_has_something_to_play():
    buffer = PlayBuffer()
    buffer.push(tone(0))
    buffer.due(0)
    assert not len(buffer.due(LEAD // 2))
    buffer.push(tone(1))
    assert np.array_equal(buffer.due(LEAD // 2), tone(1))


def test_the_buffer_drops_the_oldest_sound_when_too_much_comes():
    buffer = PlayBuffer()
    for index in range(20):
        buffer.push(tone(index))
    held = buffer.due(LEAD)[-HELD // FRAME * FRAME :]
    assert np.array_equal(held, np.concatenate([tone(index) for index in range(15, 20)]))


def test_silence_is_left_out_when_more_than_enough_waits():
    buffer = PlayBuffer()
    for index in range(3):
        buffer.push(tone(index))
    buffer.push(np.zeros(FRAME, np.float32))
    buffer.push(tone(3))
    assert np.array_equal(buffer.due(LEAD)[-4 * FRAME :], np.concatenate([tone(index) for index in range(4)]))


def test_silence_is_left_out_when_the_speaker_has_more_than_enough():
    buffer = PlayBuffer()
    buffer.push(tone(0))
    buffer.due(0)
    for samples in (tone(1), np.zeros(FRAME, np.float32), tone(2)):
        buffer.push(samples)
    assert np.array_equal(buffer.due(3 * LEAD), np.concatenate([tone(1), tone(2)]))


@pytest.mark.sound
def test_devices_are_found_by_part_of_their_names(cables: None):
    assert [device.name for device in list_devices("out")] == ["Meeting", "Cable"]
    assert choose("out", None).server_name == "meeting"
    assert choose("out", "cab").server_name == "cable"
    assert choose("in", "monitor of cable").server_name == "cable.monitor"


@pytest.mark.sound
@pytest.mark.parametrize(("wanted", "line"), [("gramophone", "which none has"), ("e", "which several have")])
def test_a_name_that_fits_none_or_several_is_refused_with_those_there_are(cables: None, wanted: str, line: str):
    with pytest.raises(InputError, match=f"got `{wanted}`, {line}") as refused:
        choose("out", wanted)
    assert "Meeting, Cable" in refused.value.hint


@pytest.mark.sound
async def test_what_the_speaker_plays_into_a_cable_the_microphone_hears(cables: None):
    loop = asyncio.get_running_loop()
    buffer, played, heard, enough = PlayBuffer(), [], [], asyncio.Event()

    def hear(samples: NDArray[np.float32]) -> None:
        heard.append(samples)
        if sum(np.abs(each).max() > 0.2 for each in heard) >= 30:
            loop.call_soon_threadsafe(enough.set)

    frames = count()

    def on_play(samples: NDArray[np.float32]) -> None:
        # Fed by the device's own clock, so that a busy machine makes it slower, not torn.
        played.append(samples)
        while buffer.n_held < HELD // 2:
            buffer.push(tone(next(frames)))

    async with (
        Speaker("cable", buffer, on_play, lambda _: None) as out,
        Microphone("Monitor of Cable", hear, lambda _: None) as ears,
    ):
        assert out.device is not None
        assert ears.device is not None
        assert out.device.name == "Cable"
        await asyncio.wait_for(enough.wait(), 60)
    loud = [each for each in heard if np.abs(each).max() > 0.2][5:25]
    spectrum = np.abs(np.fft.rfft(np.stack(loud) * np.hanning(len(loud[0])), 9600)).mean(axis=0)
    assert abs(np.argmax(spectrum) * OUTPUT_RATE / 9600 - 440) <= 10


@pytest.mark.sound
async def test_a_microphone_that_is_not_there_is_refused_in_one_line(cables: None):
    with pytest.raises(InputError, match="choosing the microphone: expected the name of one device"):
        async with Microphone("gramophone", lambda _: None, lambda _: None):
            pass
