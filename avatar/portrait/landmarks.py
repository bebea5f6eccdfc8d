"""468 landmarks of a face, and its irises.

The models are MediaPipe's face mesh (Kartynnik et al. 2019) and iris model (Ablavatski et al. 2020).
Two ways in: `LandmarkModel.landmarks` looks carefully at one photo, `LandmarkModel.track` follows a face from frame to
frame with one run of the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avatar.portrait.detector import Detection, Detector
from avatar.portrait.network import Network
from avatar.portrait.region import Region, region_of
from avatar.portrait.topology import (
    LEFT_EYE,
    LEFT_EYE_CORNERS,
    N_LANDMARKS,
    RIGHT_EYE,
    RIGHT_EYE_CORNERS,
)
from avatar.portrait.types import Iris

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SCORE = 0.5
"""Below this score the mesh model sees no face in its region."""

_GROW_BOX, _GROW_MESH, _GROW_EYE = 1.5, 1.5, 2.3
_IRIS_SHARE = 0.65
"""Weight of the iris model in the eye contour; the rest is the mesh's."""

_MESH_ORIGIN = 0.25
"""Where the mesh model puts a pixel's centre: found by comparing five faces with their mirror images."""

_JITTER = (
    *({"right": 0.02}, {"right": -0.02}, {"down": 0.02}, {"down": -0.02}),
    *({"grow": 1.06}, {"grow": 0.95}, {"turn": 0.05}, {"turn": -0.05}),
)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What was measured on one face.

    Attributes:
        points: float32 (468, 3), pixels, y down, z negative towards the viewer.
        score: The mesh model's confidence that this is a face, in [0, 1].
        irises: Of the picture's left eye (the person's right) and of the picture's right eye.
    """

    points: NDArray[np.float32]
    score: float
    irises: tuple[Iris, Iris]


class LandmarkModel:
    """The detector, the mesh and the iris model, loaded once; one CPU thread."""

    def __init__(self) -> None:
        self._detector = Detector()
        self._mesh = Network("face_landmark")
        self._iris = Network("iris_landmark")

    def detect(self, rgb: NDArray[np.uint8]) -> list[Detection]:
        """Returns the faces in a picture, uint8 (height, width, 3), widest first."""
        return self._detector(rgb)

    def landmarks(self, rgb: NDArray[np.uint8], face: Detection | None = None) -> Landmarks | None:
        """Returns the landmarks of a face, averaged over nine slightly moved regions, or None where there is no face.

        Args:
            rgb: uint8 (height, width, 3).
            face: Which face; the widest one if not given.
        """
        if face is None:
            found = self.detect(rgb)
            if not found:
                return None
            face = found[0]
        region = self._region_of_box(face)
        for _ in range(3):
            points, score = self._run(rgb, region)
            if score < LEAST_SCORE:
                return None
            region = self._region_of_points(points)
        runs = [self._run(rgb, region)] + [self._run(rgb, region.moved(**change)) for change in _JITTER]
        points = np.stack([points for points, _ in runs]).mean(0)
        points = points.astype(np.float32)
        return Landmarks(points, float(np.mean([score for _, score in runs])), self.irises(rgb, points))

    def track(self, rgb: NDArray[np.uint8], previous: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        """Returns the landmarks (468, 3) near where they were in the previous frame, and the score of a face there.

        Below `LEAST_SCORE` the face is lost and the landmarks mean nothing; call `landmarks` or `detect` then.
        """
        return self._run(rgb, self._region_of_points(previous))

    def irises(self, rgb: NDArray[np.uint8], points: NDArray[np.float32]) -> tuple[Iris, Iris]:
        """Returns the irises of the picture's left eye and of the picture's right eye."""
        return self._eye(rgb, points, left=False), self._eye(rgb, points, left=True)

    @staticmethod
    def _region_of_box(face: Detection) -> Region:
        across = face.keypoints[1] - face.keypoints[0]
        middle = (face.box[:2] + face.box[2:]) / 2
        side = _GROW_BOX * float((face.box[2:] - face.box[:2]).max())
        return Region(float(middle[0]), float(middle[1]), side, float(np.arctan2(across[1], across[0])))

    @staticmethod
    def _region_of_points(points: NDArray[np.float32]) -> Region:
        return region_of(points, start=RIGHT_EYE_CORNERS[0], end=LEFT_EYE_CORNERS[0], grow=_GROW_MESH)

    def _run(self, rgb: NDArray[np.uint8], region: Region) -> tuple[NDArray[np.float32], float]:
        size = self._mesh.size
        values, logit = self._mesh(region.cut(rgb, size) / 255)
        points = region.to_picture(values.reshape(N_LANDMARKS, 3), size, origin=_MESH_ORIGIN)
        return points, float(1 / (1 + np.exp(-float(logit.ravel()[0]))))

    def _eye(self, rgb: NDArray[np.uint8], points: NDArray[np.float32], *, left: bool) -> Iris:
        size = self._iris.size
        outer, inner = LEFT_EYE_CORNERS if left else RIGHT_EYE_CORNERS
        start, end = (1, 0) if left else (0, 1)
        region = region_of(points[[outer, inner]], start=start, end=end, grow=_GROW_EYE)
        picture = region.cut(rgb, size) / 255
        contour, iris = self._iris(picture[:, ::-1] if left else picture)
        contour, iris = contour.reshape(-1, 3), iris.reshape(-1, 3)
        if left:
            contour[:, 0], iris[:, 0] = size - contour[:, 0], size - iris[:, 0]
        contour, iris = region.to_picture(contour, size)[:16, :2], region.to_picture(iris, size)[:, :2]
        mesh = points[list(LEFT_EYE if left else RIGHT_EYE), :2]
        return Iris(
            centre=iris[0].copy(),
            radius=float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()),
            contour=(_IRIS_SHARE * contour + (1 - _IRIS_SHARE) * mesh).astype(np.float32),
        )
