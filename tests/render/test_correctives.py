from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import BLENDSHAPES, INDEX, N_BLENDSHAPES
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER
from avatar.render.correctives import Correctives
from avatar.render.face import Face, face_of
from avatar.render.lip_shapes import with_shaped_lips

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

CALM = np.zeros(N_BLENDSHAPES, np.float32)


@pytest.fixture
def face(portrait: Portrait) -> Face:
    face = face_of(portrait, 384)
    return replace(face, deltas=with_shaped_lips(face))


def units(**values: float) -> np.ndarray:
    weights = CALM.copy()
    for name in BLENDSHAPES:
        weights[INDEX[name]] = values.get(name, values.get(name.removesuffix("Left").removesuffix("Right"), 0.0))
    return weights


def moved(face: Face, weights: np.ndarray) -> np.ndarray:
    deltas = face.deltas
    correctives = Correctives(face, CALM)
    return (
        face.points
        + np.tensordot(weights, deltas, 1)
        + np.tensordot(correctives.weights(weights), correctives.shapes, 1)
    )


def width(face: Face, points: np.ndarray) -> float:
    return float((points[308] - points[78]) @ face.right / ((face.points[308] - face.points[78]) @ face.right))


def test_a_calm_mouth_and_small_motion_are_left_alone(face: Face) -> None:
    correctives = Correctives(face, CALM)
    for weights in (CALM, units(mouthSmile=0.2), units(mouthPucker=0.3), units(jawOpen=0.35)):
        np.testing.assert_allclose(correctives.weights(weights), 0, atol=1e-5)


def test_units_that_add_up_make_no_mouth_wider_than_a_persons(face: Face) -> None:
    assert width(face, moved(face, units(mouthSmile=1, mouthStretch=1, mouthDimple=1))) < 1.42
    assert width(face, moved(face, units(mouthSmile=1))) > 1.15


def test_rounded_lips_that_lose_a_smile_too_make_no_beak(face: Face) -> None:
    assert width(face, moved(face, units(mouthPucker=1, mouthStretch=-1, mouthSmile=-1))) > 0.6
    assert width(face, moved(face, units(mouthPucker=1))) < 0.72


def test_more_of_a_unit_never_narrows_what_it_widens(face: Face) -> None:
    widths = [width(face, moved(face, units(mouthStretch=share))) for share in np.linspace(0, 1, 21)]
    assert (np.diff(widths) > 0).all()


def test_the_corners_of_a_wide_jaw_hang_between_the_lips(face: Face) -> None:
    points = moved(face, units(jawOpen=1))
    heights = points @ face.up
    top, bottom = heights[13], heights[14]
    for corner in (78, 308):
        assert 0.2 < (heights[corner] - bottom) / (top - bottom) < 0.85
    gaps = (points[list(LIP_INNER_UPPER)] - points[list(LIP_INNER_LOWER)]) @ face.up
    assert gaps.min() > -1e-6


@pytest.mark.parametrize("jaw", [0.0, 0.1, 0.3])
def test_round_lips_corners_lie_no_higher_than_the_middle_of_what_they_open(face: Face, jaw: float) -> None:
    raised = replace(face, points=face.points.copy())
    raised.points[[78, 308]] += 0.03 * face.width * face.up
    heights = moved(raised, units(mouthPucker=0.8, jawOpen=jaw)) @ face.up
    middle = 0.5 * (heights[13] + heights[14])
    assert heights[[78, 308]].max() - middle < 0.004 * face.width


def test_round_lips_open_an_oval_that_ends_before_the_corners(face: Face) -> None:
    def gaps(**values: float) -> np.ndarray:
        points = moved(face, units(**values))
        return (points[list(LIP_INNER_UPPER)] - points[list(LIP_INNER_LOWER)]) @ face.up

    wide, round_ = gaps(jawOpen=0.3), gaps(jawOpen=0.3, mouthPucker=0.8)
    assert round_[1] / round_[5] < 0.6 * wide[1] / wide[5]
    assert round_[3] / round_[5] > 0.7
    assert round_.min() > -1e-3 * face.width


def test_lips_that_stay_shut_over_a_dropped_jaw_stay_level(face: Face) -> None:
    correctives = Correctives(face, CALM)
    assert correctives.weights(units(jawOpen=1, mouthClose=1))[1] == 0


def test_corners_rise_where_rounding_is_taken_off(face: Face) -> None:
    weights = CALM.copy()
    weights[INDEX["mouthFunnel"]] = -0.2
    plain = face.points + np.tensordot(weights, face.deltas, 1)
    rise = (moved(face, weights) - plain) @ face.up / face.width
    assert (rise[[78, 308]] > 0.002).all()
    assert abs(rise[152]) < 1e-3
