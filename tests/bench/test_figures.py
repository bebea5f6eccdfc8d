from __future__ import annotations

import json

import pytest

from agent.bench.figures import Figures, percentile


def test_a_table_names_the_goals_and_whether_they_are_met():
    figures = Figures(
        "A machine",
        answer=[0.7, 0.8, 0.9],
        stages={"turn_end": [0.5], "vad_end": [0.3]},
        first_picture=[0.2],
        av_skew=[-0.01, 0.02],
        n_frames=1000,
        n_late=5,
        memory_mb=2000.0,
    )
    lines = list(figures.lines())
    assert lines[0] == "A machine"
    assert "silence noticed" in lines[2]
    assert "turn over" in lines[3]
    assert next(line for line in lines if "audible" in line).endswith("0.9 / 1.3: met, 3 times")
    assert "missed" in next(line for line in lines if "first picture" in line)
    assert "-" in next(line for line in lines if "barge-in -> silence" in line)
    assert "met, 2 flashes" in next(line for line in lines if "skew" in line)
    assert "0.50%  goal 0.01: met" in next(line for line in lines if "late" in line)
    assert "missed" in next(line for line in lines if "memory" in line)
    assert not any("without an answer" in line for line in lines)


def test_turns_without_an_answer_are_told():
    assert "2" in list(Figures("", n_unanswered=2).lines())[-1]


def test_the_figures_are_json():
    figures = Figures("A machine", answer=[0.5, 0.7], stages={"vad_end": [0.3]}, backchannel_break=[0.4])
    read = json.loads(json.dumps(figures.as_json()))
    assert read["seconds"]["answer"] == {"n": 2, "p50": 0.6, "p95": 0.69, "p99": 0.698, "values": [0.5, 0.7]}
    assert read["seconds"]["stage.vad_end"]["n"] == 1
    assert read["seconds"]["backchannel_break"]["p50"] == 0.4
    assert read["seconds"]["av_skew"] == {"n": 0, "values": []}


def test_a_percentile_of_nothing_is_not_a_number():
    assert percentile([1.0, 3.0], 50) == pytest.approx(2.0)
    assert percentile([], 50) != percentile([], 50)
