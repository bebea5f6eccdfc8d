from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from avatar.motion.layout import INDEX
from avatar.render.skin import grain_of, skin_creases, skin_depths, skin_of

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait


def at(portrait: Portrait, landmark: int) -> tuple[int, int]:
    column, row = portrait.landmarks[landmark, :2].round().astype(int)
    return int(row), int(column)


def test_cheeks_are_bare_skin_and_hair_and_the_room_are_not(portrait: Portrait) -> None:
    bare = skin_of(portrait)
    assert bare[at(portrait, 50)] > 0.9
    assert bare[at(portrait, 280)] > 0.9
    row, column = at(portrait, 10)
    assert bare[row - round(0.25 * portrait.face_width), column] < 0.3


def test_a_smoothed_picture_is_less_lined(portrait: Portrait) -> None:
    bare = skin_of(portrait)
    smooth = np.asarray(cv2.bilateralFilter(portrait.rgb, 15, 60, 9), np.uint8)
    assert grain_of(replace(portrait, rgb=smooth), bare) < grain_of(portrait, bare)


def test_own_creases_only_darken_and_dimples_do_both(portrait: Portrait) -> None:
    *creases, chin = skin_creases(portrait, skin_of(portrait))
    assert all(crease.relief.max() <= 0 for crease in creases)
    assert chin.relief.min() < -0.01
    assert chin.relief.max() > 0.01


def test_every_crease_of_the_skin_deepens_with_something(portrait: Portrait) -> None:
    depths = skin_depths()
    assert depths.shape[1] == len(skin_creases(portrait, skin_of(portrait)))
    assert (depths.max(0) > 0).all()
    assert depths[INDEX["jawOpen"]].max() == 0


def test_a_line_across_the_brow_deepens_when_it_rises(portrait: Portrait) -> None:
    rgb = portrait.rgb.copy()
    row, column = at(portrait, 151)
    half = round(0.1 * portrait.face_width)
    thick = max(1, round(0.006 * portrait.face_width))
    rgb[row : row + thick, column - half : column + half] //= 2
    bare = np.ones(rgb.shape[:2], np.float32)
    plain, lined = (skin_creases(replace(portrait, rgb=given), bare)[0] for given in (portrait.rgb, rgb))
    place = row - int(lined.top), column - int(lined.left)
    assert lined.relief[place] < plain.relief[place] - 0.02
