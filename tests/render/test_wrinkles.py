from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import INDEX, motion_from
from avatar.render.face import face_of
from avatar.render.filters import blurred
from avatar.render.renderer import PortraitRenderer
from avatar.render.wrinkles import brightness_of, crease_depths, fine_folds

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait
    from avatar.render.face import Face


def wrinkles_of(face: Face, points: np.ndarray) -> np.ndarray:
    return np.stack([brightness_of(face, fold, points[:, :2]) for fold in range(len(fine_folds()))], 1)


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


@pytest.mark.parametrize(
    ("unit", "landmark"),
    [("cheekSquintLeft", 372), ("cheekSquintLeft", 253), ("mouthFrownLeft", 422), ("mouthShrugLower", 18)],
)
def test_skin_answers_where_it_folds(portrait: Portrait, unit: str, landmark: int) -> None:
    face = face_of(portrait, 256)
    brightness = crease_depths()[INDEX[unit]] @ wrinkles_of(face, face.points).T
    assert brightness[landmark] < -0.01
    assert np.abs(brightness[[1, 10, 151]]).max() < 2e-3


def test_a_smile_deepens_the_fold_in_the_picture(portrait: Portrait) -> None:
    face = face_of(portrait, 384)
    fold = wrinkles_of(face, face.points) @ crease_depths()[INDEX["mouthSmileLeft"]]
    x, y = portrait.landmarks[fold.argmin(), :2].round().astype(int)
    drawn = PortraitRenderer(portrait, 384)
    smile = motion_from({"mouthSmileLeft": 1, "mouthSmileRight": 1})
    rest, smiling = (
        blurred(drawn.render(motion).astype(np.float32), 1.5)[y - 14 : y + 9, x - 9 : x + 10].mean(-1)
        for motion in (0 * smile, smile)
    )
    assert np.ptp(smiling) > np.ptp(rest) + 5
