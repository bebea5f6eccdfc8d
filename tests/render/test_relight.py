from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.render.face import Face, face_of
from avatar.render.pose import rotation
from avatar.render.relight import Relight

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

STILL = np.zeros((468, 3), np.float32)
LEFT_CHEEK, RIGHT_CHEEK = 50, 280


@pytest.fixture
def face(portrait: Portrait) -> Face:
    return face_of(portrait, 256)


def lit_from_the_right(face: Face) -> np.ndarray:
    ramp = np.interp(np.arange(256), face.points[[234, 454], 0], [60, 220])
    return np.broadcast_to(ramp, (256, 256)).astype(np.float32)


def turned(yaw: float) -> np.ndarray:
    return rotation(yaw, 0, 0).astype(np.float32)


def test_nothing_changes_at_rest(face: Face) -> None:
    gain = Relight(face, lit_from_the_right(face)).gain(STILL, np.eye(3, dtype=np.float32))
    np.testing.assert_allclose(gain, 0, atol=1e-5)


def test_a_cheek_turned_towards_the_light_brightens(face: Face) -> None:
    light = Relight(face, lit_from_the_right(face))
    assert light.gain(STILL, turned(0.3))[LEFT_CHEEK] > light.gain(STILL, turned(-0.3))[LEFT_CHEEK] + 0.05


def test_brightness_stays_within_limits_and_fades_to_the_rim(face: Face) -> None:
    gain = Relight(face, lit_from_the_right(face)).gain(STILL, turned(0.9))
    assert -0.4 <= gain.min() < gain.max() <= 0.5
    np.testing.assert_allclose(gain[[10, 152, 234, 454]], 0, atol=1e-3)


def test_even_light_leaves_a_turned_face_as_it_is(face: Face) -> None:
    gain = Relight(face, np.full((256, 256), 140, np.float32)).gain(STILL, turned(0.3))
    np.testing.assert_allclose(gain, 0, atol=0.02)
