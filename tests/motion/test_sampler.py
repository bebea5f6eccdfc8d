from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.sampler import STEP_TIMES, NoiseShape, sample


def gaussian(mean, deviation):
    """The exact denoiser of normally distributed data."""

    def denoise(noisy, time):
        variance = (1 - time) ** 2 + (time * deviation) ** 2
        return mean + time * deviation**2 / variance * (noisy - time * mean)

    return denoise


def test_samples_have_the_mean_and_the_spread_of_the_data():
    noise = np.random.default_rng(0).normal(size=(4000, 1)).astype(np.float32)
    drawn = sample(gaussian(2.0, 0.5), noise)
    assert drawn.mean() == pytest.approx(2.0, abs=0.02)
    assert drawn.std() == pytest.approx(0.5, rel=0.2)


def test_more_steps_come_closer_to_the_spread_of_the_data():
    noise = np.random.default_rng(0).normal(size=(4000, 1)).astype(np.float32)
    errors = [abs(sample(gaussian(0, 0.5), noise, (np.arange(n) / n).tolist()).std() - 0.5) for n in (2, 4, 16, 64)]
    assert errors == sorted(errors, reverse=True)


def test_rare_events_are_drawn_about_as_often_as_they_are():
    def blink(noisy, time):
        """The exact denoiser of data that is 5 in one case of ten, and else 0."""
        odds = (5 * time * noisy - (5 * time) ** 2 / 2) / (1 - time) ** 2 + np.log(0.1 / 0.9)
        return 5 / (1 + np.exp(-np.clip(odds, -50, 50)))

    drawn = sample(blink, np.random.default_rng(0).normal(size=(20_000, 1)).astype(np.float32))
    assert (drawn > 2.5).mean() == pytest.approx(0.1, rel=0.2)


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


def test_shaped_noise_is_as_slow_and_as_alike_as_it_says():
    white = np.random.default_rng(0).standard_normal((400, 25, 3)).astype(np.float32)
    alike = np.linalg.cholesky(np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]])).astype(np.float32)
    noise = NoiseShape(np.float32([0.8, 0.8, 0]), alike).shape(white)
    assert noise.dtype == np.float32
    np.testing.assert_allclose(noise.std(axis=(0, 1)), 1, atol=0.05)
    later, before = noise[:, 1:].reshape(-1, 3), noise[:, :-1].reshape(-1, 3)
    slow = [np.corrcoef(later[:, c], before[:, c])[0, 1] for c in range(3)]
    np.testing.assert_allclose(slow, [0.8, 0.8, 0], atol=0.05)
    assert np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1] == pytest.approx(0.9, abs=0.05)


def test_noise_with_no_persistence_and_no_mixing_stays_white():
    white = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    np.testing.assert_array_equal(NoiseShape(np.zeros(4, np.float32), np.eye(4, dtype=np.float32)).shape(white), white)
