from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from avatar.motion.amplitude import drawn_in
from avatar.motion.layout import INDEX, motion_from
from avatar.portrait.landmarks import LandmarkModel
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, LIP_OUTER_LOWER, LIP_OUTER_UPPER
from avatar.render.drive import Driver
from avatar.render.face import face_of, resized
from avatar.render.filters import inside
from avatar.render.lip_edges import with_seen_lips, without_shade
from avatar.render.lip_shapes import with_shaped_lips
from avatar.render.lips import closing_offsets
from avatar.render.renderer import PortraitRenderer

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

UPPER, LOWER = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)
TEETH = (236, 232, 222)


def filled(picture: np.ndarray, outline: np.ndarray, colour: tuple[int, int, int]) -> None:
    cv2.fillPoly(picture, [(outline * 16).round().astype(np.int32)], colour, cv2.LINE_AA, 4)


def opened(portrait: Portrait) -> Portrait:
    """The drawn portrait with its jaw open and teeth from lip to lip."""
    delta = 0.5 * portrait.landmark_deltas[INDEX["jawOpen"]]
    landmarks = portrait.landmarks + delta * [1, -1, -1]
    rgb, flat = portrait.rgb.copy(), landmarks[:, :2]
    filled(rgb, flat[[*LIP_OUTER_UPPER, *LIP_OUTER_LOWER[::-1]]], (178, 92, 92))
    filled(rgb, flat[[*UPPER, *LOWER[::-1]]], TEETH)
    return replace(portrait, rgb=rgb, landmarks=landmarks.astype(np.float32))


@pytest.mark.parametrize("side", ["upper", "lower"])
def test_landmarks_beside_an_edge_move_onto_it(portrait: Portrait, side: str) -> None:
    seen = opened(resized(portrait, 3 * len(portrait.rgb)))
    contour, down = (UPPER[2:-2], -1) if side == "upper" else (LOWER[2:-2], 1)
    beside = seen.landmarks.copy()
    beside[contour, 1] += down * 0.014 * seen.face_width
    found = with_seen_lips(replace(seen, landmarks=beside)).landmarks
    before, after = (np.abs((points - seen.landmarks)[contour, 1]) / seen.face_width for points in (beside, found))
    assert before.min() > 0.013
    assert np.median(after) < 0.006


def test_lips_that_touch_stay(portrait: Portrait) -> None:
    assert with_seen_lips(portrait) is portrait
    assert without_shade(portrait) is portrait.rgb


def test_shade_at_the_corners_becomes_lip_and_the_middle_stays(portrait: Portrait) -> None:
    seen = opened(portrait)
    rgb = seen.rgb.copy()
    corner, rim = (seen.landmarks[k, :2] for k in (78, 61))
    place = tuple((0.7 * corner + 0.3 * rim).round().astype(int))
    cv2.circle(rgb, place, 2, (50, 12, 10), -1)
    painted = without_shade(replace(seen, rgb=rgb))
    assert rgb[place[1], place[0]].sum() < 100
    assert painted[place[1], place[0]].sum() > 300
    chin = seen.landmarks[200, :2].round().astype(int)
    np.testing.assert_array_equal(painted[chin[1] - 3 :], rgb[chin[1] - 3 :])


def test_lips_in_the_sheet_reach_into_the_mouth(portrait: Portrait) -> None:
    seen = opened(portrait)
    painted = without_shade(seen).astype(float)
    opening = inside(seen.landmarks[[*UPPER, *LOWER[::-1]], :2], painted.shape[:2]) > 200
    assert opening.sum() > 50
    assert (painted[opening][:, 0] - painted[opening][:, 1]).min() > 30  # red, where the teeth were white


@pytest.mark.model
def test_a_photos_upper_lip_is_as_thick_as_it_looks(photo: Portrait) -> None:
    found = with_seen_lips(photo)
    before, after = (np.ptp(one.landmarks[[0, 13], 1]) for one in (photo, found))
    assert 1.2 < after / before < 2.2


def lips(photo: Portrait, **values: float) -> np.ndarray:
    """Returns the landmarks (468, 2) of a calm face under motion: to the right and up, face widths."""
    seen = with_seen_lips(photo)
    face = face_of(seen, 512)
    shaped = with_shaped_lips(face)
    motion = drawn_in(motion_from(values)[None])[0]
    units = Driver(photo.head, relaxed=True).drive(motion).units
    points = face.points + closing_offsets(face) + np.tensordot(units, shaped, 1)
    return points @ np.stack([face.right, face.up], 1) / face.width


@pytest.mark.model
def test_a_smiling_photos_lips_thicken_as_they_narrow(photo: Portrait) -> None:
    poses = [lips(photo, mouthPucker=value) for value in (0.0, 0.35, 0.7, 1.0)]
    widths = [np.ptp(points[[61, 291], 0]) for points in poses]
    upper = [points[0, 1] - points[13, 1] for points in poses]
    lower = [points[14, 1] - points[17, 1] for points in poses]
    assert (np.diff(widths) < -0.02).all()
    assert (np.diff(upper) > 0.003).all()
    assert (np.diff(lower) > 0.001).all()
    assert upper[-1] / upper[0] > 1.4


@pytest.mark.model
@pytest.mark.parametrize("smile", [0.0, 0.5])
@pytest.mark.parametrize(
    "values", [{"mouthPucker": 1.0}, {"mouthFunnel": 1.0}, {"mouthPucker": 0.6, "mouthFunnel": 0.4}]
)
def test_a_smiling_photos_corners_come_down_when_the_lips_are_round(
    photo: Portrait, values: dict[str, float], smile: float
) -> None:
    def raised(points: np.ndarray) -> float:
        return float(points[[78, 308], 1].mean() - points[[13, 14], 1].mean())

    happy = {"mouthSmileLeft": smile, "mouthSmileRight": smile}
    assert raised(lips(photo, **happy)) > 0.01
    assert raised(lips(photo, **happy, **values)) < 0.012


@pytest.mark.model
def test_rounded_lips_carry_no_dark_notch_in_their_corners(photo: Portrait) -> None:
    picture = PortraitRenderer(photo, 512, relaxed=True).render(motion_from({"mouthPucker": 1.0}))
    seen = LandmarkModel().landmarks(picture)
    assert seen is not None
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
    lips = inside(seen.points[[*LIP_OUTER_UPPER, *LIP_OUTER_LOWER[::-1]], :2].astype(float), light.shape) > 128
    usual = np.median(light[lips])
    reach = round(0.02 * np.ptp(seen.points[:, 0]))
    for column, row in seen.points[[78, 308], :2].round().astype(int):
        corner = light[row - reach : row + reach + 1, column - reach : column + reach + 1]
        assert np.percentile(corner, 5) > 0.55 * usual
