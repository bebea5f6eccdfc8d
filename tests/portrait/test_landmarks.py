from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait import topology
from avatar.portrait.head import load_head
from avatar.portrait.landmarks import LEAST_SCORE

pytestmark = pytest.mark.model


def width(points):
    return np.ptp(points[:, 0])


def test_the_astronauts_features_are_where_they_are(seen):
    assert seen.score > 0.9
    np.testing.assert_allclose(seen.points[list(topology.RIGHT_EYE), :2].mean(0), [203, 101], atol=4)
    np.testing.assert_allclose(seen.points[list(topology.LEFT_EYE), :2].mean(0), [247, 104], atol=4)
    np.testing.assert_allclose(seen.points[list(topology.LIPS), :2].mean(0), [223, 144], atol=4)
    assert 85 < width(seen.points) < 105


def test_the_nose_is_nearer_than_the_ears(seen):
    assert seen.points[4, 2] < seen.points[234, 2] - 20
    assert seen.points[4, 2] < seen.points[454, 2] - 20


def test_irises_lie_between_the_lids_of_their_eye(seen):
    for iris, lids in zip(seen.irises, (topology.RIGHT_EYE, topology.LEFT_EYE), strict=True):
        eye = seen.points[list(lids), :2]
        assert (eye.min(0) - 2 < iris.centre).all()
        assert (iris.centre < eye.max(0) + 2).all()
        assert 0.03 < iris.radius / width(seen.points) < 0.06
        assert iris.contour.shape == (16, 2)
        np.testing.assert_allclose(iris.contour.mean(0), eye.mean(0), atol=2)


def test_a_mirrored_picture_gives_mirrored_landmarks(model, astronaut, seen):
    mirrored = model.landmarks(np.ascontiguousarray(astronaut[:, ::-1]))
    back = mirrored.points[load_head().mirror]
    back[:, 0] = astronaut.shape[1] - 1 - back[:, 0]
    error = np.sqrt(((back - seen.points)[:, :2] ** 2).sum(1).mean())
    assert error < 0.02 * width(seen.points)


def test_tracking_follows_a_face_that_moved_and_turned(model, astronaut, seen):
    turned = np.ascontiguousarray(np.rot90(astronaut[:300, 70:370]))
    expected = np.column_stack([seen.points[:, 1], 299 - (seen.points[:, 0] - 70)])
    start = seen.points.copy()
    start[:, :2] = expected + np.array([6, -4])
    points, score = model.track(turned, start)
    assert score > LEAST_SCORE
    error = np.sqrt(((points[:, :2] - expected) ** 2).sum(1).mean())
    assert error < 0.025 * width(seen.points)


def test_tracking_reports_a_lost_face(model, seen):
    _, score = model.track(np.full((300, 300, 3), 90, np.uint8), seen.points)
    assert score < LEAST_SCORE


def test_a_picture_without_a_face_has_no_landmarks(model):
    assert model.landmarks(np.full((120, 160, 3), 90, np.uint8)) is None
