from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import INDEX, motion_from
from avatar.portrait.landmarks import LandmarkModel
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, LIP_OUTER_LOWER, LIP_OUTER_UPPER
from avatar.render.drive import Driver
from avatar.render.face import Face, face_of
from avatar.render.lip_shapes import with_shaped_lips

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait
    from avatar.render.renderer import PortraitRenderer

UPPER, LOWER = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)


@pytest.fixture
def face(portrait: Portrait) -> Face:
    return face_of(portrait, 384)


def gaps(face: Face, delta: np.ndarray) -> np.ndarray:
    return (delta[UPPER] - delta[LOWER]) @ face.up / face.width


def of(portrait: Portrait, face: Face, **values: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns how the lips part under motion, as the head has it and as it is shaped."""
    units = Driver(portrait.head).drive(motion_from(values)).units
    own, shaped = (gaps(face, np.tensordot(units, deltas, 1)) for deltas in (face.deltas, with_shaped_lips(face)))
    return own, shaped


def test_a_wide_jaw_is_round_below_and_no_deeper(portrait: Portrait, face: Face) -> None:
    before, after = of(portrait, face, jawOpen=1.0)
    assert after[5] == pytest.approx(before[5], abs=1e-3)
    assert after[2] / after[5] > before[2] / before[5] + 0.08
    assert (np.diff(after[:6]) > 0).all()


def test_mouth_close_still_cancels_the_jaw(portrait: Portrait, face: Face) -> None:
    _, after = of(portrait, face, jawOpen=0.8, mouthClose=0.8)
    np.testing.assert_allclose(after, 0, atol=3e-3)


def test_a_wide_jaw_brings_the_corners_in(face: Face) -> None:
    before, after = face.deltas[INDEX["jawOpen"]], with_shaped_lips(face)[INDEX["jawOpen"]]
    narrower = ((after - before)[[78, 308]] @ face.right) / face.width
    assert narrower[0] > 0.008
    assert narrower[1] < -0.008


def test_the_jaw_takes_high_corners_down_and_leaves_the_middle(face: Face) -> None:
    corners = [61, 78, 291, 308]
    points = face.points.copy()
    points[corners] += 0.06 * face.width * face.up
    usual, smiling = (with_shaped_lips(one)[INDEX["jawOpen"]] for one in (face, replace(face, points=points)))
    lower = (smiling - usual) @ face.up / face.width
    assert (lower[corners] < -0.02).all()
    assert abs(lower[[13, 14]]).max() < 0.005


def test_a_pucker_narrows_the_mouth_by_a_quarter(face: Face) -> None:
    corners = (face.points + with_shaped_lips(face)[INDEX["mouthPucker"]])[[61, 291]] @ face.right
    rest = face.points[[61, 291]] @ face.right
    assert 0.5 < np.ptp(corners) / np.ptp(rest) < 0.75


def test_pressed_lips_show_less_red_on_their_side(face: Face) -> None:
    deltas = with_shaped_lips(face)

    def red(points: np.ndarray) -> np.ndarray:
        upper, lower = (
            (points[list(a)] - points[b]) @ face.up for a, b in ((LIP_OUTER_UPPER, UPPER), (LOWER, [*LIP_OUTER_LOWER]))
        )
        return upper + lower

    rest, left = red(face.points), red(face.points + deltas[INDEX["mouthPressLeft"]])
    both = red(face.points + deltas[INDEX["mouthPressLeft"]] + deltas[INDEX["mouthPressRight"]])
    assert (both[2:9] < 0.8 * rest[2:9]).all()
    assert left[7] < 0.85 * rest[7]
    assert left[3] > 0.9 * rest[3]


def test_a_funnel_opens_an_ellipse_where_the_heads_own_was_a_lozenge(portrait: Portrait, face: Face) -> None:
    before, after = of(portrait, face, mouthFunnel=1.0)
    assert before[3] / before[5] < 0.2
    assert after[3] / after[5] > 0.5
    assert after[[1, -2]].max() < 0.3 * after[5]


def test_a_rolled_lower_lip_shows_no_teeth_at_the_sides_and_less_red(portrait: Portrait, face: Face) -> None:
    before, after = of(portrait, face, mouthRollLower=1.0)
    assert before.max() > 0.01
    assert after.max() < 1e-6
    delta = with_shaped_lips(face)[INDEX["mouthRollLower"]]
    red = (face.points[LOWER] - face.points[list(LIP_OUTER_LOWER)])[3:8] @ face.up
    shown = red + (delta[LOWER] - delta[list(LIP_OUTER_LOWER)])[3:8] @ face.up
    assert (shown < 0.75 * red).all()


@pytest.mark.parametrize(
    ("roll", "inner", "outer", "side"),
    [("mouthRollUpper", UPPER, LIP_OUTER_UPPER, 1), ("mouthRollLower", LOWER, LIP_OUTER_LOWER, -1)],
)
def test_a_lip_that_rolls_in_keeps_a_rim_of_red(
    face: Face, roll: str, inner: list[int], outer: tuple[int, ...], side: int
) -> None:
    points = face.points + with_shaped_lips(face)[INDEX[roll]]
    red, left = (side * ((p[list(outer)] - p[inner]) @ face.up)[2:9] for p in (face.points, points))
    assert (left > 0.15 * red).all()
    assert (left < 0.9 * red).all()


def test_a_rolled_upper_lip_does_not_hang_over_the_lower_one(portrait: Portrait, face: Face) -> None:
    before, after = of(portrait, face, mouthRollUpper=1.0)
    assert before.min() < -0.008
    assert after.min() > 0.3 * before.min()


def test_a_smile_draws_its_own_corner_aside_and_lifts_the_lower_lid(face: Face) -> None:
    before, after = (deltas[INDEX["mouthSmileLeft"]] for deltas in (face.deltas, with_shaped_lips(face)))
    aside = ((after - before) @ face.right) / face.width
    assert aside[308] > 0.01
    assert abs(aside[78]) < 1e-3
    assert (after - before)[374] @ face.up > 0


def test_other_units_stay(face: Face) -> None:
    after = with_shaped_lips(face)
    names = ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper")
    sided = ("mouthSmileLeft", "mouthSmileRight", "mouthPressLeft", "mouthPressRight")
    changed = {INDEX[name] for name in (*names, *sided)}
    same = [k for k in range(52) if k not in changed]
    np.testing.assert_array_equal(after[same], face.deltas[same])


@pytest.mark.model
def test_a_photos_smile_takes_the_corners_up_and_out(drawn_photo: PortraitRenderer, photo: Portrait) -> None:
    model = LandmarkModel()
    smile = motion_from({"mouthSmileLeft": 1, "mouthSmileRight": 1})
    rest, smiling = (model.landmarks(drawn_photo.render(motion)) for motion in (0 * smile, smile))
    assert rest is not None
    assert smiling is not None
    width = photo.face_width / 2
    moved = (smiling.points[[61, 291], :2] - rest.points[[61, 291], :2]) / width
    assert (moved[:, 1] < -0.01).all()
    assert moved[1, 0] - moved[0, 0] > 0.015


@pytest.mark.model
def test_a_photos_f_shows_teeth_on_the_lower_lip_and_no_dark(drawn_photo: PortraitRenderer, photo: Portrait) -> None:
    x, y = photo.landmarks[[13, 14], :2].mean(0) / 2
    width = photo.face_width / 2
    rows, columns = slice(round(y - 0.06 * width), round(y + 0.10 * width)), slice(round(x - 14), round(x + 15))
    tuck = motion_from({"mouthRollLower": 0.5, "mouthUpperUpLeft": 0.3, "mouthUpperUpRight": 0.3, "jawOpen": 0.06})
    shut, f = (drawn_photo.render(motion)[rows, columns].astype(int) for motion in (0 * tuck, tuck))
    assert (np.ptp(shut, axis=-1) - np.ptp(f, axis=-1) > 12).sum() > 25
    assert f.max(-1).min() > 60
