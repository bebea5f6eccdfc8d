from __future__ import annotations

import cv2
import numpy as np
import pytest

from avatar.portrait.background import background_behind
from avatar.portrait.topology import OVAL

SIZE = 256
HEAD = (128, 120)


def scene(softness: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A red disc before a grey room with a dark horizontal shelf; its matte, and landmarks of a face inside."""
    rgb = np.full((SIZE, SIZE, 3), 180, np.uint8)
    rgb[118:124] = 40
    cv2.circle(rgb, HEAD, 70, (200, 40, 40), -1, cv2.LINE_AA)
    person = np.zeros((SIZE, SIZE), np.float32)
    cv2.circle(person, HEAD, 70, (1.0,), -1, cv2.LINE_AA)
    angles = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    landmarks = np.zeros((468, 3), np.float32)
    landmarks[list(OVAL), :2] = np.array(HEAD) + 45 * np.stack([np.sin(angles), -np.cos(angles)], 1)
    return rgb, cv2.GaussianBlur(person, (0, 0), softness), landmarks


def test_the_room_is_kept_and_the_person_is_gone() -> None:
    rgb, person, landmarks = scene()
    behind = background_behind(rgb, person, landmarks)
    assert behind is not None
    far = cv2.dilate((person > 0).astype(np.uint8), np.ones((19, 19), np.uint8)) == 0
    np.testing.assert_array_equal(behind[far], rgb[far])
    redness = behind[..., 0].astype(int) - behind[..., 1]
    assert redness.max() < 25


def test_lines_go_on_behind_the_edge_of_the_person() -> None:
    rgb, person, landmarks = scene()
    behind = background_behind(rgb, person, landmarks)
    assert behind is not None
    inside = HEAD[0] - 70 + 5
    assert behind[121, inside].mean() + 40 < behind[100, inside].mean()


@pytest.mark.parametrize("fault", ["soft", "misses the face", "no room", "nobody"])
def test_a_matte_that_can_not_be_trusted_gives_none(fault: str) -> None:
    rgb, person, landmarks = scene(14.0 if fault == "soft" else 0.5)
    if fault == "misses the face":
        person[:110] = 0
    elif fault == "no room":
        person[:] = 1
    elif fault == "nobody":
        person[:] = 0
    assert background_behind(rgb, person, landmarks) is None


def test_what_the_matte_leaves_out_beside_the_head_does_not_stay_in_the_room() -> None:
    rgb, person, landmarks = scene()
    beside = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(beside, (HEAD[0] + 76, HEAD[1] - 30), 11, 1, -1)
    rgb[(beside > 0) & (person < 0.5)] = (30, 60, 220)
    behind = background_behind(rgb, person, landmarks)
    assert behind is not None
    blueness = behind[..., 2].astype(int) - behind[..., 0]
    assert blueness.max() < 25


def test_what_stands_in_the_room_away_from_the_head_stays_there() -> None:
    rgb, person, landmarks = scene()
    rgb[10:30, 10:30] = (30, 60, 220)
    behind = background_behind(rgb, person, landmarks)
    assert behind is not None
    np.testing.assert_array_equal(behind[:35, :35], rgb[:35, :35])


def test_what_the_pictures_edge_cuts_beside_the_head_belongs_to_the_room() -> None:
    rgb, person, landmarks = scene()
    rgb, person = rgb[45:], person[45:]
    rgb, person = (np.concatenate([part, part[-1:].repeat(45, 0)]) for part in (rgb, person))
    landmarks[:, 1] -= 45
    rows, columns = np.indices((SIZE, SIZE)) - np.array([HEAD[1] - 45, HEAD[0]])[:, None, None]
    post = (rows < -30) & (np.hypot(rows, columns) < 86) & (columns > 20)
    rgb[post & (person < 0.5)] = (30, 60, 220)
    behind = background_behind(rgb, person, landmarks)
    assert behind is not None
    assert (behind[post & (np.hypot(rows, columns) > 78), 2] > 200).all()


def test_a_fitted_ear_that_the_hair_hides_or_the_picture_lacks_leaves_the_room_as_it_is() -> None:
    rgb, person, landmarks = scene()
    ear = np.array([[66, -40], [84, -40], [84, 40], [66, 40]]) + HEAD
    room = background_behind(rgb, person, landmarks)
    assert room is not None
    with_ear = background_behind(rgb, person, landmarks, [ear])
    assert with_ear is not None
    np.testing.assert_array_equal(with_ear, room)


def test_an_ear_that_the_matte_leaves_out_does_not_stay_in_the_room() -> None:
    rgb, person, landmarks = scene()
    person[:, HEAD[0] + 55 :] = 0
    ear = np.array([[50, -72], [72, -72], [72, 72], [50, 72]]) + HEAD
    with_ear = background_behind(rgb, person, landmarks, [ear])
    without = background_behind(rgb, person, landmarks)
    assert with_ear is not None
    assert without is not None
    redness, left_in = (picture[..., 0].astype(int) - picture[..., 1] for picture in (with_ear, without))
    assert redness.max() < 25 < left_in.max()


@pytest.mark.parametrize("row", [82, 88, 152, 164])
def test_lines_that_meet_the_edge_at_a_slant_go_on_straight(row: int) -> None:
    rgb, person, landmarks = scene()
    rgb[(person < 0.01) & (abs(np.arange(SIZE)[:, None] - row) < 4)] = 40
    behind = background_behind(rgb, person, landmarks)
    assert behind is not None
    edge = HEAD[0] - np.sqrt(70**2 - (row - HEAD[1]) ** 2)
    column = behind[row - 12 : row + 13, round(edge) + 6].mean(-1)
    weights = 180 - np.minimum(column, 180)
    assert abs(weights @ np.arange(-12, 13) / weights.sum()) < 2.0


def test_a_shade_on_the_wall_beside_the_head_stays_in_the_room() -> None:
    rgb, person, landmarks = scene()
    shade = np.zeros((SIZE, SIZE), np.float32)
    cv2.circle(shade, (HEAD[0] + 66, HEAD[1] - 40), 14, (1.0,), -1)
    shade = 70 * cv2.GaussianBlur(shade, (0, 0), 7.0) * (person < 0.01)
    rgb = (rgb - shade[..., None]).clip(0, 255).astype(np.uint8)
    behind = background_behind(rgb, person, landmarks)
    assert behind is not None
    beyond = (shade > 15) & (cv2.dilate((person > 0).astype(np.uint8), np.ones((15, 15), np.uint8)) == 0)
    assert beyond.sum() > 50
    np.testing.assert_array_equal(behind[beyond], rgb[beyond])
