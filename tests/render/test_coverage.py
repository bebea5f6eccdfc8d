from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.render.coverage import Window, at_columns, cover, window_around


def covered(polygon: list[tuple[float, float]], height: int = 24, width: int = 24) -> np.ndarray:
    coverage = np.zeros((height, width), np.float32)
    cover(
        np.array(polygon, np.float32), Window(0, 0, height, width), np.zeros((height, width + 2), np.float32), coverage
    )
    return coverage


@settings(deadline=None)
@given(st.floats(5, 9), st.floats(5, 9), st.floats(13, 18), st.floats(13, 18), st.floats(-3, 3))
def test_coverage_sums_to_the_polygons_area(x0: float, y0: float, x1: float, y1: float, slant: float) -> None:
    polygon = [(x0, y0), (x1, y0), (x1 + slant, y1), (x0 + slant, y1)]
    assert covered(polygon).sum() == pytest.approx((x1 - x0) * (y1 - y0), rel=1e-3)


def test_coverage_is_full_inside_nothing_outside_and_between_at_the_edge() -> None:
    coverage = covered([(5, 5), (15.5, 5), (15.5, 15), (5, 15)])
    assert coverage[10, 10] == 1
    assert coverage[10, 20] == 0
    assert 0 < coverage[10, 15] < 1


def test_orientation_does_not_matter() -> None:
    polygon = [(4.2, 6.0), (18.0, 5.5), (12.0, 17.3)]
    np.testing.assert_allclose(covered(polygon), covered(polygon[::-1]), atol=1e-6)


def test_a_polygon_beyond_the_window_fills_it_without_writing_outside() -> None:
    np.testing.assert_allclose(covered([(-50, -50), (80, -50), (80, 80), (-50, 80)])[2:-2, 2:-2], 1, atol=1e-5)


def test_a_window_holds_the_polygon_and_stays_in_the_picture() -> None:
    window = window_around(np.array([[2.0, 30.0], [40.0, 30.0], [40.0, 63.0]], np.float32), 64)
    assert window is not None
    assert (window.left, window.top) == (0, 26)
    assert (window.left + window.width, window.top + window.height) == (45, 64)


def test_no_window_is_left_of_a_polygon_outside_the_picture() -> None:
    assert window_around(np.array([[-40.0, 5.0], [-20.0, 5.0], [-20.0, 30.0]], np.float32), 64) is None


def test_values_along_a_contour_are_read_per_column() -> None:
    contour = np.array([[12.0, 3.0], [10.0, 1.0], [14.0, 5.0]], np.float32)
    np.testing.assert_allclose(at_columns(contour, contour[:, 1], Window(10, 0, 9, 5)), [1, 2, 3, 4, 5])
