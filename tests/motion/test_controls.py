from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.controls import NATURAL, amounts_of, for_network, with_controls
from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.motion.types import Controls

RANDOM = np.random.default_rng(3)


def natural(n_frames: int = 40) -> np.ndarray:
    motion = RANDOM.uniform(0, 0.4, (n_frames, 58)).astype(np.float32)
    motion[:, N_BLENDSHAPES:] -= 0.2
    return motion


def changed(motion: np.ndarray, **controls: object) -> np.ndarray:
    return with_controls(motion, np.tile(amounts_of(Controls(**controls)), (len(motion), 1)))


def gaze(motion: np.ndarray) -> np.ndarray:
    """Where the left eye looks on the picture: radians right and up, the head's turn included."""
    right = motion[:, INDEX["eyeLookOutLeft"]] - motion[:, INDEX["eyeLookInLeft"]]
    up = motion[:, INDEX["eyeLookUpLeft"]] - motion[:, INDEX["eyeLookDownLeft"]]
    head = motion[:, [INDEX["yaw"], INDEX["pitch"]]]
    return np.radians(30) * np.column_stack([right, up]) + head


def test_natural_controls_change_nothing() -> None:
    motion = natural()
    np.testing.assert_array_equal(amounts_of(Controls()), NATURAL)
    assert changed(motion) is motion
    assert changed(motion, lip_amplitude=0.5) is motion


@pytest.mark.parametrize("amplitude", [0.3, 1.7])
def test_head_amplitude_scales_the_head_and_leaves_the_gaze(amplitude: float) -> None:
    motion = natural()
    moved = changed(motion, head_amplitude=amplitude)
    np.testing.assert_allclose(moved[:, N_BLENDSHAPES:], amplitude * motion[:, N_BLENDSHAPES:], rtol=1e-5)
    np.testing.assert_allclose(gaze(moved), gaze(motion), atol=1e-5)
    face = [not name.startswith("eyeLook") for name in INDEX][:N_BLENDSHAPES]
    np.testing.assert_allclose(moved[:, :N_BLENDSHAPES][:, face], motion[:, :N_BLENDSHAPES][:, face], atol=1e-6)


def test_energy_scales_head_and_brows_and_not_the_lips() -> None:
    motion = natural()
    calm = changed(motion, energy=0.5)
    brow, jaw = INDEX["browInnerUp"], INDEX["jawOpen"]
    np.testing.assert_allclose(calm[:, brow], motion[:, brow] / 2, rtol=1e-5)
    np.testing.assert_allclose(calm[:, INDEX["yaw"]], motion[:, INDEX["yaw"]] / 2, rtol=1e-5)
    np.testing.assert_allclose(calm[:, jaw], motion[:, jaw])


def test_the_gaze_moves_as_far_as_asked_for_and_the_head_takes_a_share() -> None:
    motion = natural()
    aside = changed(motion, gaze=(0.8, -0.5))
    np.testing.assert_allclose(gaze(aside) - gaze(motion), np.tile(np.radians((20, -8)), (40, 1)), atol=1e-5)
    turned = aside[:, INDEX["yaw"]] - motion[:, INDEX["yaw"]]
    np.testing.assert_allclose(turned, 0.32 * np.radians(20), atol=1e-5)


def test_motion_stays_within_its_bounds() -> None:
    motion = np.ones((4, 58), np.float32)
    wild = changed(motion, head_amplitude=2.0, energy=2.0, gaze=(1.0, 1.0))
    assert wild[:, :N_BLENDSHAPES].min() >= 0
    assert wild.max() <= 1


def test_the_network_keeps_only_the_lips() -> None:
    assert for_network(Controls(1.3, 0.5, (0.2, 0.1), 2.0)) == Controls(1.3)
