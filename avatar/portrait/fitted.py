"""The head in a portrait: the fit's mesh in pixels, bent so that every landmark lies exactly where it was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import cdist

from avatar.motion.layout import INDEX
from avatar.portrait import topology
from avatar.portrait.gaze import GazeMeter, look_coefficients
from avatar.portrait.types import HeadFit

if TYPE_CHECKING:
    from avatar.portrait.fit import Fit, HeadFitter
    from avatar.portrait.head import Head
    from avatar.portrait.landmarks import Landmarks
    from avatar.portrait.types import Floats

_REACH = (0.8, 0.2, 0.07)
"""Widths of the Gaussians that carry the correction, decimetres: from broad to local."""

_RIDGE = (0.3, 0.05, 1e-3)


def fit_landmarks(fitter: HeadFitter, seen: Landmarks) -> Fit:
    """Returns the head's fit with the gaze that the irises show."""
    rough = fitter.fit(seen.points)
    looks = look_coefficients(*GazeMeter(fitter).angles(rough, seen.points, seen.irises))
    return fitter.fit(seen.points, known=looks)


def exact_vertices(head: Head, fit: Fit, points: Floats) -> Floats:
    """Returns the fitted mesh (n, 3), pixels, y up, bent onto the landmarks (468, 3), pixels, y down."""
    shape = head.base + np.tensordot(fit.identity, head.identity, 1) + np.tensordot(fit.expression, head.units, 1)
    vertices = fit.pose.apply(shape)
    vertices[:, :2] += _correction(head, points[:, :2] * [1, -1] - head.at_landmarks(vertices)[:, :2])
    return vertices


def ears_of(head: Head, vertices: Floats) -> tuple[Floats, Floats]:
    """Returns the two ears of a fitted mesh (n, 3), pixels, y up, as points (k, 2), pixels, y down."""
    of_ears = head.masks["ears"] > 0.5
    left, right = (vertices[of_ears & (side * head.base[:, 0] > 0), :2] * [1, -1] for side in (-1, 1))
    return left, right


def head_fit(head: Head, fit: Fit, vertices: Floats) -> HeadFit:
    """Returns a fit with its mesh (n, 3) and the units' displacements of it."""
    deltas = fit.pose.scale * head.units @ fit.pose.rotation.T.astype(np.float32)
    return HeadFit(
        identity=fit.identity.astype(np.float32),
        expression=fit.expression.astype(np.float32),
        rotation=fit.pose.rotation.astype(np.float32),
        scale=fit.pose.scale,
        translation=fit.pose.translation.astype(np.float32),
        residual=fit.residual,
        vertices=vertices.astype(np.float32),
        deltas=deltas.astype(np.float32),
    )


def landmark_deltas(head: Head, fitted: HeadFit) -> Floats:
    """Returns the ARKit units on the landmarks (52, 468, 3), pixels, y up.

    `mouthClose` is corrected on the inner lips, so that it cancels the gap of an equally open jaw exactly.
    """
    deltas = head.at_landmarks(fitted.deltas)
    upper, lower = list(topology.LIP_INNER_UPPER[1:-1]), list(topology.LIP_INNER_LOWER[1:-1])
    close, gap = deltas[INDEX["mouthClose"]], deltas[INDEX["jawOpen"]] + deltas[INDEX["mouthClose"]]
    half = (gap[upper] - gap[lower]) / 2
    close[upper] -= half
    close[lower] += half
    return deltas


def _correction(head: Head, errors: Floats) -> Floats:
    """Returns how far to move each vertex (n, 2) so that the landmarks move by `errors` (468, 2), pixels.

    Distances are measured on a face with its mouth and eyes open, so that one lip's error doesn't pull the other.
    Skin and lashes are bent; eyeballs, teeth and tongue move as wholes.
    """
    parted = head.base + 0.7 * head.units[INDEX["jawOpen"]]
    parted = parted + 0.5 * (head.units[INDEX["eyeWideLeft"]] + head.units[INDEX["eyeWideRight"]])
    anchors = head.at_landmarks(parted)
    moves, left = np.zeros((len(parted), 2)), errors
    for reach, ridge in zip(_REACH, _RIDGE, strict=True):
        kernel = np.exp(-cdist(parted, anchors, "sqeuclidean") / (2 * reach**2))
        at_anchors = np.einsum("lcd,lc->ld", kernel[head.corners], head.weights)
        strengths = np.linalg.solve(at_anchors.T @ at_anchors + ridge**2 * np.eye(len(anchors)), at_anchors.T @ left)
        moves += kernel @ strengths
        left = left - at_anchors @ strengths
    for part in head.part_names:
        if not part.endswith(("skin", "lashes")):
            vertices = head.vertices_of(part)
            moves[vertices] = moves[vertices].mean(0)
    return moves
