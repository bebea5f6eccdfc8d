from __future__ import annotations

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.vad import VADEventType

from agent.options import SileroOptions, WebRtcOptions
from agent.vad import VoicedVAD, WebRtcVAD, silero_vad
from avatar.types import SPEECH_RATE
from tests.agent.fakes import LoudnessVAD, sound
from tests.fakes import spoken

OPTIONS = WebRtcOptions(min_speech=0.1, min_silence=0.35)


def utterances(*seconds):
    """Returns silence and speech by turns, int16 at 16 kHz."""
    parts = [
        spoken(length) if index % 2 else np.zeros(round(length * SPEECH_RATE), np.float32)
        for index, length in enumerate(seconds)
    ]
    return (np.concatenate(parts) * 32767).astype(np.int16)


async def detect(detector, samples, rate=SPEECH_RATE, step=320):
    stream = detector.stream()
    for start in range(0, len(samples), step):
        piece = samples[start : start + step]
        stream.push_frame(rtc.AudioFrame(piece.tobytes(), rate, 1, len(piece)))
    stream.end_input()
    events = [event async for event in stream]
    await stream.aclose()
    return events


def edges(events):
    return [(event.type, event) for event in events if event.type is not VADEventType.INFERENCE_DONE]


async def test_speech_is_found_between_silences():
    (start_kind, start), (end_kind, end) = edges(await detect(WebRtcVAD(OPTIONS), utterances(1.0, 2.0, 1.5)))
    assert (start_kind, end_kind) == (VADEventType.START_OF_SPEECH, VADEventType.END_OF_SPEECH)
    assert 1.0 <= start.timestamp < 1.4
    assert 3.0 <= end.timestamp - end.silence_duration < 3.35
    assert end.silence_duration == pytest.approx(0.36, abs=0.03)
    assert end.speech_duration == pytest.approx(2.0, abs=0.4)


async def test_silence_and_faint_noise_are_no_speech():
    rng = np.random.default_rng(0)
    noise = (rng.normal(size=5 * SPEECH_RATE) * 30).astype(np.int16)
    assert edges(await detect(WebRtcVAD(OPTIONS), np.zeros(5 * SPEECH_RATE, np.int16))) == []
    assert edges(await detect(WebRtcVAD(OPTIONS), noise)) == []


async def test_a_click_is_no_speech():
    samples = np.zeros(2 * SPEECH_RATE, np.int16)
    samples[16_000:16_200] = np.random.default_rng(0).normal(size=200) * 8000
    assert edges(await detect(WebRtcVAD(OPTIONS), samples)) == []


async def test_the_end_event_holds_the_utterance_with_its_onset():
    samples = utterances(1.0, 2.0, 1.5)
    _, end = edges(await detect(WebRtcVAD(OPTIONS), samples))[-1]
    frame = end.frames[0]
    held = np.frombuffer(frame.data, np.int16)
    assert held.tobytes() in samples.tobytes()
    assert len(held) / SPEECH_RATE == pytest.approx(2.0 + 0.3 + 0.36, abs=0.4)


async def test_any_cutting_of_the_sound_gives_the_same_events():
    samples = utterances(0.5, 1.0, 1.0)
    whole = edges(await detect(WebRtcVAD(OPTIONS), samples, step=len(samples)))
    for step in (1, 7, 333, 1000):
        pieces = samples if step > 1 else samples[: SPEECH_RATE // 2]
        cut = edges(await detect(WebRtcVAD(OPTIONS), pieces, step=step))
        expected = whole if step > 1 else []
        assert [(kind, event.samples_index) for kind, event in cut] == [
            (kind, event.samples_index) for kind, event in expected
        ]


async def test_other_sample_rates_are_taken():
    samples = np.repeat(utterances(0.5, 1.0, 1.0), 3)
    assert [kind for kind, _ in edges(await detect(WebRtcVAD(OPTIONS), samples, rate=48_000, step=960))] == [
        VADEventType.START_OF_SPEECH,
        VADEventType.END_OF_SPEECH,
    ]


async def test_a_flush_begins_anew():
    stream = WebRtcVAD(OPTIONS).stream()
    samples = utterances(0.5, 1.0)
    stream.push_frame(rtc.AudioFrame(samples.tobytes(), SPEECH_RATE, 1, len(samples)))
    stream.flush()
    silence = np.zeros(SPEECH_RATE, np.int16)
    stream.push_frame(rtc.AudioFrame(silence.tobytes(), SPEECH_RATE, 1, len(silence)))
    stream.end_input()
    kinds = [kind for kind, _ in edges([event async for event in stream])]
    await stream.aclose()
    assert kinds == [VADEventType.START_OF_SPEECH]


@pytest.mark.model
async def test_silero_finds_the_spoken_question(say):
    speech = (np.pad(say("What is the capital of France?"), (SPEECH_RATE, SPEECH_RATE)) * 32767).astype(np.int16)
    events = edges(await detect(silero_vad(SileroOptions()), speech))
    assert [kind for kind, _ in events] == [VADEventType.START_OF_SPEECH, VADEventType.END_OF_SPEECH]


def longest(events):
    return max((event.speech_duration for event in events if event.type is VADEventType.INFERENCE_DONE), default=0.0)


async def test_the_silence_after_a_short_sound_is_not_counted_as_speech():
    sound = utterances(0.5, 0.3, 1.0)
    assert longest(await detect(WebRtcVAD(OPTIONS), sound)) > 0.5
    assert 0.2 < longest(await detect(VoicedVAD(WebRtcVAD(OPTIONS)), sound)) < 0.45


async def test_a_voice_that_goes_on_is_counted_in_full():
    sound = utterances(0.5, 1.5)
    plain, voiced = (
        longest(await detect(WebRtcVAD(OPTIONS), sound)),
        longest(await detect(VoicedVAD(WebRtcVAD(OPTIONS)), sound)),
    )
    assert voiced == pytest.approx(plain, abs=0.45)
    assert voiced > 0.9


async def test_a_wrapped_detector_finds_the_same_speech():
    sound = utterances(0.5, 1.0, 1.0)
    detectors = (VoicedVAD(WebRtcVAD(OPTIONS)), WebRtcVAD(OPTIONS))
    wrapped, plain = [edges(await detect(each, sound)) for each in detectors]
    assert [(kind, event.timestamp) for kind, event in wrapped] == [(kind, event.timestamp) for kind, event in plain]


async def test_a_word_is_as_long_as_it_is_though_the_detector_notices_its_end_late():
    samples = sound(0.5, 0.352, 1.0)
    stream = VoicedVAD(LoudnessVAD(lag=0.16)).stream()
    for start in range(0, len(samples), 320):
        piece = samples[start : start + 320]
        stream.push_frame(rtc.AudioFrame(piece.tobytes(), SPEECH_RATE, 1, len(piece)))
    stream.end_input()
    told = [event async for event in stream if event.type is VADEventType.INFERENCE_DONE]
    await stream.aclose()
    assert max(event.speech_duration for event in told) == pytest.approx(0.352, abs=0.033)
