"""Loop subdivision of a triangle mesh with boundaries."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_PIECES = (
    ((0, 1, 2),),
    ((0, 3, 2), (3, 1, 2)),
    ((0, 1, 4), (0, 4, 2)),
    ((3, 1, 4), (0, 3, 4), (0, 4, 2)),
    ((0, 1, 5), (5, 1, 2)),
    ((0, 3, 5), (3, 1, 2), (5, 3, 2)),
    ((5, 4, 2), (0, 1, 4), (0, 4, 5)),
    ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
)
"""How a triangle of corners 0, 1, 2 is cut if its edges have middles: bits 1, 2, 4 for 3 (of 0-1), 4 (1-2), 5 (2-0)."""


@dataclass(frozen=True, slots=True)
class Subdivision:
    """A refined mesh as linear functions of the coarse one.

    Attributes:
        n_vertices: How many vertices the refined mesh has.
        smooth: Sparse (n_fine, n_coarse), Loop's weights (Loop 1987; boundaries are cubic splines).
        linear: Sparse (n_fine, n_coarse), plain midpoints.
        faces: int64 (n_faces, 3), same orientation as the coarse faces.
        midpoints: Per level, the vertex that splits each edge (a, b), a < b.
    """

    n_vertices: int
    smooth: csr_array
    linear: csr_array
    faces: NDArray[np.int64]
    midpoints: tuple[dict[tuple[int, int], int], ...]

    def refine(self, chain: Sequence[int]) -> NDArray[np.int64]:
        """Returns a polyline of coarse vertices joined by edges, int64 (n,), with the fine vertices between them."""
        path = list(chain)
        for level in self.midpoints:
            finer = path[:1]
            for a, b in pairwise(path):
                finer += [level[min(a, b), max(a, b)], b]
            path = finer
        return np.array(path)

    def faces_finest_at(self, vertices: NDArray[np.int64], rings: int) -> NDArray[np.int64]:
        """Returns triangles (n, 3) that are of the last level around some vertices and of the level before elsewhere.

        What lies between is split where its neighbours are, so that there are no gaps.

        Args:
            vertices: (k,), those around which all is kept.
            rings: How many rings of the coarser triangles around them.
        """
        children = self.faces.reshape(-1, 4, 3)
        corners, middles = np.stack([children[:, k, k] for k in range(3)], 1), children[:, 3]
        whole = np.concatenate([corners, middles], 1)
        near = np.zeros(self.n_vertices, np.bool_)
        near[vertices] = True
        for _ in range(rings):
            fine = near[whole].any(1)
            near[whole[fine]] = True
        fine = near[whole].any(1)
        split = np.zeros(self.n_vertices, np.bool_)
        split[middles[fine]] = True
        faces: list[NDArray[np.int64]] = []
        for k in range(8):
            chosen = (split[middles] @ [1, 2, 4]) == k
            pieces = np.array(_PIECES[k])
            faces.append(whole[chosen][:, pieces].reshape(-1, 3))
        return np.concatenate(faces)


def subdivide(n_vertices: int, faces: NDArray[np.int64], levels: int) -> Subdivision:
    """Returns a mesh of `n_vertices` and `faces` (n, 3) refined `levels` times."""
    smooth = linear = csr_array(np.eye(n_vertices))
    midpoints: list[dict[tuple[int, int], int]] = []
    for _ in range(levels):
        level = _split(n_vertices, faces)
        n_vertices, faces = level.n_vertices, level.faces
        smooth, linear = csr_array(level.smooth @ smooth), csr_array(level.linear @ linear)
        midpoints += level.midpoints
    return Subdivision(n_vertices, smooth, linear, faces, tuple(midpoints))


def _split(n: int, faces: NDArray[np.int64]) -> Subdivision:
    corners = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    edges, index = np.unique(np.sort(corners, axis=1), axis=0, return_inverse=True)
    index = index.reshape(-1)
    opposite = faces[:, [2, 0, 1]].reshape(-1)
    uses = np.bincount(index, minlength=len(edges))
    rim = uses == 1
    middle = n + np.arange(len(edges))

    # An inner edge's midpoint takes 3/8 of its ends and 1/8 of the two vertices across; a rim's takes half of each.
    end = np.where(rim, 0.5, 0.375)
    inner = ~rim[index]
    rows = [middle, middle, middle[index[inner]]]
    columns = [edges[:, 0], edges[:, 1], opposite[inner]]
    values = [end, end, np.full(int(inner.sum()), 0.125)]

    # An old vertex is drawn towards its neighbours (on a rim: its two rim neighbours; a rim corner stays).
    degree = np.bincount(edges.reshape(-1), minlength=n)
    rim_degree = np.bincount(edges[rim].reshape(-1), minlength=n)
    pull = (0.625 - (0.375 + np.cos(2 * np.pi / np.maximum(degree, 1)) / 4) ** 2) / np.maximum(degree, 1)
    pull[rim_degree > 0] = 0.0
    pull[degree == 0] = 0.0
    on_rim = rim_degree == 2
    for a, b in ((0, 1), (1, 0)):
        rows += [edges[:, a], edges[rim, a]]
        columns += [edges[:, b], edges[rim, b]]
        values += [pull[edges[:, a]], 0.125 * on_rim[edges[rim, a]]]
    rows.append(np.arange(n))
    columns.append(np.arange(n))
    values.append(1.0 - pull * degree - 0.25 * on_rim)

    shape = (n + len(edges), n)
    smooth = csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    smooth.eliminate_zeros()
    halves = (
        np.r_[np.ones(n), np.full(2 * len(edges), 0.5)],
        (np.r_[np.arange(n), middle, middle], np.r_[np.arange(n), edges.T.reshape(-1)]),
    )
    x, y, z = middle[index].reshape(-1, 3).T
    a, b, c = faces.T
    finer = np.stack([a, x, z, x, b, y, z, y, c, x, y, z], 1).reshape(-1, 3)
    lookup = {(int(p), int(q)): int(m) for (p, q), m in zip(edges, middle, strict=True)}
    return Subdivision(n + len(edges), smooth, csr_array(halves, shape=shape), finer, (lookup,))
