from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER
from avatar.render.face import face_of
from avatar.render.filters import inside
from avatar.render.own_teeth import own_teeth

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

pytestmark = pytest.mark.model


def test_teeth_that_a_smile_shows_are_kept(photo: Portrait) -> None:
    face = face_of(photo, len(photo.rgb))
    own = own_teeth(face, photo.rgb, face.points[13])
    assert own is not None
    assert own.enamel is not None
    assert own.enamel.mean() > 0.6


def test_an_open_mouth_without_teeth_is_not_kept_as_if_it_had_some(photo: Portrait) -> None:
    face, rgb = face_of(photo, len(photo.rgb)), photo.rgb.copy()
    outline = face.picture(face.points[[*LIP_INNER_UPPER, *LIP_INNER_LOWER[::-1]]])
    rgb[inside(outline, rgb.shape[:2]) > 0] = np.array([110, 60, 55], np.uint8)
    assert own_teeth(face, rgb, face.points[13]) is None


def test_a_slit_between_the_lips_shows_too_little_of_teeth(photo: Portrait) -> None:
    face = face_of(photo, len(photo.rgb))
    upper, lower = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)
    points = face.points.copy()
    points[lower] += (1 - 0.028 / face.mouth_gap) * (points[upper] - points[lower])
    assert own_teeth(replace(face, points=points), photo.rgb, points[13]) is None


def test_a_light_line_along_an_openings_corner_is_no_tooth(photo: Portrait) -> None:
    face, rgb = face_of(photo, len(photo.rgb)), photo.rgb.copy()
    clean = own_teeth(face, rgb, face.points[13])
    corner, inner = (face.picture(face.points[[index]])[0] for index in (78, 191))
    column, row = (0.6 * corner + 0.4 * inner).round().astype(int)
    rgb[row, column : column + 3] = 255
    marked = own_teeth(face, rgb, face.points[13])
    assert clean is not None
    assert marked is not None
    assert np.abs(marked.patch.rgba - clean.patch.rgba)[..., :3].max() < 0.1


def test_teeth_go_on_above_the_lip_that_hides_them(photo: Portrait) -> None:
    face = face_of(photo, len(photo.rgb))
    upper, lower = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)
    points = face.points.copy()
    points[upper] += (1 - 0.045 / face.mouth_gap) * (points[lower] - points[upper])
    own = own_teeth(replace(face, points=points), photo.rgb, points[13])
    assert own is not None
    assert own.enamel is not None
    column, row = (round(value) for value in own.patch.origin)
    teeth, gum = (
        own.patch.rgba[row - round(up * face.width), column - 2 : column + 3, :3].mean() for up in (0.012, 0.04)
    )
    assert teeth > 0.8 * own.enamel.mean()
    assert gum < 0.8 * teeth
