from __future__ import annotations

import numpy as np
import pytest

from avatar.training.corpus.scene import add_pulse, eased, pink_noise, steps


def test_easing_follows_a_step_without_a_jump_and_never_looks_ahead() -> None:
    values = np.zeros(100)
    values[40:] = 1.0
    followed = eased(values, 0.2)
    assert not followed[:40].any()
    assert followed[-1] == pytest.approx(1.0, abs=0.01)
    assert np.diff(followed).max() < 0.12
    assert eased(np.ones((30, 2)), 0.2) == pytest.approx(1.0)


def test_pink_noise_has_unit_variance_and_no_energy_above_its_cutoff() -> None:
    noises = np.stack([pink_noise(2500, np.random.default_rng(seed), cutoff=1.0) for seed in range(60)])
    assert noises.std() == pytest.approx(1.0, abs=0.12)
    power = np.abs(np.fft.rfft(noises * np.hanning(2500))) ** 2
    frequencies = np.fft.rfftfreq(2500, 1 / 25)
    assert power[:, frequencies > 3].sum() < 1e-4 * power.sum()


def test_a_pulse_rises_holds_and_falls_within_its_time() -> None:
    curve = np.zeros(75)
    add_pulse(curve, 1.0, 0.2, 0.2, 0.4, 0.5)
    assert not curve[:25].any()
    assert not curve[46:].any()
    assert curve.max() == pytest.approx(0.5)
    assert (np.diff(curve[25:31]) >= 0).all()


def test_a_pulse_outside_the_clip_is_cut_off() -> None:
    curve = np.zeros(20)
    add_pulse(curve, -0.1, 0.1, 0.1, 0.2, 1.0)
    add_pulse(curve, 5.0, 0.1, 0.1, 0.2, 1.0)
    assert curve[0] > 0.5
    assert not curve[8:].any()


def test_steps_reach_each_value_by_the_end_of_its_duration() -> None:
    curve = steps(100, [0.0, 1.0, 2.0], [0.0, 3.0, -1.0], [0.0, 0.04, 0.5])
    assert curve[20] == 0
    assert curve[27] == pytest.approx(3.0)
    assert curve[65] == pytest.approx(-1.0)
