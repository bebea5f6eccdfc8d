from __future__ import annotations

import numpy as np

from avatar.motion.layout import BLENDSHAPES, COLUMNS, INDEX, N_MOTION, motion_from, neutral


def test_there_are_52_distinct_blendshapes_and_six_numbers_of_pose() -> None:
    assert len(set(BLENDSHAPES)) == 52
    assert len(set(COLUMNS)) == N_MOTION == 58


def test_columns_stand_where_live_link_face_puts_them() -> None:
    landmarks = {
        "eyeBlinkLeft": 0,
        "eyeWideRight": 13,
        "jawOpen": 17,
        "mouthClose": 18,
        "browInnerUp": 43,
        "tongueOut": 51,
    }
    assert {name: INDEX[name] for name in landmarks} == landmarks
    assert [INDEX[name] for name in ("yaw", "pitch", "roll", "x", "y", "z")] == [52, 53, 54, 55, 56, 57]


def test_rest_is_zero_and_named_values_land_in_their_column() -> None:
    assert not neutral(3).any()
    frame = motion_from({"jawOpen": 0.5, "yaw": -0.1})
    assert np.flatnonzero(frame).tolist() == [17, 52]
