from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import INDEX
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER
from avatar.render.drive import FUNNEL_AS_PUCKER
from avatar.render.face import Face, face_of
from avatar.render.rounded import round_lips

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

UPPER, LOWER = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)


@pytest.fixture
def face(portrait: Portrait) -> Face:
    return face_of(portrait, 384)


def shown(face: Face, name: str) -> np.ndarray:
    """Returns the points of a face whose lips are all rounded, (468, 3)."""
    deltas = face.deltas.copy()
    round_lips(face, deltas)
    pucker, funnel = deltas[INDEX["mouthPucker"]], deltas[INDEX["mouthFunnel"]]
    return face.points + (pucker if name == "pucker" else (1 - FUNNEL_AS_PUCKER) * funnel + FUNNEL_AS_PUCKER * pucker)


def widened(face: Face, scale: float) -> Face:
    """Returns a face whose mouth is so many times as wide."""
    points = face.points.copy()
    near = np.linalg.norm(points - face.seam().mean(0), axis=1) < 0.25 * face.width
    middle = float(points[[78, 308], 0].mean())
    points[near, 0] = middle + scale * (points[near, 0] - middle)
    return replace(face, points=points)


@pytest.mark.parametrize("name", ["pucker", "funnel"])
@pytest.mark.parametrize("scale", [0.75, 1.0, 1.3])
def test_small_and_large_mouths_narrow_by_the_same_share(face: Face, name: str, scale: float) -> None:
    wide = widened(face, scale)
    narrow = np.ptp(shown(wide, name)[[78, 308], 0]) / np.ptp(wide.points[[78, 308], 0])
    assert 0.6 < narrow < 0.72


@pytest.mark.parametrize("name", ["pucker", "funnel"])
def test_rounded_lips_grow_thicker_and_never_cross(face: Face, name: str) -> None:
    points = shown(face, name)
    for rim, edge in ((0, 13), (14, 17)):
        before, after = ((p[rim] - p[edge]) @ face.up for p in (face.points, points))
        assert after > 1.1 * before
    assert ((points[UPPER] - points[LOWER]) @ face.up).min() > -0.01 * face.width


def test_a_seam_that_is_higher_in_its_middle_does_not_become_a_roof(face: Face) -> None:
    points = face.points.copy()
    lips = np.linalg.norm(points - face.seam().mean(0), axis=1) < 0.2 * face.width
    arch = 0.03 * face.width * np.cos(np.clip((points[:, 0] - points[13, 0]) / (0.32 * face.width), -1, 1) * np.pi / 2)
    points[lips, 1] += arch[lips]
    arched = replace(face, points=points)

    def height(p: np.ndarray) -> float:
        return float((p[[13, 14]].mean(0) - p[[78, 308]].mean(0)) @ face.up)

    assert height(shown(arched, "pucker")) < 0.6 * height(points)
