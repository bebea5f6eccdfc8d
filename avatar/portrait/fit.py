"""Fits the 3D head to 468 landmarks: pose, shape, expression and gaze.

The model is weak perspective with y up and z towards the viewer: landmark = scale * rotation @ (base + sum of a_k
identity_k + sum of b_j unit_j) + translation, with a ~ N(0, 1) and 0 <= b <= 1. The pose comes from a weighted
similarity fit (Umeyama 1991), a and b from one bounded ridge regression on the normal equations; the two alternate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from avatar.motion.layout import BLENDSHAPES, INDEX, N_BLENDSHAPES
from avatar.portrait import topology

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from avatar.portrait.head import Head
    from avatar.portrait.types import Floats

_CONTOUR_WEIGHT = 2.5
_TALKING_WEIGHT = 0.2
"""Share of lips and oval in the pose, which leans on the parts that don't talk."""

_DEPTH_WEIGHT = 0.25
_IDENTITY_RIDGE = 0.002
_EXPRESSION_RIDGE = 0.002
_EXPRESSION_SPARSITY = 3e-6

_RESERVED = {
    "mouthDimple": 3.0,
    "eyeSquint": 3.0,
    "eyeWide": 3.0,
    "mouthPress": 2.0,
    "noseSneer": 2.0,
    "mouthRollUpper": 1.5,
    "mouthShrugUpper": 1.5,
}
"""Units that would soak up what others mean: how many times stiffer each is held."""
_IDENTITY_BOUND = 3.5

LOOKS = tuple(name for name in BLENDSHAPES if name.startswith("eyeLook"))
"""The gaze units: irises say what they are, not landmarks."""

_UNSEEN = ("tongueOut", "cheekPuff")
"""No landmark sees the tongue, and a puffed cheek is nearly always a round face."""


@dataclass(frozen=True, slots=True)
class Pose:
    """A similarity: pixels (y up) = scale * rotation @ point + translation.

    Attributes:
        rotation: float64 (3, 3).
        scale: Pixels per decimetre.
        translation: float64 (3,), pixels.
    """

    rotation: Floats
    scale: float
    translation: Floats

    def apply(self, points: Floats) -> Floats:
        """Returns points (..., 3) in the picture."""
        return self.scale * points @ self.rotation.T + self.translation

    def back(self, points: Floats) -> Floats:
        """Returns picture points (..., 3) in head space."""
        return ((points - self.translation) / self.scale) @ self.rotation


@dataclass(frozen=True, slots=True)
class Fit:
    """The head's parameters in one picture.

    Attributes:
        pose: Where the head is.
        identity: float64 (n_identity,).
        expression: float64 (52,) in [0, 1].
        residual: Root mean square landmark error in the picture plane, face widths.
    """

    pose: Pose
    identity: Floats
    expression: Floats
    residual: float


def similarity(source: Floats, target: Floats, weights: Floats) -> Pose:
    """Returns the pose that takes points (n, 3) nearest to others in weighted least squares (Umeyama 1991)."""
    share = weights / weights.sum()
    middle, aim = share @ source, share @ target
    x, y = source - middle, target - aim
    u, sizes, v = np.linalg.svd((y * share[:, None]).T @ x)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ v))])
    rotation = (u * signs) @ v
    scale = float((sizes * signs).sum() / (x**2 * share[:, None]).sum())
    return Pose(rotation, scale, aim - scale * rotation @ middle)


@njit(cache=True)
def bounded_ridge(
    matrix: NDArray[np.float64],
    target: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    start: NDArray[np.float64],
    sweeps: int,
) -> NDArray[np.float64]:
    """Returns argmin x'Mx/2 - t'x within the box low <= x <= high, by coordinate descent from `start`.

    Args:
        matrix: (n, n), positive definite.
        target: (n,).
        low: (n,).
        high: (n,).
        start: (n,).
        sweeps: Passes over all coordinates at most.
    """
    x = start.copy()
    slack = target - matrix @ x
    for _ in range(sweeps):
        largest = 0.0
        for i in range(len(x)):
            value = min(max(x[i] + slack[i] / matrix[i, i], low[i]), high[i])
            change = value - x[i]
            if change != 0.0:
                x[i] = value
                slack -= change * matrix[i]
                largest = max(largest, abs(change))
        if largest < 1e-5:
            break
    return x


