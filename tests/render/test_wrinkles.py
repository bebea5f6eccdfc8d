from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.layout import INDEX
from avatar.render.face import face_of
from avatar.render.wrinkles import crease_depths, wrinkles_of

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait


def test_a_smile_darkens_the_fold_beside_the_nose_and_leaves_the_chin(portrait: Portrait) -> None:
    face = face_of(portrait, 256)
    brightness = crease_depths()[INDEX["mouthSmileLeft"]] @ wrinkles_of(face, face.points).T
    assert brightness[426] < -0.02
    assert abs(brightness[152]) < 1e-3


def test_raised_brows_draw_lines_on_the_forehead_only(portrait: Portrait) -> None:
    face = face_of(portrait, 256)
    brightness = crease_depths()[INDEX["browInnerUp"]] @ wrinkles_of(face, face.points).T
    assert brightness[151] < -0.02
    assert np.abs(brightness[[0, 17, 152, 205]]).max() < 1e-3


def test_each_side_smiles_for_itself(portrait: Portrait) -> None:
    face = face_of(portrait, 256)
    brightness = crease_depths()[INDEX["mouthSmileRight"]] @ wrinkles_of(face, face.points).T
    assert brightness[206] < -0.02
    assert abs(brightness[426]) < 1e-3
