from __future__ import annotations

import numpy as np
import pytest

from agent.playout import PacedSink
from avatar.types import AudioChunk, Cue, Gesture

RATE = 22_050
FRAME = RATE // 25


class Listener:
    def __init__(self):
        self.reports = []

    def started(self, segment_id):
        self.reports.append(segment_id)

    def finished(self, playout):
        self.reports.append((playout.segment_id, playout.position, playout.interrupted))


@pytest.fixture
def sink():
    sink = PacedSink()
    sink.listener = Listener()
    return sink


def speech(n_frames, value=0.5):
    return AudioChunk(np.full(round(n_frames * FRAME), value, np.float32), RATE)


def play(sink, n_frames):
    for _ in range(n_frames):
        sink.step()


def test_speech_is_heard_at_the_pace_of_frames(sink):
    sink.push_audio(speech(3), "a")
    play(sink, 2)
    assert [frame.index for frame in sink.heard] == [0, 1]
    assert sink.busy


def test_a_segment_is_reported_when_it_starts_and_when_it_was_heard_to_its_end(sink):
    play(sink, 5)
    sink.push_audio(speech(2.5), "a")
    sink.end_segment("a")
    play(sink, 3)
    assert sink.heard[0].index == 5
    assert sink.listener.reports == ["a", ("a", 4800, False)]
    assert not sink.busy


def test_an_interruption_reports_what_was_heard_and_fades_the_rest(sink):
    sink.push_audio(speech(10), "a")
    play(sink, 4)
    playout = sink.interrupt()
    assert (playout.position, playout.interrupted) == (4 * 1920, True)
    play(sink, 3)
    assert len(sink.heard) == 4
    assert sink.heard[-1].samples[0] == 0.5
    assert sink.heard[-1].samples[-1] == 0


def test_paused_speech_goes_on_from_the_same_sample(sink):
    ramp = np.arange(4 * FRAME, dtype=np.float32) / 10_000
    sink.push_audio(AudioChunk(ramp, RATE), "a")
    sink.end_segment("a")
    play(sink, 1)
    sink.pause()
    play(sink, 5)
    sink.resume()
    play(sink, 3)
    assert [frame.index for frame in sink.heard] == [0, 6, 7, 8]
    np.testing.assert_array_equal(np.concatenate([frame.samples for frame in sink.heard[1:]]), ramp[FRAME:])
    assert sink.listener.reports[-1] == ("a", 4 * 1920, False)


def test_starved_speech_waits_for_more(sink):
    sink.push_audio(speech(1), "a")
    play(sink, 3)
    sink.push_audio(speech(1), "a")
    sink.end_segment("a")
    play(sink, 1)
    assert [frame.index for frame in sink.heard] == [0, 3]


def test_segments_follow_each_other(sink):
    sink.push_audio(speech(1), "a")
    sink.end_segment("a")
    sink.push_audio(speech(1), "b")
    sink.end_segment("b")
    play(sink, 2)
    assert [frame.segment_id for frame in sink.heard] == ["a", "b"]
    assert sink.listener.reports == ["a", ("a", 1920, False), "b", ("b", 1920, False)]


def test_an_interruption_drops_every_segment(sink):
    sink.push_audio(speech(2), "a")
    sink.end_segment("a")
    sink.push_audio(speech(2), "b")
    play(sink, 1)
    sink.interrupt()
    assert sink.listener.reports == ["a", ("a", 1920, True), ("b", 0, True)]


def test_a_segment_without_sound_is_reported_as_heard(sink):
    sink.end_segment("a")
    play(sink, 1)
    assert sink.listener.reports == [("a", 0, False)]
    assert sink.interrupt() is None


def test_cues_are_heard_in_the_frame_of_their_sample():
    nod = Cue(gesture=Gesture.NOD)
    sink = PacedSink()
    samples = np.zeros(16_000, np.float32)
    sink.push_audio(AudioChunk(samples, 16_000, cues=((100, nod), (1300, nod))), "reply")
    sink.push_audio(AudioChunk(samples, 16_000, cues=((5, nod),)), "reply")
    for _ in range(30):
        sink.step()
    found = [(frame.index, sample) for frame in sink.heard for sample, _ in frame.cues]
    assert found == [(0, 100), (2, 20), (25, 5)]
