from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait.matte import guided, person_matte
from avatar.portrait.network import Network


def test_a_blurred_matte_snaps_to_the_guides_edge():
    guide = np.zeros((64, 64))
    guide[:, 30:] = 1
    blurred = np.clip((np.arange(64) - 24) / 12, 0, 1)[None].repeat(64, axis=0)
    sharp = guided(blurred, guide, 8)
    assert sharp[32, 31] - sharp[32, 28] > 2 * (blurred[32, 31] - blurred[32, 28])


@pytest.mark.model
def test_the_astronaut_is_inside_and_the_wall_outside(astronaut):
    picture = np.repeat(np.repeat(astronaut[:300, 84:384], 2, axis=0), 2, axis=1)
    matte = person_matte(Network("selfie_segmentation"), picture)
    assert matte.shape == (600, 600)
    assert matte.dtype == np.float32
    assert matte[240, 280] == 1  # the face
    assert matte[40, 270] > 0.9  # the hair
    assert matte[100, 30] == 0
    assert matte[200, 570] == 0
