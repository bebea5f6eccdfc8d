"""A microphone and a speaker, on a real sound server's virtual cables."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.devices import choose, list_devices
from agent.sound import HELD, PlayBuffer, microphone, speaker
from avatar.errors import InputError
from avatar.types import OUTPUT_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME = 1920


def tone(index: int) -> NDArray[np.float32]:
    at = np.arange(index * FRAME, (index + 1) * FRAME)
    return (0.3 * np.sin(2 * np.pi * 440 * at / OUTPUT_RATE)).astype(np.float32)


def test_sound_comes_out_of_the_buffer_in_any_blocks_as_it_went_in():
    buffer = PlayBuffer()
    frames = [tone(index) for index in range(4)]
    for frame in frames:
        buffer.push(frame)
    taken = np.concatenate([buffer.take(n) for n in (1, 479, 2000, 3000, 2200)])
    assert np.array_equal(taken, np.concatenate(frames))
    assert not buffer.take(480).any()


def test_after_a_gap_the_buffer_gathers_before_it_plays():
    buffer = PlayBuffer()
    buffer.push(tone(0))
    assert not buffer.take(480).any()
    buffer.push(tone(1))
    assert buffer.take(480)[1:].all()


def test_the_buffer_drops_the_oldest_sound_when_too_much_comes():
    buffer = PlayBuffer()
    for index in range(20):
        buffer.push(tone(index))
    held = np.concatenate([buffer.take(FRAME) for _ in range(HELD // FRAME)])
    assert np.array_equal(held, np.concatenate([tone(index) for index in range(15, 20)]))


def test_silence_is_left_out_when_there_is_more_than_enough():
    buffer = PlayBuffer()
    for index in range(3):
        buffer.push(tone(index))
    buffer.push(np.zeros(FRAME, np.float32))
    buffer.push(tone(3))
    taken = np.concatenate([buffer.take(FRAME) for _ in range(4)])
    assert np.array_equal(taken, np.concatenate([tone(index) for index in range(4)]))


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
        speaker("cable", buffer, on_play, lambda _: None) as out,
        microphone("Monitor of Cable", hear, lambda _: None) as ears,
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
        async with microphone("gramophone", lambda _: None, lambda _: None):
            pass
