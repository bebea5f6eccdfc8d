from __future__ import annotations

import asyncio

import numpy as np
import pytest
from livekit import rtc

from agent.output import AvatarOutput, CaptionOutput
from agent.playout import PacedSink

RATE = 24_000
FRAME = RATE // 25


def speech(n_frames):
    data = np.full(n_frames * FRAME, 8192, np.int16)
    return rtc.AudioFrame(data.tobytes(), RATE, 1, len(data))


@pytest.fixture
async def output():
    output = AvatarOutput(PacedSink())
    output.events = []
    output.on("playback_started", lambda _: output.events.append("started"))
    output.on(
        "playback_finished", lambda event: output.events.append((round(event.playback_position, 3), event.interrupted))
    )
    return output


async def play(output, n_frames):
    for _ in range(n_frames):
        output._sink.step()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_reply_is_reported_from_its_first_to_its_last_sound(output):
    await output.capture_frame(speech(2))
    await output.capture_frame(speech(1))
    output.flush()
    await play(output, 1)
    assert output.events == ["started"]
    await play(output, 2)
    assert output.events == ["started", (0.12, False)]
    assert (await output.wait_for_playout()).playback_position == pytest.approx(0.12)


async def test_sound_keeps_its_loudness(output):
    await output.capture_frame(speech(1))
    await play(output, 1)
    np.testing.assert_allclose(output._sink.heard[0].samples, 0.25)


async def test_an_interruption_reports_the_exact_position(output):
    await output.capture_frame(speech(10))
    await play(output, 4)
    output.clear_buffer()
    output.flush()
    await play(output, 1)
    assert output.events == ["started", (0.16, True)]


async def test_what_still_comes_after_an_interruption_is_dropped(output):
    await output.capture_frame(speech(10))
    await play(output, 1)
    output.clear_buffer()
    await output.capture_frame(speech(10))
    output.flush()
    await play(output, 5)
    assert len(output._sink.heard) == 1
    assert output.events == ["started", (0.04, True)]


async def test_the_next_reply_is_heard_after_an_interruption(output):
    await output.capture_frame(speech(10))
    await play(output, 1)
    output.flush()
    output.clear_buffer()
    await output.capture_frame(speech(2))
    output.flush()
    await play(output, 3)
    assert output.events == ["started", (0.04, True), "started", (0.08, False)]


async def test_it_can_pause_and_resume(output):
    assert output.can_pause
    await output.capture_frame(speech(2))
    output.flush()
    await play(output, 1)
    output.pause()
    await play(output, 5)
    assert output.events == ["started"]
    output.resume()
    await play(output, 1)
    assert output.events == ["started", (0.08, False)]


async def test_captions_are_the_words_that_are_heard():
    words = []
    captions = CaptionOutput(words.append)
    await captions.capture_text("Hello")
    captions.flush()
    assert words == ["Hello"]
