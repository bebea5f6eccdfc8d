from __future__ import annotations

import asyncio

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.types import TimedString

from agent.output import AvatarOutput, CaptionOutput
from agent.playout import PacedSink
from tests.fakes import ManualClock

RATE = 24_000
FRAME = RATE // 25


def speech(n_frames):
    data = np.full(n_frames * FRAME, 8192, np.int16)
    return rtc.AudioFrame(data.tobytes(), RATE, 1, len(data))


@pytest.fixture
async def output():
    words = []
    output = AvatarOutput(PacedSink(), CaptionOutput(words.append, ManualClock()))
    output.words = words
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


async def test_a_voice_that_is_held_back_goes_on_from_the_same_sample(output):
    await output.capture_frame(speech(3))
    output.flush()
    await play(output, 1)
    output.hush()
    output.hush()
    await play(output, 5)
    assert output.events == ["started"]
    output.unhush()
    await play(output, 2)
    assert output.events == ["started", (0.12, False)]


async def test_a_voice_that_is_held_back_for_two_reasons_waits_for_both(output):
    await output.capture_frame(speech(2))
    output.flush()
    await play(output, 1)
    output.hush()
    output.pause()
    output.unhush()
    await play(output, 3)
    assert output.events == ["started"]
    output.resume()
    await play(output, 1)
    assert output.events == ["started", (0.08, False)]


async def test_who_hums_along_breaks_a_reply_up_only_a_few_times(output):
    await output.capture_frame(speech(6))
    output.flush()
    await play(output, 1)
    for _ in range(3):
        output.hush()
        assert output._sink._paused
        output.unhush()
    output.hush()
    assert not output._sink._paused
    await play(output, 5)
    await output.capture_frame(speech(2))
    output.flush()
    await play(output, 1)
    output.hush()
    assert output._sink._paused


async def test_silence_is_not_held_back_and_an_interruption_ends_it(output):
    output.hush()
    assert not output._sink._paused
    await output.capture_frame(speech(4))
    output.flush()
    await play(output, 1)
    output.hush()
    output.clear_buffer()
    await output.capture_frame(speech(1))
    output.flush()
    await play(output, 2)
    assert output.events[-1] == (0.04, False)


async def test_an_interrupted_reply_holds_the_words_up_to_the_last_sound_that_was_heard(output):
    transcripts = []
    output.on("playback_finished", lambda event: transcripts.append(event.synchronized_transcript))
    await output._captions.capture_text(TimedString("One two ", start_time=0.0, end_time=0.4))
    await output._captions.capture_text(TimedString("three four.", start_time=0.4, end_time=1.2))
    await output.capture_frame(speech(30))
    output.flush()
    await play(output, 20)
    output.clear_buffer()
    await play(output, 1)
    assert transcripts == ["One two three "]
    assert output.words == ["One two three "]


async def test_a_reply_that_was_heard_whole_holds_all_its_words(output):
    transcripts = []
    output.on("playback_finished", lambda event: transcripts.append(event.synchronized_transcript))
    await output._captions.capture_text("A text whose times nobody knows.")
    await output.capture_frame(speech(2))
    output.flush()
    await play(output, 3)
    assert transcripts == output.words == ["A text whose times nobody knows."]


async def test_words_of_a_reply_that_was_never_heard_are_forgotten(output):
    await output._captions.capture_text("Never mind. ")
    output.clear_buffer()
    await output._captions.capture_text("Hello.")
    await output.capture_frame(speech(1))
    output.flush()
    await play(output, 2)
    assert output.words == ["Hello."]


async def test_the_loudest_of_what_may_echo_counts_however_long_the_frames_are(output):
    sound = np.repeat(np.array([8192, 100], np.int16), [FRAME, 9 * FRAME])
    await output.capture_frame(rtc.AudioFrame(sound.tobytes(), RATE, 1, len(sound)))
    await play(output, 1)
    assert output.loudness == pytest.approx(0.25)


async def test_what_may_echo_is_known_until_it_has_died_away(output):
    assert not output.speaking
    assert output.loudness == 0
    await output.capture_frame(speech(10))
    await play(output, 1)
    assert output.speaking
    assert output.loudness == pytest.approx(0.25)
    clock = output._captions._clock
    clock.advance(0.4)
    output.clear_buffer()
    await play(output, 1)
    assert not output.speaking
    assert output.loudness == pytest.approx(0.25)
    clock.advance(0.7)
    assert output.loudness == 0


async def test_captions_follow_the_voice_and_wait_while_it_pauses():
    words, clock = [], ManualClock()
    captions = CaptionOutput(words.append, clock)
    for start, text in enumerate(("One ", "two ", "three ", "four.")):
        await captions.capture_text(TimedString(text, start_time=start, end_time=start + 1.0))
    captions.flush()
    captions.begin()

    async def wait(seconds):
        for _ in range(round(seconds * 20)):
            clock.advance(0.05)
            for _ in range(5):
                await asyncio.sleep(0)

    await wait(2.1)
    assert words == ["One ", "two "]
    captions.playhead.pause()
    await wait(3.0)
    assert words == ["One ", "two "]
    captions.playhead.resume()
    await wait(1.1)
    assert words == ["One ", "two ", "three "]
    assert captions.finish(None) == "One two three four."
    assert words == ["One ", "two ", "three ", "four."]
    await captions.aclose()
