"""The 3D head that is fitted to portraits: CC0 MakeHuman data, built by `scripts/build_head_asset.py`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np

from avatar.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MASKS = ("face", "lips", "inside_mouth", "ears", "eyelids")


@dataclass(frozen=True, slots=True)
class Head:
    """A mesh of skin, eyeballs, teeth, tongue and lashes with its expressions and shapes.

    Decimetres; x to the person's left (the picture's right), y up, z to the viewer, origin between the eyes.

    Attributes:
        base: float32 (n, 3), an average young face at rest.
        triangles: int32 (m, 3), counter-clockwise seen from outside.
        triangle_part: uint8 (m,), index into `part_names`.
        part_names: skin, left_eye, right_eye, upper_teeth, lower_teeth, tongue, left_lashes, right_lashes.
        units: float32 (52, n, 3), the ARKit units in the order of `avatar.motion.layout.BLENDSHAPES`, at coefficient 1.
        identity: float32 (60, n, 3), principal directions of shape; a person's weights are N(0, 1).
        corners: int32 (468, 3), for each of MediaPipe's landmarks the vertices of its triangle.
        weights: float32 (468, 3), and where on it.
        mirror: int32 (468,), each landmark's partner on the other side of the face.
        tessellation: int32 (852, 3), triangles of the landmarks; mouth and eyes are holes.
        masks: float32 (n,) in [0, 1] by name: face, lips, inside_mouth, ears, eyelids.
    """

    base: NDArray[np.float32]
    triangles: NDArray[np.int32]
    triangle_part: NDArray[np.uint8]
    part_names: tuple[str, ...]
    units: NDArray[np.float32]
    identity: NDArray[np.float32]
    corners: NDArray[np.int32]
    weights: NDArray[np.float32]
    mirror: NDArray[np.int32]
    tessellation: NDArray[np.int32]
    masks: dict[str, NDArray[np.float32]]

    def at_landmarks(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns (..., 468, 3): positions or displacements (..., n, 3) at MediaPipe's landmarks."""
        return np.einsum("...lcd,lc->...ld", values[..., self.corners, :], self.weights)

    def vertices_of(self, part: str) -> NDArray[np.intp]:
        """Returns the vertices that the triangles of a part use, in order."""
        return np.unique(self.triangles[self.triangle_part == self.part_names.index(part)]).astype(np.intp)


@cache
def load_head() -> Head:
    """Returns the head; it is read once.

    Raises:
        ModelError: The file is missing or damaged.
    """
    try:
        with as_file(files("avatar.portrait") / "data/head.npz") as path, np.load(path) as file:
            data: dict[str, NDArray[np.float32]] = {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise ModelError(
            "loading head.npz",
            expected="the 3D head that comes with this program",
            got=type(error).__name__,
            hint="restore avatar/portrait/data from the repository",
        ) from error
    return Head(
        base=data["base"],
        triangles=data["triangles"].astype(np.int32),
        triangle_part=data["triangle_part"].astype(np.uint8),
        part_names=tuple(str(name) for name in data["part_names"]),
        units=data["units"].astype(np.float32),
        identity=data["identity"].astype(np.float32),
        corners=data["landmark_corners"].astype(np.int32),
        weights=data["landmark_weights"],
        mirror=data["landmark_mirror"].astype(np.int32),
        tessellation=data["tessellation"].astype(np.int32),
        masks={name: data[f"mask_{name}"].astype(np.float32) for name in MASKS},
    )
