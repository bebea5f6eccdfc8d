"""Smoothing over time that neither lags nor flattens what is fast: blinks, closures, saccades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Floats

_REACH = 3
_WIDTH = 1.2
_TOLERANCE = 2.5


def noise_of(values: Floats) -> Floats:
    """Returns the standard deviation of white noise in each column (n_columns,) of a series (n, n_columns).

    It is the median of second differences, which movement hardly touches (the factors are those of a Gaussian).
    """
    if len(values) < 3:
        return np.zeros(values.shape[1])
    return np.median(np.abs(np.diff(values, n=2, axis=0)), axis=0) / (0.6745 * np.sqrt(6))


def smooth(values: Floats, present: NDArray[np.bool_], noise: Floats) -> Floats:
    """Returns a series (n, n_columns) averaged with neighbours that differ by no more than noise.

    A bilateral filter (Tomasi and Manduchi 1998) along time, symmetric, so nothing is late.

    Args:
        values: The series.
        present: bool (n,), which frames count; the others are left as they are.
        noise: (n_columns,), each column's standard deviation of noise.
    """
    total, weight = np.zeros_like(values), np.zeros_like(values)
    for step in range(-_REACH, _REACH + 1):
        here = slice(max(0, -step), len(values) - max(0, step))
        there = slice(max(0, step), len(values) - max(0, -step))
        if here.start >= here.stop:
            continue
        apart = (values[there] - values[here]) / (_TOLERANCE * noise + 1e-9)
        share = np.exp(-0.5 * apart**2 - 0.5 * (step / _WIDTH) ** 2) * present[there, None]
        total[here] += share * values[there]
        weight[here] += share
    return np.where(present[:, None], total / np.maximum(weight, 1e-12), values)
