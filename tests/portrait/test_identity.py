"""The evaluation of identity, less its network, which is no part of a test run."""

from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.layout import motion_from
from scripts.evaluate_identity import MOTIONS, similarity


def test_every_motion_shown_is_one_that_the_renderer_knows():
    shown = {name: motion_from(values) for name, values in MOTIONS.items()}
    assert not shown.pop("rest").any()
    assert all(motion.any() for motion in shown.values())


def test_faces_are_compared_by_distance_and_angle():
    distance, cosine = similarity(np.array([3.0, 0.0]), np.array([0.0, 4.0]))
    assert (distance, cosine) == pytest.approx((5.0, 0.0))
    assert similarity(np.ones(4), np.ones(4)) == pytest.approx((0.0, 1.0))