class HeadFitter:
    """Fits one head to pictures of people; holds what all fits share.

    Args:
        head: The 3D head.

    Attributes:
        face_width: Widest distance between the mean head's landmarks, decimetres.
        pose_weights: float64 (468,), what each landmark says about the pose: lips and jaw, which talk, say little.
    """

    def __init__(self, head: Head) -> None:
        self.head = head
        self.mean = head.at_landmarks(head.base).astype(np.float64)
        self._moves = np.concatenate([head.at_landmarks(head.identity), head.at_landmarks(head.units)]).astype(
            np.float64
        )
        self._n_identity = len(head.identity)
        self.face_width = float(np.ptp(self.mean[:, 0]))
        self._weights = np.ones(topology.N_LANDMARKS)
        self._weights[[*topology.LIPS, *topology.LIDS]] = _CONTOUR_WEIGHT
        self.pose_weights = self._weights.copy()
        self.pose_weights[[*topology.LIPS, *topology.OVAL]] *= _TALKING_WEIGHT
        stiff = [next((f for n, f in _RESERVED.items() if name.startswith(n)), 1.0) for name in BLENDSHAPES]
        self._ridge = np.concatenate(
            [np.full(self._n_identity, _IDENTITY_RIDGE**2), (_EXPRESSION_RIDGE * np.array(stiff)) ** 2]
        )
        scaled = self._moves / self.face_width
        share = self._weights / self._weights.sum()
        # Any view's normal matrix is a mix of these nine: (coordinate, coordinate, move, move).
        self._products = np.einsum("pid,i,qie->depq", scaled, share, scaled, optimize=True)
        self._weighted = (scaled * share[:, None]).reshape(len(scaled), -1)

    def shape(self, identity: Floats, expression: Floats) -> Floats:
        """Returns the landmarks (468, 3) of a head in head space."""
        return self.mean + np.tensordot(np.concatenate([identity, expression]), self._moves, 1)

    def fit(self, points: Floats, *, known: Mapping[str, float] | None = None, steps: int = 8) -> Fit:
        """Returns pose, identity and expression of a face.

        Args:
            points: (468, 3), pixels, y down, z negative towards the viewer.
            known: Coefficients that are not to be fitted; those of `LOOKS` are 0 if not given.
            steps: How often pose and shape alternate.
        """
        low, high = self.bounds(known or {})
        target = points * [1.0, -1.0, -1.0]
        x, k = np.clip(np.zeros(len(self._moves)), low, high), self._n_identity
        for _ in range(steps):
            pose = similarity(self.shape(x[:k], x[k:]), target, self.pose_weights)
            x = self.explain(pose.back(target) - self.mean, pose.rotation, x, low, high)
        shape = self.shape(x[:k], x[k:])
        pose = similarity(shape, target, self.pose_weights)
        errors = (pose.apply(shape) - target)[:, :2]
        residual = float(np.sqrt((errors**2).sum(1).mean())) / (pose.scale * self.face_width)
        return Fit(pose, x[:k], x[k:], residual)

    def explain(
        self, moved: Floats, rotation: Floats, start: Floats, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> Floats:
        """Returns the identity and expression, one after the other, that move the mean head's landmarks best.

        Args:
            moved: (468, 3), how far each landmark is from the mean head's, decimetres in head space.
            rotation: (3, 3), head space to the camera's; depth counts less.
            start: (n_identity + 52,), where the search begins.
            low: As `bounds` returns it.
            high: As `bounds` returns it.
        """
        view = rotation.T @ np.diag([1.0, 1.0, _DEPTH_WEIGHT**2]) @ rotation
        matrix = np.asarray(np.tensordot(view, self._products, 2) + np.diag(self._ridge), np.float64)
        goal = self._weighted @ (moved / self.face_width @ view).ravel()
        goal[self._n_identity :] -= _EXPRESSION_SPARSITY
        return bounded_ridge(matrix, goal, low, high, np.asarray(start, np.float64), 100)

    def bounds(self, known: Mapping[str, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns the least and the greatest identity and expression, (n_identity + 52,) each.

        Args:
            known: Coefficients that are not to be fitted; those of `LOOKS` are 0 if not given.
        """
        low = np.concatenate([np.full(self._n_identity, -_IDENTITY_BOUND), np.zeros(N_BLENDSHAPES)])
        high = np.concatenate([np.full(self._n_identity, _IDENTITY_BOUND), np.ones(N_BLENDSHAPES)])
        for name, value in {**dict.fromkeys((*LOOKS, *_UNSEEN), 0.0), **known}.items():
            index = self._n_identity + INDEX[name]
            low[index] = high[index] = np.clip(value, 0, 1)
        return low, high
