"""The sheet that is warped: the face mesh, refined, and the rest of the picture around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, diags_array, vstack

from avatar.portrait.head import load_head
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, N_LANDMARKS, OVAL
from avatar.render.deform import Weights
from avatar.render.lips import closing_offsets
from avatar.render.outside import Outside
from avatar.render.skull import depth_floor
from avatar.render.subdivision import Subdivision, subdivide
from avatar.render.topology import EYES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_LARGE = 300
"""Pixels: on a face narrower than this, triangles of the last level are about one pixel large."""
_RINGS = 1
"""Rings of triangles around the eyes, the mouth and the outline that are drawn as fine as can be."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Two contours with a hole between them, corner to corner, the picture's left first.

    Attributes:
        upper: int32 (n,), vertices.
        lower: int32 (n,).
    """

    upper: NDArray[np.int32]
    lower: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Surface:
    """The sheet at rest and how it follows the landmarks and the head.

    Attributes:
        rest: float32 (n_vertices, 3), pixels, y up, z to the viewer.
        texture: float32 (n_vertices, 2), column and row in the portrait's picture.
        follow: float32 (n_vertices,), 1 moves with the head, 0 stays.
        weights: Moves of the landmarks to moves of the vertices.
        faces: int32 (n_faces, 3).
        n_face: The first vertices, which lie on the face.
        mouth: Inner lips.
        eyes: Lids; the picture's left eye first.
        strips: Per eye, the first of the vertices that repeat its lower lid to hang a strip from the upper one.
        beyond: How far the sheet may reach beyond the picture, pixels; there it shows the picture's mirror image.
    """

    rest: NDArray[np.float32]
    texture: NDArray[np.float32]
    follow: NDArray[np.float32]
    weights: Weights
    faces: NDArray[np.int32]
    n_face: int
    mouth: Opening
    eyes: tuple[Opening, Opening]
    strips: tuple[int, int]
    beyond: int


def build_surface(face: Face, person: NDArray[np.float32], *, cut_out: bool = False) -> Surface:
    """Returns the sheet of a face.

    Args:
        face: The face, lips at the photo's own place.
        person: float32 (size, size), matte of the person.
        cut_out: The room isn't on the sheet, so that all around the head may move with it.
    """
    fine = subdivide(N_LANDMARKS, load_head().tessellation.astype(np.int64), 2)
    n_face = fine.n_vertices
    mouth = Opening(*(fine.refine(c).astype(np.int32) for c in (LIP_INNER_UPPER, LIP_INNER_LOWER)))
    eyes = [Opening(*(fine.refine(c).astype(np.int32) for c in (eye.upper, eye.lower))) for eye in EYES]
    rim = fine.refine([*OVAL, OVAL[0]])[:-1]

    rest = fine.linear @ face.points
    rest[:, 2] = (fine.smooth @ face.points)[:, 2]
    outside = Outside(face, rest[rim], person, cut_out=cut_out)
    rest = np.concatenate([rest, outside.points])
    rest[:, 2] = np.maximum(rest[:, 2], depth_floor(rest[:, :2], face.points))
    smooth = _linear_on(np.concatenate([c for eye in eyes for c in (eye.upper, eye.lower)]), fine)
    weights = csr_array(vstack([smooth, outside.expression @ fine.smooth[rim]]))
    texture = rest[:, :2].copy()
    if not face.mouth_closed:
        rest += _closing(face, fine, weights, mouth)

    follow = np.concatenate([np.ones(n_face), outside.follow()])
    faces = [outside.faces(rim, n_face), _strip(mouth.upper, mouth.lower)]
    strips: list[int] = []
    for eye in eyes:
        first = len(rest)
        strips.append(first)
        faces.append(_strip(eye.upper, np.arange(first, first + len(eye.lower), dtype=np.int32)))
        rest = np.concatenate([rest, rest[eye.lower]])
        texture = np.concatenate([texture, texture[eye.lower]])
        follow = np.concatenate([follow, follow[eye.lower]])
        weights = csr_array(vstack([weights, weights[eye.lower]]))
    openings = np.concatenate([c for opening in (mouth, *eyes) for c in (opening.upper, opening.lower)])
    drawn = fine.faces
    if face.width < _LARGE:
        drawn = fine.faces_finest_at(np.concatenate([openings, rim]).astype(np.int64), _RINGS)
        used = np.ones(len(rest))
        used[np.setdiff1d(np.arange(n_face), drawn)] = 0.0
        weights = csr_array(diags_array(used) @ weights)
        weights.eliminate_zeros()
    faces.append(drawn)
    return Surface(
        rest=rest.astype(np.float32),
        texture=((texture * [1.0, -1.0] + 0.5) * face.texels - 0.5).astype(np.float32),
        follow=follow.astype(np.float32),
        weights=_rows(weights),
        faces=np.concatenate(faces).astype(np.int32),
        n_face=n_face,
        mouth=mouth,
        eyes=(eyes[0], eyes[1]),
        strips=(strips[0], strips[1]),
        beyond=outside.beyond,
    )


def _rows(matrix: csr_array) -> Weights:
    return Weights(
        np.asarray(matrix.indptr, np.int32), np.asarray(matrix.indices, np.int32), np.asarray(matrix.data, np.float32)
    )


def _linear_on(contour: NDArray[np.int32], fine: Subdivision) -> csr_array:
    """Returns Loop's weights, but midpoints on a contour: what closes its coarse points then closes all of it."""
    keep = np.ones(fine.n_vertices)
    keep[contour] = 0.0
    return csr_array(diags_array(keep) @ fine.smooth + diags_array(1.0 - keep) @ fine.linear)


def _closing(face: Face, fine: Subdivision, weights: csr_array, mouth: Opening) -> NDArray[np.float64]:
    offsets = closing_offsets(face)
    moved = weights @ offsets
    contour = np.concatenate([mouth.upper, mouth.lower])
    moved[contour] = (fine.linear @ offsets)[contour]
    return moved


def _strip(upper: NDArray[np.int32], lower: NDArray[np.int32]) -> NDArray[np.int32]:
    quads = np.stack([upper[:-1], lower[:-1], lower[1:], upper[:-1], lower[1:], upper[1:]], 1).reshape(-1, 3)
    whole = (quads[:, 0] != quads[:, 1]) & (quads[:, 1] != quads[:, 2]) & (quads[:, 2] != quads[:, 0])
    return quads[whole]
