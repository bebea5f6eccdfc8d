from __future__ import annotations

import numpy as np
import pytest

from avatar.render.deform import Pose, Screen, Vertices, Weights, deform, hang_strip, uncross

REST = np.array([[100, -100, 0], [140, -100, 30], [100, -160, -20]], np.float32)
HOME = np.abs(REST[:, :2]).astype(np.float32)
CAMERA = np.array([120, -120, 1000, 0, 0, 0], np.float32)
NO_TURN = np.eye(3, dtype=np.float32)


def moved(
    moves: np.ndarray, follow: float = 1.0, turn: np.ndarray = NO_TURN, shift: tuple[float, ...] = (0, 0, 0)
) -> Screen:
    weights = Weights(np.arange(4, dtype=np.int32), np.arange(3, dtype=np.int32), np.ones(3, np.float32))
    share = np.full(3, follow, np.float32)
    vertices = Vertices(REST, HOME, share)
    screen = Screen(
        np.zeros((3, 3), np.float32), np.zeros((3, 2), np.float32), np.ones(3, np.float32), np.zeros(3, np.uint8)
    )
    pose = Pose(CAMERA, turn.astype(np.float32), np.array(shift, np.float32))
    deform(weights, vertices, moves.astype(np.float32), pose, screen)
    return screen


def test_without_motion_vertices_are_at_home() -> None:
    screen = moved(np.zeros((3, 4)))
    np.testing.assert_allclose(screen.place[:, :2], HOME, atol=1e-3)
    np.testing.assert_array_equal(screen.moving, 0)


def test_landmarks_move_vertices_and_change_their_brightness() -> None:
    moves = np.zeros((3, 4))
    moves[1] = [3, -2, 0, 0.1]
    screen = moved(moves)
    np.testing.assert_allclose(screen.place[1, :2], HOME[1] + [3, 2], atol=1e-3)
    np.testing.assert_allclose(screen.gain, [1, 1.1, 1], atol=1e-6)
    np.testing.assert_array_equal(screen.moving, [0, 1, 0])


def test_vertices_that_do_not_follow_the_head_stay() -> None:
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(moved(np.zeros((3, 4)), follow=0.0, turn=turn, shift=(9, 9, 9)).moving, 0)
    assert moved(np.zeros((3, 4)), turn=turn).moving.all()


def test_crossed_contours_meet_half_way() -> None:
    place = np.array([[0, 5, 0], [4, 5, 0], [0, 7, 0], [4, 1, 0]], np.float32)
    uncross(place, np.array([0, 1], np.int32), np.array([2, 3], np.int32))
    np.testing.assert_allclose(place[:, 1], [5, 3, 7, 3])


@pytest.mark.parametrize(("dropped", "share"), [(0.0, 0.0), (1.0, 0.5), (3.0, 1.0)])
def test_a_strip_hangs_from_the_lash_line_as_the_lids_move(dropped: float, share: float) -> None:
    rest = np.array([[0, 0, 1], [4, 0, 1], [0, -6, 2], [4, -6, 2], [0, 0, 0], [0, 0, 0]], np.float32)
    texture = np.array([[0, 0], [8, 0], [0, 12], [8, 12], [0, 12], [8, 12]], np.float32)
    place = rest * np.float32([1, -1, 1])
    place[:2, 1] += np.float32(dropped)
    screen = Screen(place, texture.copy(), np.ones(6, np.float32), np.ones(6, np.uint8))
    lids = np.array([0, 1], np.int32), np.array([2, 3], np.int32)
    hang_strip(screen, Vertices(rest, rest[:, :2].copy(), np.ones(6, np.float32)), texture, *lids, 4, 2.0)
    np.testing.assert_array_equal(screen.place[4:], place[2:4])
    np.testing.assert_allclose(screen.texture[4:], [[0, 12 - 12 * share], [8, 12 - 12 * share]])
