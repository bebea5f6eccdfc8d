from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import INDEX, neutral
from avatar.training import liveliness

PITCH = INDEX["pitch"]


def nodding(frames, n=400):
    motion = neutral(n)
    for frame in frames:
        motion[frame : frame + 10, PITCH] -= np.radians(4) * np.hanning(10)
    return motion


def test_nods_are_found_where_they_begin_and_nowhere_else():
    motion = nodding([50, 200])
    assert liveliness.nods_at(motion, [49 / 25, 199 / 25, 120 / 25, 300 / 25]).tolist() == [True, True, False, False]


def test_a_head_that_only_sinks_does_not_nod():
    motion = neutral(100)
    motion[:, PITCH] = -np.linspace(0, np.radians(5), 100)
    assert not liveliness.nods_at(motion, [1.0])[0]


def test_control_times_keep_away_from_the_ends_of_phrases():
    wanted = np.ones(500, bool)
    times = liveliness.times_away(wanted, [5.0, 12.0], 30, np.random.default_rng(0))
    assert len(times) == 30
    assert min(abs(time - end) for time in times for end in (5.0, 12.0)) > 1.4


def test_a_head_that_moves_with_loud_speech_follows_it_and_a_steady_one_does_not():
    loud = np.repeat([0.2, 0.8], 50).astype(np.float32)[np.arange(800) % 100]
    motion = neutral(800)
    motion[:, PITCH] = 0.05 * loud * np.sin(np.arange(800) / 2)
    speaking = np.ones(800, bool)
    assert liveliness.head_follows_loudness(motion, loud, speaking) > 0.8
    motion[:, PITCH] = 0.05 * np.sin(np.arange(800) / 2)
    assert abs(liveliness.head_follows_loudness(motion, loud, speaking)) < 0.3


def test_blinks_are_counted_and_their_intervals_compared_with_a_log_normal():
    random = np.random.default_rng(0)
    starts = np.cumsum(random.lognormal(1.0, 0.4, 60) * 25).astype(int)
    motion = neutral(starts[-1] + 50)
    for start in starts:
        motion[start : start + 4, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1
    figures = liveliness.blink_figures(motion)
    assert figures["blinks a minute"] == pytest.approx(60 * 60 / (len(motion) / 25))
    assert figures["spread of log intervals"] == pytest.approx(0.4, abs=0.1)
    assert figures["distance from log-normal"] < 0.15


def test_speeds_are_those_of_a_known_swing():
    motion = neutral(500)
    motion[:, INDEX["yaw"]] = np.radians(5) * np.sin(2 * np.pi * np.arange(500) / 25)
    assert liveliness.speeds(motion)["head speed"] == pytest.approx(5 * 2 * np.pi, rel=0.05)


def test_an_emotion_along_its_recipe_has_direction_one_and_grows_steadily():
    recipe = np.zeros(52)
    recipe[[3, 7]] = 0.6, 0.3
    faces = np.outer([0.3, 0.6, 1.0], recipe).astype(np.float32)
    direction, monotony = liveliness.emotion_figures(faces, np.zeros(52, np.float32), recipe)
    assert direction == pytest.approx(1)
    assert monotony == pytest.approx(1)
    _, falling = liveliness.emotion_figures(faces[::-1] - 1.1 * faces[2], np.zeros(52, np.float32), recipe)
    assert falling < 0
