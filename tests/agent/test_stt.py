from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.stt import SpeechEventType

from agent.options import WhisperOptions
from agent.stt import WhisperSTT
from avatar.types import SPEECH_RATE
from tests.agent.fakes import CountingRecogniser, LoudnessVAD, sound

KINDS = {
    SpeechEventType.START_OF_SPEECH: "start",
    SpeechEventType.INTERIM_TRANSCRIPT: "interim",
    SpeechEventType.PREFLIGHT_TRANSCRIPT: "stable",
    SpeechEventType.FINAL_TRANSCRIPT: "final",
    SpeechEventType.END_OF_SPEECH: "end",
}


@pytest.fixture
def recogniser():
    return CountingRecogniser()


@pytest.fixture
async def whisper(recogniser):
    whisper = WhisperSTT(recogniser, LoudnessVAD(), WhisperOptions(refresh=0.5, pause=0.12))
    yield whisper
    await whisper.aclose()


async def hear(whisper, samples, rate=SPEECH_RATE):
    """Plays sound piece by piece and lets the stream work off each; returns kinds and texts of its events."""
    events = []
    async with whisper.stream() as stream:

        async def listen():
            async for event in stream:
                if event.type in KINDS:
                    text = event.alternatives[0].text if event.alternatives else ""
                    events.append((KINDS[event.type], text))

        listening = asyncio.create_task(listen())
        step = rate // 50
        for start in range(0, len(samples), step):
            piece = samples[start : start + step]
            stream.push_frame(rtc.AudioFrame(piece.tobytes(), rate, 1, len(piece)))
            for _ in range(20):
                await asyncio.sleep(0)
            if stream._running:
                await stream._running
        stream.end_input()
        await listening
    return events


async def test_words_come_while_the_user_speaks_and_once_more_at_the_end(whisper):
    events = await hear(whisper, sound(0.5, 2.0, 1.0))
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "start"
    assert kinds[-2:] == ["final", "end"]
    assert kinds.count("interim") >= 2
    assert dict(events)["final"] == "2.0 seconds"


async def test_the_final_transcript_costs_nothing_when_no_speech_followed(whisper, recogniser):
    events = await hear(whisper, sound(0.5, 1.5, 1.0))
    assert ("stable", "1.5 seconds") in events
    assert events.index(("stable", "1.5 seconds")) < events.index(("final", "1.5 seconds"))
    whole = [samples for samples in recogniser.heard if np.count_nonzero(np.abs(samples) > 0.01) > 1.4 * SPEECH_RATE]
    assert len(whole) == 1


async def test_the_end_is_heard_before_a_detector_that_lags_notices_it(recogniser):
    whisper = WhisperSTT(recogniser, LoudnessVAD(lag=0.16), WhisperOptions(refresh=0.5, pause=0.12))
    async with whisper:
        events = await hear(whisper, sound(0.5, 1.0, 1.0))
    assert ("stable", "1.0 seconds") in events
    after = len(recogniser.heard[-1]) - np.flatnonzero(np.abs(recogniser.heard[-1]) > 0.01)[-1]
    assert 0.12 * SPEECH_RATE <= after <= 0.2 * SPEECH_RATE
    assert len([samples for samples in recogniser.heard if np.count_nonzero(samples) >= SPEECH_RATE]) == 1


async def test_in_noise_the_detector_knows_where_speech_ends(whisper, recogniser):
    noise = np.random.default_rng(0).integers(-800, 800, round(2.5 * SPEECH_RATE))
    events = await hear(whisper, (sound(0.5, 1.0, 1.0) + noise).astype(np.int16))
    assert [kind for kind, _ in events if kind in {"stable", "final"}] == ["stable", "final"]


async def test_soft_words_after_a_bang_are_not_lost(recogniser):
    whisper = WhisperSTT(recogniser, LoudnessVAD(threshold=300), WhisperOptions(refresh=0.5, pause=0.12))
    samples = sound(0.5, 2.0, 1.0) // 16
    samples[8000:8400] = 32_000
    async with whisper:
        events = await hear(whisper, samples)
    assert dict(events)["final"] == "2.0 seconds"


