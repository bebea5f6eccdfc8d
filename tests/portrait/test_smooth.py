from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait.smooth import noise_of, smooth


def test_noise_is_told_from_movement(rng):
    slow = np.sin(np.arange(400) / 15)
    series = np.stack([slow + rng.normal(0, 0.02, 400), rng.normal(0, 0.05, 400)], axis=1)
    assert noise_of(series) == pytest.approx([0.02, 0.05], rel=0.25)


def test_jitter_shrinks_and_a_blink_keeps_its_height_and_time(rng):
    clean = np.zeros(120)
    clean[60:63] = [0.6, 1.0, 0.5]
    noisy = clean + rng.normal(0, 0.02, 120)
    result = smooth(noisy[:, None], np.ones(120, bool), np.array([0.02]))[:, 0]
    assert result[:50].std() < 0.7 * noisy[:50].std()
    assert result[61] == pytest.approx(1.0, abs=0.06)
    assert result.argmax() == 61
    assert abs(result[57:60]).max() < 0.08


def test_frames_without_a_face_neither_change_nor_count():
    values = np.zeros((9, 1))
    values[4] = 0.02
    present = np.ones(9, bool)
    present[4] = False
    result = smooth(values, present, np.array([0.02]))
    assert result[4] == 0.02
    assert (result[present] == 0).all()


def test_one_frame_alone_stays_as_it_is():
    assert smooth(np.array([[0.4]]), np.array([True]), noise_of(np.array([[0.4]])))[0, 0] == pytest.approx(0.4)
