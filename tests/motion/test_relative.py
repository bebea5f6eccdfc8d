from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import INDEX, motion_from
from avatar.motion.relative import relative_to


def test_what_the_first_frame_wears_is_taken_off():
    first = motion_from({"mouthFunnel": 0.5, "browInnerUp": 0.2, "yaw": 0.1})
    later = motion_from({"mouthFunnel": 0.8, "browInnerUp": 0.1, "yaw": 0.3})
    relative = relative_to(np.stack([first, later]), first)
    assert (relative[0, :52] == 0).all()
    assert relative[1, INDEX["mouthFunnel"]] == pytest.approx(0.3)
    assert relative[1, INDEX["browInnerUp"]] == pytest.approx(-0.1)
    np.testing.assert_allclose(relative[:, INDEX["yaw"]], [0.1, 0.3])


def test_of_what_a_photo_goes_on_wearing_the_share_of_what_is_left_counts():
    first = motion_from({"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5})
    (relative,) = relative_to(motion_from({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.3})[None], first)
    assert relative[INDEX["mouthSmileLeft"]] == pytest.approx(0.6)
    assert relative[INDEX["mouthSmileRight"]] == pytest.approx(-0.2)


def test_lips_that_are_open_in_the_photo_are_given_back_as_they_were():
    first = motion_from({"jawOpen": 0.3, "mouthClose": 0.1})
    (relative,) = relative_to(first[None], first)
    assert relative[INDEX["mouthClose"]] == -1
    assert relative[INDEX["jawOpen"]] == 0
    pressed = motion_from({"jawOpen": 0.3, "mouthClose": 0.3})
    assert (relative_to(pressed[None], pressed) == 0).all()
    (closed,) = relative_to(motion_from({"jawOpen": 0.3, "mouthClose": 0.6})[None], first)
    assert closed[INDEX["mouthClose"]] == pytest.approx(-0.5)


def test_what_pressed_open_lips_together_is_taken_off_beside_giving_them_back():
    first = motion_from({"jawOpen": 0.4, "mouthClose": 0.15})
    (relative,) = relative_to(motion_from({"jawOpen": 0.4})[None], first)
    assert relative[INDEX["mouthClose"]] == pytest.approx(-1.15)
    closed = motion_from({"jawOpen": 0.15, "mouthClose": 0.12})
    assert relative_to(closed[None], closed)[0, INDEX["mouthClose"]] == 0


def test_nothing_is_taken_off_or_added_beyond_one():
    first, later = motion_from({"jawOpen": 0.9}), motion_from({"mouthSmileLeft": 1.0, "mouthClose": 0.0})
    relative = relative_to(later[None], first)[:, :52]
    assert relative.min() >= -1
    assert relative.max() <= 1