async def test_what_is_read_between_two_words_is_the_last_if_the_user_stops_there(whisper, recogniser):
    events = await hear(whisper, sound(0.5, 0.8, 1.0))
    assert [kind for kind, _ in events][-3:] == ["stable", "final", "end"]
    assert len(recogniser.heard) == 1
    assert len(recogniser.heard[0]) < (0.3 + 0.8 + 0.1) * SPEECH_RATE


async def test_a_transcript_is_not_stable_when_the_user_goes_on(whisper):
    events = await hear(whisper, sound(0.5, 1.0, 0.2, 1.0, 1.0))
    stable = [text for kind, text in events if kind == "stable"]
    assert stable == ["1.0 seconds", "2.0 seconds"]
    assert [text for kind, text in events if kind == "final"] == ["2.0 seconds"]


async def test_two_utterances_are_two_finals_without_each_others_sound(whisper):
    events = await hear(whisper, sound(0.5, 1.0, 1.5, 0.7, 1.0))
    assert [text for kind, text in events if kind == "final"] == ["1.0 seconds", "0.7 seconds"]


async def test_the_onset_before_the_detector_noticed_belongs_to_the_utterance(whisper, recogniser):
    await hear(whisper, sound(1.0, 1.0, 1.0))
    first_loud = np.flatnonzero(np.abs(recogniser.heard[-1]) > 0.01)[0]
    assert 0.2 * SPEECH_RATE < first_loud < 0.4 * SPEECH_RATE


async def test_silence_gives_no_words(whisper, recogniser):
    assert await hear(whisper, sound(2.0)) == []
    assert recogniser.heard == []


async def test_speech_that_the_input_cuts_off_is_still_written_down(whisper):
    events = await hear(whisper, sound(0.5, 1.0))
    assert events[-1] == ("final", "1.0 seconds")


async def test_a_very_long_utterance_is_written_down_in_pieces(whisper, recogniser):
    events = await hear(whisper, sound(0.5, 40.0, 1.0))
    finals = [float(text.split()[0]) for kind, text in events if kind == "final"]
    assert len(finals) == 2
    assert sum(finals) == pytest.approx(40.0, abs=0.5)
    assert max(len(samples) for samples in recogniser.heard) <= 28 * SPEECH_RATE


async def test_other_sample_rates_are_taken(whisper):
    samples = np.repeat(sound(0.5, 1.0, 1.0), 3)
    events = await hear(whisper, samples, rate=48_000)
    assert [text for kind, text in events if kind == "final"] == ["1.0 seconds"]


async def test_whole_recordings_are_recognised_too(whisper):
    samples = sound(0.2, 1.0)
    event = await whisper.recognize(rtc.AudioFrame(samples.tobytes(), SPEECH_RATE, 1, len(samples)))
    assert event.alternatives[0].text == "1.0 seconds"


async def test_a_recogniser_that_fails_ends_the_stream_with_its_error(whisper, recogniser, monkeypatch):
    def fail(_samples):
        raise MemoryError("no memory")

    monkeypatch.setattr(recogniser, "recognise", fail)
    with pytest.raises((MemoryError, ExceptionGroup)):
        await hear(whisper, sound(0.5, 1.0, 1.0))


async def test_partial_transcripts_that_take_long_come_less_often():
    class Slow(CountingRecogniser):
        """Takes as long as the test wants for the first transcript."""

        def __init__(self) -> None:
            super().__init__()
            self.done = threading.Event()

        def recognise(self, samples):
            if not self.heard:
                assert self.done.wait(20)
            return super().recognise(samples)

    slow = Slow()
    whisper = WhisperSTT(slow, LoudnessVAD(), WhisperOptions(refresh=0.5, pause=0.12))
    samples = sound(0.2, 4.0, 0.6)
    async with whisper, whisper.stream() as stream:
        for start in range(0, len(samples), 320):
            piece = samples[start : start + 320]
            stream.push_frame(rtc.AudioFrame(piece.tobytes(), SPEECH_RATE, 1, len(piece)))
            for _ in range(20):
                await asyncio.sleep(0)
            if start >= 2 * SPEECH_RATE:
                slow.done.set()
            if stream._running and slow.done.is_set():
                await stream._running
        stream.end_input()
        async for _ in stream:
            pass
    assert len(slow.heard) == 2  # a partial one and the last, where every half second would have made more
