"""Follows one person's head through a video, as a pinhole camera sees it.

A photo's fit sees in weak perspective, which is off by up to a tenth of the face's width when a near head turns; and no
head of the asset's is quite the person's. Here the camera is a pinhole, and the head carries a correction of each
landmark that many views agree on, so that poses and expressions need not make up for either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from avatar.motion.layout import N_BLENDSHAPES
from avatar.portrait import topology
from avatar.portrait.fit import Fit, Pose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from avatar.portrait.fit import HeadFitter
    from avatar.portrait.types import Floats

_CAMERA_DISTANCE = 6.0
"""Face widths between the camera and the nose."""

_EARS = (234, 454)
_CHIN, _NOSE = 152, 4

_FIRST_STEPS, _STEPS = 5, 2
"""How often pose and expression alternate, in a first frame and in one that follows another."""

_OUTLIER = 0.02
"""Face widths: landmarks this far off count half in the pose."""

_PRIOR = 0.03
"""Variance of a landmark's noise over that of its correction."""


@dataclass(frozen=True, slots=True)
class View:
    """A pinhole camera: pixels (y up) = centre + scale * (x, y) * distance / (distance - z).

    Attributes:
        centre: float64 (2,), the optical axis, pixels, y up.
        scale: Pixels per decimetre at depth zero.
        distance: Of the plane of depth zero, decimetres.
    """

    centre: Floats
    scale: float
    distance: float

    def project(self, points: Floats) -> Floats:
        """Returns points (n, 3) of camera space in the picture (n, 2)."""
        return self.centre + self.scale * points[:, :2] * (self.distance / (self.distance - points[:, 2:]))

    def slopes(self, points: Floats) -> Floats:
        """Returns how the picture changes with each point, (n, 2, 3)."""
        zoom = self.scale * self.distance / (self.distance - points[:, 2])
        slopes = np.zeros((len(points), 2, 3))
        slopes[:, 0, 0] = slopes[:, 1, 1] = zoom
        slopes[:, :, 2] = zoom[:, None] * points[:, :2] / (self.distance - points[:, 2:])
        return slopes


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a head is: camera space = rotation @ head space + place.

    Attributes:
        rotation: float64 (3, 3).
        place: float64 (3,), decimetres.
    """

    rotation: Floats
    place: Floats

    def apply(self, points: Floats) -> Floats:
        """Returns points (..., 3) of head space in camera space."""
        return points @ self.rotation.T + self.place


@dataclass(frozen=True, slots=True)
class Followed:
    """A head in one frame.

    Attributes:
        placed: Where it is.
        expression: float64 (52,) in [0, 1].
        residual: Root mean square landmark error in the picture, face widths.
    """

    placed: Placed
    expression: Floats
    residual: float


class HeadFollower:
    """Finds one person's head in frame after frame.

    Args:
        fitter: The head.
        identity: (n_identity,), the person.
        first: The fit of a frame; the camera is placed before it.

    Attributes:
        view: The camera.
    """

    def __init__(self, fitter: HeadFitter, identity: Floats, first: Fit) -> None:
        self._fitter = fitter
        self._identity = identity
        self._rest = fitter.shape(identity, np.zeros(N_BLENDSHAPES))
        self._offsets = np.zeros_like(self._rest)
        middle, width = self._rest.mean(0), float(np.ptp(self._rest[:, 0]))
        seen = first.pose.apply(self.pivot)[:2] + np.array([0, 0.5 * first.pose.scale * width])
        nose = float((first.pose.rotation @ (self._rest[_NOSE] - middle))[2])
        self.view = View(seen, first.pose.scale, _CAMERA_DISTANCE * width + nose)
        flat = (first.pose.apply(middle)[:2] - seen) / first.pose.scale
        self._start = Placed(first.pose.rotation, np.append(flat, 0.0) - first.pose.rotation @ middle)

    @property
    def pivot(self) -> Floats:
        """The point (3,) of head space about which a head turns."""
        ears, chin, width = self._rest[list(_EARS)].mean(0), self._rest[_CHIN], float(np.ptp(self._rest[:, 0]))
        return np.array([0.6 * ears[0] + 0.4 * chin[0], chin[1] + 0.12 * width, ears[2] + 0.05 * width])

    @property
    def interpupillary(self) -> float:
        """Decimetres."""
        eyes = [self._rest[list(c)].mean(0) for c in (topology.LEFT_EYE_CORNERS, topology.RIGHT_EYE_CORNERS)]
        return float(np.linalg.norm(eyes[0] - eyes[1]))

    def follow(
        self, points: Floats, last: Followed | None = None, *, known: Mapping[str, float] | None = None
    ) -> Followed:
        """Returns the head in a frame.

        Args:
            points: (468, 3), landmarks, pixels, y down, z negative towards the viewer.
            last: The frame before, where the search starts.
            known: Coefficients that are not to be fitted; those of `avatar.portrait.fit.LOOKS` are 0 if not given.
        """
        low, high = self._fitter.bounds(known or {})
        n_identity = len(self._identity)
        low[:n_identity] = high[:n_identity] = self._identity
        target = points * [1.0, -1.0, -1.0]
        placed = last.placed if last else self._start
        x = np.concatenate([self._identity, last.expression if last else np.zeros(N_BLENDSHAPES)])
        x = np.clip(x, low, high)
        for _ in range(_STEPS if last else _FIRST_STEPS):
            shape = self.shape(x[n_identity:])
            placed = self._place(shape, target[:, :2], placed)
            moved = self._unseen(target, placed.apply(shape)) - placed.place
            moved = moved @ placed.rotation - self._offsets - self._fitter.mean
            x = self._fitter.explain(moved, placed.rotation, x, low, high)
        shape = self.shape(x[n_identity:])
        placed = self._place(shape, target[:, :2], placed)
        errors = self.view.project(placed.apply(shape)) - target[:, :2]
        residual = np.sqrt((errors**2).sum(1).mean()) / (self.view.scale * self._fitter.face_width)
        return Followed(placed, x[n_identity:], float(residual))

    def fit_of(self, found: Followed) -> Fit:
        """Returns the weak-perspective fit that comes nearest, for what is local to a part of the face."""
        nearer = self.view.distance / (self.view.distance - found.placed.apply(self._rest.mean(0))[2])
        scale = self.view.scale * nearer
        pose = Pose(found.placed.rotation, scale, np.append(self.view.centre + scale * found.placed.place[:2], 0.0))
        return Fit(pose, self._identity, found.expression, found.residual)

    def shape(self, expression: Floats) -> Floats:
        """Returns the person's landmarks (468, 3) in head space."""
        return self._fitter.shape(self._identity, expression) + self._offsets

    def correct(self, seen: Sequence[tuple[Floats, Followed]]) -> None:
        """Moves each landmark of the head to where frames, given with the landmarks (468, 3) seen, agree it is."""
        size = self.view.scale
        matrix = np.tile(np.eye(3) * _PRIOR * len(seen), (topology.N_LANDMARKS, 1, 1))
        goal = np.zeros((topology.N_LANDMARKS, 3))
        for points, found in seen:
            there = found.placed.apply(self.shape(found.expression))
            slopes = self.view.slopes(there) @ found.placed.rotation / size
            errors = (points[:, :2] * [1.0, -1.0] - self.view.project(there)) / size
            matrix += np.einsum("npi,npj->nij", slopes, slopes)
            goal += np.einsum("npi,np->ni", slopes, errors)
        self._offsets = self._offsets + np.linalg.solve(matrix, goal[..., None])[..., 0]

    def _place(self, shape: Floats, target: Floats, start: Placed) -> Placed:
        """Returns where a shape (468, 3) is seen nearest to landmarks (468, 2): two steps of Gauss and Newton."""
        placed = start
        for _ in range(2):
            turned = shape @ placed.rotation.T
            there = turned + placed.place
            errors = (target - self.view.project(there)) / (self.view.scale * self._fitter.face_width)
            weights = self._fitter.pose_weights / (1 + (errors**2).sum(1) / _OUTLIER**2)
            slopes = self.view.slopes(there) / (self.view.scale * self._fitter.face_width)
            x, y, z = turned.T
            nought = np.zeros_like(x)
            turning = np.stack([np.stack(row, 1) for row in ((nought, z, -y), (-z, nought, x), (y, -x, nought))], 1)
            slopes = np.concatenate([slopes @ turning, slopes], axis=2)
            weighted = slopes * weights[:, None, None]
            step = np.linalg.solve(
                np.tensordot(weighted, slopes, ((0, 1), (0, 1))), np.tensordot(weighted, errors, ((0, 1), (0, 1)))
            )
            placed = Placed(np.asarray(cv2.Rodrigues(step[:3])[0]) @ placed.rotation, placed.place + step[3:])
        return placed

    def _unseen(self, target: Floats, there: Floats) -> Floats:
        """Returns landmarks (468, 3) of the picture in camera space, at the depth of the head's own (468, 3).

        The landmark model's depth has no zero, and its unit is that of the picture; so it is set to the head's mean.
        """
        nearer = (self.view.distance - there[:, 2:]) / self.view.distance
        seen = np.empty_like(there)
        seen[:, :2] = (target[:, :2] - self.view.centre) / self.view.scale * nearer
        depth = target[:, 2] / self.view.scale * nearer.mean()
        seen[:, 2] = depth - depth.mean() + there[:, 2].mean()
        return seen
