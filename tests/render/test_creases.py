from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import motion_from
from avatar.render.creases import crease_skin
from avatar.render.filters import blurred
from avatar.render.raster import FAR, blank_canvas
from avatar.render.renderer import PortraitRenderer

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait


def creased(depth: float, hole: tuple[int, int] | None = None) -> np.ndarray:
    canvas = blank_canvas(8)
    canvas.source[..., :2] = np.stack(np.meshgrid(np.arange(8), np.arange(8)), -1)
    if hole:
        canvas.depth[hole] = FAR
    picture = np.full((8, 8, 3), 100, np.uint8)
    relief = np.zeros((5, 5), np.float32)
    relief[2, 2] = -0.5
    box, corner = np.array([0, 0, 8, 8], np.int32), np.array([1, 1], np.float32)
    crease_skin(picture, canvas, box, relief, corner, np.float32(depth))
    return picture[..., 0]


def test_a_crease_darkens_its_own_pixel_by_its_depth() -> None:
    picture = creased(0.4)
    assert picture[3, 3] == 80
    picture[3, 3] = 100
    assert (picture == 100).all()


def test_a_crease_leaves_alone_what_the_sheet_does_not_cover() -> None:
    assert (creased(0.4, hole=(3, 3)) == 100).all()


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
