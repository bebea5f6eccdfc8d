from __future__ import annotations

from itertools import pairwise

import numpy as np

from avatar.portrait.head import load_head
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, N_LANDMARKS, OVAL
from avatar.render.subdivision import subdivide
from avatar.render.topology import EYES

SQUARE = np.array([[0, 1, 2], [0, 2, 3]])


def test_each_triangle_becomes_four_with_the_same_orientation() -> None:
    corners = np.array([[0.0, 0.0], [1, 0], [1, 1], [0, 1]])
    fine = subdivide(4, SQUARE, 1)
    a, b, c = (fine.linear @ corners)[fine.faces.T]
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    areas = (ux * vy - uy * vx) / 2
    assert len(fine.faces) == 8
    np.testing.assert_allclose(areas, 1 / 8)


def test_midpoints_lie_between_their_ends() -> None:
    fine = subdivide(4, SQUARE, 1)
    corners = np.array([[0.0, 0.0], [1, 0], [1, 1], [0, 1]])
    places = fine.linear @ corners
    for (a, b), middle in fine.midpoints[0].items():
        np.testing.assert_allclose(places[middle], (corners[a] + corners[b]) / 2)


def test_weights_sum_to_one_so_that_a_shift_stays_a_shift() -> None:
    fine = subdivide(N_LANDMARKS, load_head().tessellation.astype(np.int64), 2)
    np.testing.assert_allclose(fine.smooth.sum(1), 1)
    np.testing.assert_allclose(fine.linear.sum(1), 1)


def test_a_contour_is_refined_along_edges_of_the_finer_mesh() -> None:
    fine = subdivide(N_LANDMARKS, load_head().tessellation.astype(np.int64), 2)
    contour = fine.refine(LIP_INNER_UPPER)
    assert tuple(contour[::4]) == LIP_INNER_UPPER
    edges = {frozenset(pair) for a, b, c in fine.faces.tolist() for pair in ((a, b), (b, c), (c, a))}
    assert all(frozenset(pair) in edges for pair in zip(contour[:-1].tolist(), contour[1:].tolist(), strict=True))


def test_the_rim_of_a_hole_does_not_feel_the_points_across() -> None:
    fine = subdivide(N_LANDMARKS, load_head().tessellation.astype(np.int64), 2)
    contour = fine.refine(LIP_INNER_UPPER)[1:-1]
    used = np.unique(fine.smooth[contour].indices)
    assert set(used.tolist()) <= set(LIP_INNER_UPPER) | {95, 324}


def test_a_mesh_that_is_finest_at_a_contour_covers_all_without_gaps() -> None:
    head = load_head()
    fine = subdivide(N_LANDMARKS, head.tessellation.astype(np.int64), 2)
    mouth = [fine.refine(contour) for contour in (LIP_INNER_UPPER, LIP_INNER_LOWER)]
    openings = np.concatenate([*mouth, *(fine.refine(c) for eye in EYES for c in (eye.upper, eye.lower))])
    rim = fine.refine([*OVAL, OVAL[0]])
    faces = fine.faces_finest_at(np.concatenate([openings, rim]), 1)
    assert len(faces) < 0.6 * len(fine.faces)
    places = (fine.linear @ head.at_landmarks(head.base))[:, :2]
    np.testing.assert_allclose(signed_areas(places, faces).sum(), signed_areas(places, fine.faces).sum())
    sides = [(a, b) for face in faces.tolist() for a, b in pairwise([*face, face[0]])]
    assert len(set(sides)) == len(sides)
    known = set(sides)
    open_sides = {frozenset(side) for side in sides if side[::-1] not in known}
    whole = [(a, b) for face in fine.faces.tolist() for a, b in pairwise([*face, face[0]])]
    known = set(whole)
    assert open_sides == {frozenset(side) for side in whole if side[::-1] not in known}


def signed_areas(places: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = places[faces.T]
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    return (ux * vy - uy * vx) / 2
