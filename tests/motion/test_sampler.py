from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.sampler import STEP_TIMES, sample


def gaussian(mean, deviation):
    """The exact denoiser of normally distributed data."""

    def denoise(noisy, time):
        variance = (1 - time) ** 2 + (time * deviation) ** 2
        return mean + time * deviation**2 / variance * (noisy - time * mean)

    return denoise


def test_samples_have_the_mean_of_the_data_and_most_of_its_spread():
    noise = np.random.default_rng(0).normal(size=(4000, 1)).astype(np.float32)
    drawn = sample(gaussian(2.0, 0.5), noise)
    assert drawn.mean() == pytest.approx(2.0, abs=0.02)
    assert drawn.std() == pytest.approx(0.5, rel=0.35)


def test_more_steps_come_closer_to_the_spread_of_the_data():
    noise = np.random.default_rng(0).normal(size=(4000, 1)).astype(np.float32)
    errors = [abs(sample(gaussian(0, 0.5), noise, (np.arange(n) / n).tolist()).std() - 0.5) for n in (2, 4, 16, 64)]
    assert errors == sorted(errors, reverse=True)


def test_a_deterministic_target_is_reached_exactly_by_any_steps():
    noise = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    for times in ((0.0,), (0.0, 0.5), STEP_TIMES):
        np.testing.assert_allclose(sample(gaussian(1.5, 0), noise, times), 1.5, atol=1e-5)


def test_the_network_runs_once_at_each_time():
    asked = []

    def denoise(noisy, time):
        asked.append(time)
        return noisy

    sample(denoise, np.zeros((2, 2), np.float32), (0.0, 0.3, 0.6))
    assert asked == [0.0, 0.3, 0.6]
