from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import INDEX, motion_from
from avatar.motion.relative import relative_to


def test_what_the_first_frame_wears_is_taken_off_and_nothing_goes_below_rest():
    first = motion_from({"mouthSmileLeft": 0.5, "browInnerUp": 0.2, "yaw": 0.1})
    later = motion_from({"mouthSmileLeft": 0.8, "browInnerUp": 0.1, "yaw": 0.3})
    relative = relative_to(np.stack([first, later]), first)
    assert (relative[0, :52] == 0).all()
    assert relative[1, INDEX["mouthSmileLeft"]] == pytest.approx(0.3)
    assert relative[1, INDEX["browInnerUp"]] == 0
    np.testing.assert_allclose(relative[:, INDEX["yaw"]], [0.1, 0.3])


def test_lips_that_are_open_in_the_photo_part_again_without_the_jaw():
    first = motion_from({"jawOpen": 0.3, "mouthClose": 0.1})
    (relative,) = relative_to(first[None], first)
    assert relative[INDEX["jawOpen"]] == 0
    assert relative[INDEX["mouthLowerDownLeft"]] == pytest.approx(0.4)
    assert relative[INDEX["mouthUpperUpRight"]] == pytest.approx(0.2)
    pressed = motion_from({"jawOpen": 0.3, "mouthClose": 0.3})
    assert (relative_to(pressed[None], pressed) == 0).all()
