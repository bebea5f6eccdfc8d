"""The head in a portrait as a model of its own, for other programs: shape, ARKit targets and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.gltf import HeadModel, HeadPart
from avatar.portrait import topology
from avatar.portrait.head import load_head

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.head import Head
    from avatar.portrait.types import Floats, Portrait

_METRES: Final = 0.1
"""Of a decimetre."""

_PLAIN: Final = {
    "upper_teeth": (0.75, 0.72, 0.65),
    "lower_teeth": (0.75, 0.72, 0.65),
    "tongue": (0.45, 0.14, 0.13),
}
"""Linear colours of the parts that the photo does not show well."""

_WHITE, _DARK, _PUPIL = (0.78, 0.76, 0.73), (0.08, 0.045, 0.025), (0.004, 0.004, 0.004)
_IRIS: Final = 0.92
_PUPIL_FROM: Final = 0.985
"""Cosines of the angle from an eye's axis at which iris and pupil begin."""

_EARS, _CHIN = (234, 454), 152


def head_model(portrait: Portrait) -> HeadModel:
    """Returns the head that was fitted to a portrait, at rest, with colours from the photo.

    Lashes are left out: without a picture of their hairs they are black bands.
    """
    head = load_head()
    shape = head.base + np.tensordot(portrait.head.identity, head.identity, 1)
    colours = _colours(head, portrait)
    points = head.at_landmarks(shape)
    ears, chin, width = points[list(_EARS)].mean(axis=0), points[_CHIN], float(np.ptp(points[:, 0]))
    pivot = np.array([0.6 * ears[0] + 0.4 * chin[0], chin[1] + 0.12 * width, ears[2] + 0.05 * width])
    eyes = [points[list(corners)].mean(0) for corners in (topology.LEFT_EYE_CORNERS, topology.RIGHT_EYE_CORNERS)]
    return HeadModel(
        parts=tuple(_part(head, name, shape, colours) for name in head.part_names if not name.endswith("lashes")),
        pivot=(_METRES * pivot).astype(np.float32),
        interpupillary=_METRES * float(np.linalg.norm(eyes[0] - eyes[1])),
    )


def _part(head: Head, name: str, shape: Floats, colours: NDArray[np.float32]) -> HeadPart:
    used = head.vertices_of(name)
    number = np.zeros(len(head.base), np.int32)
    number[used] = np.arange(len(used))
    vertices = (_METRES * shape[used]).astype(np.float32)
    painted = colours[used]
    if name in _PLAIN:
        painted = np.tile(np.array(_PLAIN[name], np.float32), (len(used), 1))
    elif name.endswith("eye"):
        painted = _eye_colours(vertices)
    return HeadPart(
        name=name,
        vertices=vertices,
        triangles=number[head.triangles[head.triangle_part == head.part_names.index(name)]],
        targets=(_METRES * head.units[:, used]).astype(np.float32),
        colours=painted.astype(np.float32),
    )


def _colours(head: Head, portrait: Portrait) -> NDArray[np.float32]:
    """Returns each vertex's colour, float32 (n, 3), linear: the photo's where it shows the face, else the skin's."""
    linear = (portrait.rgb.astype(np.float32) / 255) ** 2.2
    size = len(linear)
    columns, rows = (
        np.clip(np.rint(axis).astype(int), 0, size - 1) for axis in portrait.head.vertices[:, :2].T * [[1], [-1]]
    )
    marks = np.clip(np.rint(portrait.landmarks[:, :2]).astype(int), 0, size - 1)
    skin = np.median(linear[marks[:, 1], marks[:, 0]], axis=0)
    seen = head.masks["face"][:, None] * (portrait.person[rows, columns] > 0.5)[:, None]
    inside = head.masks["inside_mouth"][:, None]
    coloured = seen * linear[rows, columns] + (1 - seen) * skin
    return ((1 - inside) * coloured + inside * np.array((0.25, 0.06, 0.05), np.float32)).astype(np.float32)


def _eye_colours(vertices: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns white, iris and pupil by the direction from the eyeball's middle, float32 (n, 3)."""
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    away = vertices - middle
    forward = away[:, 2] / np.maximum(np.linalg.norm(away, axis=1), 1e-9)
    colours = np.where((forward > _IRIS)[:, None], _DARK, _WHITE)
    return np.where((forward > _PUPIL_FROM)[:, None], _PUPIL, colours).astype(np.float32)
