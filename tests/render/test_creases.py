from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import motion_from
from avatar.render.creases import Creases, Relief, crease_skin
from avatar.render.face import face_of
from avatar.render.filters import blurred
from avatar.render.renderer import PortraitRenderer
from avatar.render.texture import pack

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait


def line() -> Relief:
    """A crease of three texels and one of two that crosses it, in a texture (8, 8)."""
    runs = np.array([[0, 0, 0, 3], [1, 3, 1, 1], [1, 4, 3, 1]], np.int32)
    values, rows = np.array([-0.5, -0.5, 0.25, -0.5, 0.5], np.float32), np.array([[18, 0, 3], [27, 3, 1]], np.int32)
    return Relief(runs, values, rows, np.ones(4, np.float32))


def creased(*depths: float) -> np.ndarray:
    bare = pack(np.full((8, 8, 3), 100, np.uint8), np.full((8, 8), 200, np.uint8))
    picture = bare.copy()
    crease_skin(bare, line(), np.array(depths, np.float32), picture)
    channels = picture.view(np.uint8).reshape(8, 8, 4)
    assert (channels[..., 3] == 200).all()
    assert (channels[..., :3] == channels[..., :1]).all()
    return channels[..., 0]


def test_a_crease_changes_its_own_texels_by_its_depth() -> None:
    picture = creased(0.4, 0.0)
    assert picture[2, 2:5].tolist() == [80, 80, 110]
    picture[2, 2:5] = 100
    assert (picture == 100).all()


def test_creases_that_cross_darken_what_the_other_leaves() -> None:
    picture = creased(0.4, 0.8)
    assert picture[2, 2:5].tolist() == [80, 48, 110]
    assert picture[3, 3] == 140


def test_creases_lie_on_the_texture_where_they_do_in_the_picture_whatever_its_margin(portrait: Portrait) -> None:
    creases = Creases(face_of(portrait, 256), portrait)
    side = len(portrait.rgb)
    plain, wide = creases.relief(side, 0), creases.relief(side + 20, 10)
    np.testing.assert_array_equal(plain.values, wide.values)
    np.testing.assert_array_equal(
        wide.rows[:, 0], (plain.rows[:, 0] // side + 10) * (side + 20) + plain.rows[:, 0] % side + 10
    )
    assert plain.rows[:, 2].sum() == len(plain.light)
    assert plain.runs[:, 3].sum() == len(plain.values)


def test_a_face_at_rest_has_no_creases_but_its_own(portrait: Portrait) -> None:
    creases = Creases(face_of(portrait, 256), portrait)
    assert not creases.depths(np.zeros(52, np.float32)).any()
    assert creases.depths(np.ones(52, np.float32)).any()


@pytest.mark.parametrize(
    ("units", "top", "bottom"),
    [(("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 10, 9), (("browDownLeft", "browDownRight"), 151, 8)],
)
def test_brows_line_the_skin_above_them(portrait: Portrait, units: tuple[str, ...], top: int, bottom: int) -> None:
    drawn = PortraitRenderer(portrait, 384)
    scale = 384 / len(portrait.rgb)
    (left, upper), (right, lower) = (
        portrait.landmarks[[108, top], :2].min(0) * scale,
        portrait.landmarks[[337, bottom], :2].max(0) * scale,
    )
    part = np.s_[int(upper) : int(lower), int(left) : int(right)]
    rest, lined = (
        drawn.render(motion_from(dict.fromkeys(units, weight))).astype(np.float32).mean(-1) for weight in (0.0, 1.0)
    )
    fine = [np.abs(blurred(picture, 0.8) - blurred(picture, 3.0))[part].mean() for picture in (rest, lined)]
    assert fine[1] > 1.02 * fine[0]


def test_creases_follow_the_head(portrait: Portrait) -> None:
    drawn = PortraitRenderer(portrait, 256)
    smile = {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0, "cheekSquintLeft": 1.0, "cheekSquintRight": 1.0}
    straight, aside = (drawn.render(motion_from({**smile, "x": x})) for x in (0.0, 0.5))
    assert (straight != aside).any()
    np.testing.assert_array_equal(straight, drawn.render(motion_from(smile)))
