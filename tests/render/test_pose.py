from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.render.face import face_of
from avatar.render.pose import Camera, camera_for, rotation
from avatar.render.topology import NOSE_TIP

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

STILL = np.zeros(3)


@pytest.fixture
def camera(portrait: Portrait) -> Camera:
    return camera_for(face_of(portrait, 256), 20.0)


def nose(portrait: Portrait, camera: Camera, turn: np.ndarray, shift: np.ndarray = STILL) -> np.ndarray:
    return camera.project(face_of(portrait, 256).points[[NOSE_TIP]], turn, shift)[0]


def test_a_head_at_rest_is_seen_where_the_portrait_has_it(portrait: Portrait, camera: Camera) -> None:
    points = face_of(portrait, 256).points
    np.testing.assert_allclose(camera.project(points, np.eye(3), STILL), points[:, :2] * [1, -1])


def test_positive_yaw_turns_the_nose_to_the_pictures_right(portrait: Portrait, camera: Camera) -> None:
    assert nose(portrait, camera, rotation(0.2, 0, 0))[0] > nose(portrait, camera, np.eye(3))[0] + 5


def test_positive_pitch_lifts_the_nose(portrait: Portrait, camera: Camera) -> None:
    assert nose(portrait, camera, rotation(0, 0.2, 0))[1] < nose(portrait, camera, np.eye(3))[1] - 3


def test_positive_roll_tilts_counter_clockwise_on_the_screen(camera: Camera, portrait: Portrait) -> None:
    points = face_of(portrait, 256).points[[234, 454]]
    left, right = camera.project(points, rotation(0, 0, 0.2), STILL)
    assert left[1] > right[1] + 5


def test_coming_nearer_makes_the_face_larger(portrait: Portrait, camera: Camera) -> None:
    points = face_of(portrait, 256).points[[234, 454]]
    near = camera.project(points, np.eye(3), np.array([0, 0, 30.0]))
    assert np.ptp(near[:, 0]) > 1.02 * np.ptp(points[:, 0])


def test_a_plane_maps_the_picture_back_onto_itself(portrait: Portrait, camera: Camera) -> None:
    origin = face_of(portrait, 256).points[NOSE_TIP]
    axes = 12.0 * rotation(0.1, 0.0, 0.3)
    turn, shift = rotation(0.15, -0.1, 0.05), np.array([3.0, -2.0, 4.0])
    plane = camera.plane(origin, axes, turn, shift)
    there = camera.project((origin + axes[:, 0])[None], turn, shift)[0]
    np.testing.assert_allclose(plane[:4].reshape(2, 2) @ (there - plane[4:6]), [1, 0], atol=1e-4)


def test_several_planes_at_once_are_as_each_alone(camera: Camera) -> None:
    random = np.random.default_rng(4)
    origins, axes = random.normal(0, 20, (5, 3)), random.normal(0, 3, (5, 3, 3))
    turn, shift = rotation(0.15, -0.1, 0.05), np.array([3.0, -2.0, 4.0])
    each = [camera.plane(origin, axis, turn, shift) for origin, axis in zip(origins, axes, strict=True)]
    np.testing.assert_allclose(camera.plane(origins, axes, turn, shift), each, rtol=1e-5)
