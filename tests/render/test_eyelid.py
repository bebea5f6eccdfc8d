from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import motion_from
from avatar.render.eyelid import Eyelid
from avatar.render.face import face_of
from avatar.render.topology import EYES, EyeIndices

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait
    from avatar.render.face import Face
    from avatar.render.renderer import PortraitRenderer

SIZE = 384
UPRIGHT = np.array([1, 0, 0, 1, 0, 0, 0, 0], np.float32)
"""The plane of a lid that is seen straight on, but for its origin."""


@pytest.fixture
def face(portrait: Portrait) -> Face:
    return face_of(portrait, SIZE)


def lid_of(face: Face, eye: EyeIndices, rgb: np.ndarray) -> tuple[Eyelid, np.ndarray, np.ndarray, np.ndarray]:
    """Returns an eye's lid, its contours in the picture, and its plane."""
    upper, lower = (face.picture(face.points[list(part)]).astype(np.float32) for part in (eye.upper, eye.lower))
    side = round(1.7 * float(np.ptp(upper[:, 0])))
    corner = (np.concatenate([upper, lower]).mean(0) - side / 2).astype(int)
    plane = UPRIGHT.copy()
    plane[3] = -1
    plane[4:6] = corner
    return Eyelid(face, eye, rgb, corner, side), upper, lower, plane


@pytest.mark.parametrize("eye", EYES)
def test_an_open_eye_is_not_touched(face: Face, portrait: Portrait, eye: EyeIndices) -> None:
    lid, upper, lower, plane = lid_of(face, eye, portrait.rgb)
    picture = portrait.rgb.copy()
    lid.draw(picture, upper, lower, plane)
    np.testing.assert_array_equal(picture, portrait.rgb)


@pytest.mark.parametrize("eye", EYES)
def test_a_shut_eye_is_skin_with_a_dark_line_below(face: Face, portrait: Portrait, eye: EyeIndices) -> None:
    lid, upper, lower, plane = lid_of(face, eye, portrait.rgb)
    picture = portrait.rgb.copy()
    lid.draw(picture, lower, lower, plane)
    column, bottom = lower[len(lower) // 2]
    top = upper[len(upper) // 2, 1]
    skin = picture[round(top) + 2 : round(bottom) - 2, round(column)].mean(0)
    np.testing.assert_allclose(skin, (214, 168, 146), atol=22)
    line = picture[round(bottom) - 1 : round(bottom) + 2, round(column)].sum(-1).min()
    assert line < 0.75 * skin.sum()


def test_make_up_on_the_rim_is_not_spread_over_the_lid(face: Face, portrait: Portrait) -> None:
    eye, rgb = EYES[0], portrait.rgb.copy()
    lid, upper, lower, plane = lid_of(face, eye, rgb)
    for x, y in upper[1:-1]:
        rgb[round(y) - 3 : round(y) + 1, round(x) - 4 : round(x) + 5] = (20, 10, 30)
    made_up, *_ = lid_of(face, eye, rgb)
    column, bottom = lower[len(lower) // 2].round().astype(int)
    rows = slice(round(float(upper[len(upper) // 2, 1])) + 2, bottom - 2)
    plain, painted = portrait.rgb.copy(), rgb.copy()
    lid.draw(plain, lower, lower, plane)
    made_up.draw(painted, lower, lower, plane)
    np.testing.assert_allclose(painted[rows, column].mean(0), plain[rows, column].mean(0), atol=20)


@pytest.mark.model
def test_a_photos_lash_line_is_darker_than_its_lid(drawn_photo: PortraitRenderer, photo: Portrait) -> None:
    picture = drawn_photo.render(motion_from({"eyeBlinkLeft": 1, "eyeBlinkRight": 1})).astype(int).sum(-1)
    for eye in EYES:
        x, bottom = (photo.landmarks[eye.lower[4], :2] / 2).round().astype(int)
        top = round(float(photo.landmarks[eye.upper[4], 1]) / 2)
        lid = np.median(picture[top + 1 : bottom - 2, x - 4 : x + 5])
        lash = np.median(picture[bottom - 2 : bottom + 3, x - 4 : x + 5].min(0))
        assert lash < 0.8 * lid


@pytest.mark.model
def test_a_photos_shut_lid_is_as_light_as_the_skin_around_it(drawn_photo: PortraitRenderer, photo: Portrait) -> None:
    picture = drawn_photo.render(motion_from({"eyeBlinkLeft": 1, "eyeBlinkRight": 1})).astype(int).sum(-1)
    cheek = np.median([picture[tuple((photo.landmarks[i, 1::-1] / 2).astype(int))] for i in (50, 280, 117, 346)])
    for eye in EYES:
        x, bottom = (photo.landmarks[eye.lower[4], :2] / 2).round().astype(int)
        top = round(float(photo.landmarks[eye.upper[4], 1]) / 2)
        assert 0.7 * cheek < np.median(picture[top + 1 : bottom - 2, x - 4 : x + 5]) < 1.15 * cheek
