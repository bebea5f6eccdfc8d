"""What the kernels share agrees with what it says: bilinear values, eased steps, places on a plane."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from avatar.render.pose import Camera
from avatar.render.sampling import along, between, ease, mixed, on_plane


@njit
def value_at(image: np.ndarray, u: float, v: float, channel: int) -> float:
    return mixed(image, between(image, u, v), channel)


@njit
def value_along(line: np.ndarray, u: float) -> float:
    return along(line, u)


@njit
def eased(x: float) -> float:
    return ease(x)


@njit
def place_of(plane: np.ndarray, x: int, y: int) -> tuple[float, float]:
    return on_plane(plane, x, y)


def test_values_between_pixels_are_bilinear_and_edges_are_repeated() -> None:
    rows, columns = np.mgrid[0:5, 0:7].astype(np.float32)
    image = np.dstack([columns, rows, columns * rows]).astype(np.float32)
    assert value_at(image, 2.25, 3.5, 0) == pytest.approx(2.25)
    assert value_at(image, 2.25, 3.5, 1) == pytest.approx(3.5)
    assert value_at(image, 2.25, 3.5, 2) == pytest.approx(2.25 * 3.5)
    assert value_at(image, -4.0, 9.0, 0) == pytest.approx(0.0, abs=0.01)
    assert value_at(image, -4.0, 9.0, 1) == pytest.approx(4.0, abs=0.01)


def test_values_along_a_line_are_linear() -> None:
    line = np.array([1.0, 3.0, 0.0], np.float32)
    assert [value_along(line, u) for u in (-1.0, 0.5, 1.5, 9.0)] == pytest.approx([1.0, 2.0, 1.5, 0.0], abs=0.01)


def test_an_eased_step_begins_and_ends_level() -> None:
    assert [eased(x) for x in (-1.0, 0.0, 0.5, 1.0, 2.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert eased(0.01) < 0.001
    assert eased(0.99) > 0.999


def test_a_pixels_place_on_a_plane_projects_back_to_the_pixel() -> None:
    camera = Camera(np.array([60.0, -60.0]), 700.0, np.array([60.0, -80.0, -40.0]))
    turn, shift, origin = np.eye(3), np.array([3.0, -2.0, 0.0]), np.array([30.0, -50.0, 20.0])
    plane = camera.plane(origin, np.eye(3), turn, shift)
    right, down = place_of(plane, 72, 44)
    seen = camera.project(origin[None] + np.array([[right, -down, 0.0]]), turn, shift)
    np.testing.assert_allclose(seen[0], [72, 44], atol=0.01)
