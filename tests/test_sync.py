from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.errors import InputError
from avatar.sync import OUTPUT_SAMPLES, SampleBuffer, SpeechTrack, UserTrack
from avatar.types import Playout
from tests.fakes import chunk, voice


def speech_track(seconds: float, *, start_frames: int = 9, ended: bool = True) -> SpeechTrack:
    track = SpeechTrack(start_frames)
    track.push(chunk(voice(seconds)), "reply")
    if ended:
        track.end_segment("reply")
    return track


def extend(track: SpeechTrack, n_frames: int) -> None:
    for _ in range(n_frames):
        track.extend()


def heard(track: SpeechTrack, first: int = 0) -> np.ndarray:
    return np.concatenate([track[index].output for index in range(first, track.end)])


@given(st.lists(st.integers(0, 5000), max_size=8), st.lists(st.integers(0, 40_000), max_size=4))
def test_a_buffer_reads_what_was_appended_and_zero_elsewhere(lengths: list[int], forgotten: list[int]) -> None:
    buffer = SampleBuffer()
    whole = np.arange(1, sum(lengths) + 1, dtype=np.float32)
    for end, length in zip(np.cumsum(lengths), lengths, strict=True):
        buffer.append(whole[end - length : end])
    lowest = max((before for before in forgotten if before < len(whole)), default=0)
    for before in forgotten:
        if before < len(whole):
            buffer.forget(before)
    expected = np.concatenate([whole[lowest:], np.zeros(100, np.float32)])
    np.testing.assert_array_equal(buffer.read(lowest, len(expected)), expected)


def test_a_buffer_that_is_always_read_and_forgotten_stays_small() -> None:
    buffer = SampleBuffer()
    for end in range(0, 10_000_000, 48_000):
        buffer.append(np.ones(48_000, np.float32))
        buffer.forget(end)
    assert len(buffer._data) <= 8 * 48_000


def test_every_sample_is_heard_once_in_its_frame() -> None:
    track = speech_track(1.01)
    extend(track, 30)
    expected = np.zeros(30 * OUTPUT_SAMPLES, np.float32)
    expected[: round(1.01 * 48_000)] = voice(1.01)
    np.testing.assert_array_equal(heard(track), expected)
    assert [track[i].finished != () for i in range(30)] == [i == 25 for i in range(30)]
    assert track[25].finished[0].playout() == Playout("reply", round(1.01 * 48_000), interrupted=False)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 24_000, 44_100])
