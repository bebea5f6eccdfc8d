from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait.region import Region, region_of


def dot_picture(x, y, size=300):
    rows, columns = np.mgrid[:size, :size]
    spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 4.0**2))
    return np.repeat((255 * spot)[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize(("side", "angle"), [(90, 0.0), (150, 0.4), (280, -0.8), (700, 0.2)])
def test_a_point_found_in_a_cut_maps_back_to_where_it_was(side, angle):
    region = Region(140.0, 160.0, side, angle)
    cut = region.cut(dot_picture(150.0, 145.0), 64)[..., 0]
    rows, columns = np.mgrid[:64, :64]
    found = np.array([[(columns * cut).sum(), (rows * cut).sum(), cut.sum()]], np.float32)
    found = found / cut.sum() + np.array([0.5, 0.5, 0], np.float32)
    np.testing.assert_allclose(region.to_picture(found, 64)[0, :2], [150, 145], atol=0.35)


def test_depth_grows_with_the_region():
    points = np.array([[10, 10, -4]], np.float32)
    assert Region(0, 0, 128, 0.3).to_picture(points, 64)[0, 2] == pytest.approx(-8)


def test_a_minified_cut_does_not_alias():
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    cut = Region(512, 512, 1000, 0.0).cut(stripes, 64)
    assert np.ptp(cut[8:-8, 8:-8]) < 30


def test_the_region_around_points_is_level_with_their_line():
    angle = 0.3
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = (np.array([[0, 0], [40, 0], [20, 10], [20, -10]]) @ turn + [100, 50]).astype(np.float32)
    region = region_of(points, start=0, end=1, grow=1.5)
    assert region.angle == pytest.approx(angle, abs=1e-5)
    assert region.side == pytest.approx(60, abs=1e-3)
    np.testing.assert_allclose([region.x, region.y], np.array([20, 0]) @ turn + [100, 50], atol=1e-3)


def test_a_region_moves_in_units_of_its_side():
    moved = Region(10, 20, 100, 0.1).moved(right=0.1, down=-0.2, grow=2, turn=0.3)
    assert moved == Region(20, 0, 200, 0.4)
