from __future__ import annotations

from dataclasses import fields

from agent.latency import STAGES, LatencyReport, TurnTimer


class Watch:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


def at(watch, timer, moment, stage):
    watch.time = moment
    timer.mark(stage)


def test_stages_are_measured_from_the_end_of_speech():
    watch = Watch()
    timer = TurnTimer(watch)
    timer.user_started()
    watch.time = 103.4
    timer.user_stopped(103.0)
    at(watch, timer, 103.5, "transcript_final")
    at(watch, timer, 103.6, "turn_end")
    watch.time = 104.0
    report = timer.finish()
    assert report == LatencyReport(vad_end=0.4, transcript_final=0.5, turn_end=0.6, audible=1.0)


def test_an_answer_that_is_begun_again_counts_from_the_second_time():
    watch = Watch()
    timer = TurnTimer(watch)
    timer.answer_begins()
    at(watch, timer, 101.0, "llm_first_token")
    timer.answer_begins()
    at(watch, timer, 102.0, "llm_first_token")
    at(watch, timer, 102.5, "llm_first_token")
    timer.user_stopped(101.0)
    report = timer.finish()
    assert report is not None
    assert report.llm_first_token == 1.0


def test_speech_that_nobody_asked_for_has_no_latency():
    assert TurnTimer(Watch()).finish() is None


def test_a_turn_is_reported_once():
    timer = TurnTimer(Watch())
    timer.user_stopped(99.0)
    assert timer.finish()
    assert timer.finish() is None


def test_rows_come_in_order_of_time_and_leave_out_what_is_unknown():
    report = LatencyReport(vad_end=0.4, llm_first_token=0.3, audible=0.9)
    assert [seconds for _, seconds in report.rows()] == [0.3, 0.4, 0.9]


def test_every_stage_has_a_name():
    assert set(STAGES) == {field.name for field in fields(LatencyReport)}