def test_a_click_keeps_its_place_whatever_its_rate(rate: int) -> None:
    track = SpeechTrack(9)
    samples = np.zeros(2 * rate, np.float32)
    samples[rate + rate // 2] = 1.0
    track.push(chunk(samples, rate), "")
    track.end_segment("")
    extend(track, 50)
    assert int(np.argmax(np.abs(heard(track)))) == 72_000
    assert int(np.argmax(np.abs(track.speech(0, 50)))) == 24_000


def test_a_segment_waits_until_enough_of_it_has_arrived() -> None:
    track = speech_track(8 / 25, ended=False)
    extend(track, 3)
    assert not np.any(heard(track))
    track.push(chunk(voice(3 / 25, seed=1)), "reply")  # the resampler holds back up to 50 ms
    extend(track, 1)
    assert track[3].segment is not None


def test_a_starved_segment_goes_on_without_losing_a_sample() -> None:
    samples = voice(1.0)
    track = SpeechTrack(9)
    track.push(chunk(samples[:24_000]), "")
    extend(track, 15)
    sounding = [track[i].segment is not None for i in range(15)]
    n_heard = sum(sounding)
    assert sounding == [True] * n_heard + [False] * (15 - n_heard)
    assert n_heard >= 9
    assert all(track[i].speaking for i in range(15))
    track.push(chunk(samples[24_000:]), "")
    extend(track, 25 - n_heard - 2)
    np.testing.assert_array_equal(heard(track, 15), samples[n_heard * OUTPUT_SAMPLES :][: (23 - n_heard) * 1920])


def test_segments_follow_each_other_at_whole_frames() -> None:
    track = speech_track(0.5)
    track.push(chunk(voice(0.5, seed=1)), "second")
    track.end_segment("second")
    extend(track, 30)
    np.testing.assert_array_equal(heard(track)[13 * OUTPUT_SAMPLES :][:24_000], voice(0.5, seed=1))
    assert track[12].finished[0].segment_id == "reply"
    assert track[25].finished[0].segment_id == "second"


def test_a_segment_without_sound_finishes_at_once() -> None:
    track = SpeechTrack(9)
    track.end_segment("empty")
    track.extend()
    assert [segment.playout() for segment in track[0].finished] == [Playout("empty", 0, interrupted=False)]
    assert track.upcoming() == (0, True)


def test_the_models_hear_ahead_what_will_be_said_next() -> None:
    track = SpeechTrack(9)
    samples = voice(2.0, 16_000)
    track.push(chunk(samples[:16_000], 16_000), "")
    track.end_segment("")
    track.push(chunk(samples[16_000:], 16_000), "")
    track.end_segment("")
    extend(track, 20)
    np.testing.assert_array_equal(track.peek(12), samples[20 * 640 : 32 * 640])
    np.testing.assert_array_equal(track.speech(10, 10), samples[10 * 640 : 20 * 640])


def test_an_interruption_fades_within_20_ms_and_reports_what_was_heard() -> None:
    track = speech_track(2.0)
    extend(track, 20)
    assert track.interrupt(13) == [Playout("reply", 13 * OUTPUT_SAMPLES, interrupted=True)]
    assert track.end == 14
    fading = track[13].output
    original = voice(2.0)[13 * OUTPUT_SAMPLES :][:OUTPUT_SAMPLES]
    assert not np.any(fading[960:])
    assert np.all(np.abs(fading) <= np.abs(original))
    np.testing.assert_allclose(fading[:10], original[:10], rtol=1e-2)
    extend(track, 5)
    assert not np.any(heard(track, 14))


def test_interrupting_twice_keeps_the_fade_and_reports_once() -> None:
    track = speech_track(2.0)
    extend(track, 20)
    track.interrupt(13)
    fading = track[13].output
    assert track.interrupt(13) == []
    assert track[13].output is fading


def test_an_interruption_before_anything_was_heard_leaves_no_sound() -> None:
    track = speech_track(2.0)
    assert track.interrupt(0) == [Playout("reply", 0, interrupted=True)]
    extend(track, 3)
    assert not np.any(heard(track))


def test_an_interruption_drops_what_waits_and_names_it() -> None:
    track = speech_track(0.5)
    track.push(chunk(voice(0.5)), "second")
    extend(track, 5)
    assert [playout.position for playout in track.interrupt(5)] == [5 * OUTPUT_SAMPLES, 0]


def test_paused_speech_goes_on_at_the_same_sample() -> None:
    track = speech_track(2.0)
    extend(track, 30)
    track.pause(20)
    extend(track, 10)
    assert not np.any(heard(track, 21))
    track.resume()
    resumed = track.end
    extend(track, 40)
    original = voice(2.0)[20 * OUTPUT_SAMPLES :]
    played = heard(track, resumed)[: len(original)]
    np.testing.assert_array_equal(played[960:], original[960:])
    assert np.all(np.abs(played[:960]) <= np.abs(original[:960]))


def test_pausing_and_resuming_before_the_next_frame_changes_nothing() -> None:
    track = speech_track(2.0)
    extend(track, 30)
    track.pause(20)
    track.resume()
    track.pause(20)
    track.interrupt(20)
    assert track[20].position == 20 * OUTPUT_SAMPLES
    assert track.end == 21


def test_an_interruption_while_paused_reports_the_paused_position() -> None:
    track = speech_track(2.0)
    extend(track, 30)
    track.pause(20)
    extend(track, 10)
    assert track.interrupt(30) == [Playout("reply", 20 * OUTPUT_SAMPLES, interrupted=True)]
    assert track.upcoming() == (0, True)


def test_a_finished_segment_taken_back_by_a_pause_finishes_again() -> None:
    track = speech_track(1.0)
    track.end_segment("empty")
    extend(track, 30)
    track.pause(20)
    track.resume()
    extend(track, 10)
    finished = [segment.segment_id for index in range(track.end) for segment in track[index].finished]
    assert finished == ["reply", "empty"]


def test_planned_silence_gives_way_to_speech() -> None:
    track = SpeechTrack(9)
    extend(track, 4)
    assert not track.drop_silence(1)
    track.push(chunk(voice(1.0)), "")
    assert track.drop_silence(1)
    assert track.end == 1


def test_a_changed_sample_rate_is_refused() -> None:
    track = speech_track(1.0, ended=False)
    with pytest.raises(InputError, match="48000 Hz as before, got 16000 Hz"):
        track.push(chunk(voice(0.1, 16_000), 16_000), "reply")


def test_the_users_sound_lies_where_it_was_heard() -> None:
    track = UserTrack(None)
    samples = voice(1.0, 16_000)
    track.push(chunk(samples, 16_000), now=3)
    track.push(chunk(samples, 16_000), now=3)
    np.testing.assert_array_equal(track.read(3, 50), np.concatenate([samples, samples]))
    track.push(chunk(samples, 16_000), now=100)
    np.testing.assert_array_equal(track.read(100, 25), samples)
    assert not np.any(track.read(60, 40))


def test_a_microphone_that_runs_ahead_is_laid_at_the_present_again() -> None:
    track = UserTrack(12)
    samples = voice(0.4, 16_000)
    track.push(chunk(samples, 16_000), now=0)
    track.push(chunk(samples, 16_000), now=0)
    np.testing.assert_array_equal(track.read(0, 20), np.concatenate([samples, samples]))
    track.push(chunk(samples, 16_000), now=2)
    np.testing.assert_array_equal(track.read(2, 10), samples)


def test_a_long_silence_of_the_user_costs_no_memory() -> None:
    track = UserTrack(12)
    track.push(chunk(voice(0.4, 16_000), 16_000), now=0)
    track.forget(1_000_000)
    track.push(chunk(voice(0.4, 16_000), 16_000), now=1_000_010)
    assert len(track._buffer._data) < 100_000
    assert np.any(track.read(1_000_010, 10))
