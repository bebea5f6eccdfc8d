"""Glasses are seen, dark ones too, and nothing on a bare face is taken for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from avatar.motion.layout import INDEX
from avatar.portrait.glasses import glasses_of
from avatar.portrait.limits import limits_of
from avatar.portrait.setup import default_portrait_path, load_portrait

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Portrait:
    store = tmp_path_factory.mktemp("portrait") / "default.npz"
    return load_portrait(default_portrait_path(), size=512, note=print, store=store)


def wearing(portrait: Portrait, *, dark: bool) -> Portrait:
    """The portrait with round glasses painted on it."""
    rgb = portrait.rgb.copy()
    radius, stroke = round(0.17 * portrait.face_width), max(2, round(0.02 * portrait.face_width))
    middles = [iris.centre.round().astype(int).tolist() for iris in portrait.irises]
    for middle in middles:
        cv2.circle(rgb, middle, radius, (30, 25, 25), -1 if dark else stroke, cv2.LINE_AA)
    left, right = ([middle[0] + way * radius, middle[1]] for middle, way in zip(middles, (1, -1), strict=True))
    cv2.line(rgb, left, right, (30, 25, 25), stroke, cv2.LINE_AA)
    return replace(portrait, rgb=rgb)


def test_a_bare_face_wears_none(portrait: Portrait) -> None:
    assert glasses_of(portrait) == (0, 0)


@pytest.mark.parametrize("zoom", [0.5, 1.0])
def test_glasses_are_seen_whatever_the_pictures_size(portrait: Portrait, zoom: float) -> None:
    worn = wearing(portrait, dark=False)
    smaller = replace(
        worn,
        rgb=np.asarray(cv2.resize(worn.rgb, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8),
        landmarks=worn.landmarks * np.float32(zoom),
        face_width=worn.face_width * zoom,
    )
    assert glasses_of(smaller).worn > 0.9
    assert glasses_of(smaller).dark == 0


def test_behind_dark_glasses_no_eye_is_seen_to_move(portrait: Portrait) -> None:
    worn = wearing(portrait, dark=True)
    assert glasses_of(worn) == (1, 1)
    limits = limits_of(worn)
    for name in ("eyeBlinkLeft", "eyeLookUpRight", "eyeSquintLeft"):
        assert limits.high[INDEX[name]] == limits.low[INDEX[name]] == 0


def test_brows_behind_a_frame_hardly_move_it_and_eyes_blink(portrait: Portrait) -> None:
    bare, worn = limits_of(portrait), limits_of(wearing(portrait, dark=False))
    for name in ("browInnerUp", "browOuterUpLeft", "browDownRight"):
        assert worn.high[INDEX[name]] < 0.35 * bare.high[INDEX[name]]
    assert worn.high[INDEX["eyeBlinkLeft"]] == 1
    assert worn.high[INDEX["jawOpen"]] == bare.high[INDEX["jawOpen"]]
