"""What a photo becomes at set-up: all that a renderer needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""Numbers inside the set-up, whichever precision."""


@dataclass(frozen=True, slots=True)
class Iris:
    """One eye's iris and contour in the picture.

    Attributes:
        centre: float32 (2,), pixels of the portrait picture.
        radius: Pixels.
        contour: float32 (16, 2), eye contour, pixels.
    """

    centre: NDArray[np.float32]
    radius: float
    contour: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HeadFit:
    """The CC0 head fitted to the portrait by weak perspective: pixels = scale * rotation @ vertex + translation.

    Head space is the asset's: decimetres, x to the picture's right, y up, z to the viewer.

    Attributes:
        identity: float32 (n_identity,), weights of the asset's identity directions.
        expression: float32 (52,), the photo's own ARKit coefficients, clipped to [0, 1].
        rotation: float32 (3, 3), head space to camera space (y up).
        scale: Pixels per decimetre.
        translation: float32 (3,), pixels, y up (so picture y = -y).
        residual: Root mean square landmark error in face widths, before the exact correction.
        vertices: float32 (n_vertices, 3), the fitted head with the photo's expression: pixels, y up, z to the viewer.
        deltas: float32 (52, n_vertices, 3), the ARKit units of this head, same space.
    """

    identity: NDArray[np.float32]
    expression: NDArray[np.float32]
    rotation: NDArray[np.float32]
    scale: float
    translation: NDArray[np.float32]
    residual: float
    vertices: NDArray[np.float32]
    deltas: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Portrait:
    """A photo cropped to a square, with everything measured on it.

    Attributes:
        rgb: uint8 (size, size, 3), the picture at the texture's resolution.
        landmarks: float32 (468, 3), MediaPipe face mesh in pixels of `rgb`, y down, z negative towards the viewer.
        landmark_deltas: float32 (52, 468, 3), ARKit units on the landmarks, pixels of `rgb`, y up, z to the viewer.
        irises: Of the picture's left eye (the person's right) and of the picture's right eye.
        person: float32 (size, size) in [0, 1], matte of the person.
        head: The fitted head.
        face_width: Widest distance across the face oval, pixels of `rgb`.
        interpupillary: Distance between the iris centres, pixels of `rgb`.
        digest: SHA-256 of the photo's bytes; names cached results.
        behind: uint8 (size, size, 3), the picture without the person, or None if the matte can't be trusted.
    """

    rgb: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    landmark_deltas: NDArray[np.float32]
    irises: tuple[Iris, Iris]
    person: NDArray[np.float32]
    head: HeadFit
    face_width: float
    interpupillary: float
    digest: str
    behind: NDArray[np.uint8] | None = None
