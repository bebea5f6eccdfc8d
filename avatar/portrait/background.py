"""The room behind the person, carried on behind the edge of the head where the matte can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

from avatar.portrait.topology import OVAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from avatar.portrait.types import Floats

_SIDE = 512
"""The hidden room is painted at this size; it is seen only in the small gap that a turned head leaves."""
_REACH = 0.3
"""How far behind the person's edge the room is mirrored, face widths; further in, its mean colours are carried on."""
_CALM = 0.03
"""The person's edge is smoothed by this much before the room is mirrored at it, face widths."""
_MARGIN = 0.06
"""How far beyond the matte something of the person may stand out, a collar or a strand of hair, face widths."""
_SEEN = 0.03
"""Less of the person than this in a pixel is none."""
_SOFTEST = 0.03
"""A matte whose edge is softer than this, in face widths, doesn't know where the person ends."""
_NEAR = 0.22
"""What belongs to the person although the matte leaves it out, a flower or a lock, is so near, face widths."""
_UNLIKE = 2.5
"""So many standard deviations from the room around make a pixel no part of the room."""
_SKIN = 12.0
"""Skin differs from the face's median by less, in a* and b* of CIELAB."""
_GRAIN = 6.0
"""Grey levels by which pixels of any room differ."""
_BORDER = 0.012
"""Width of the Gaussian that sees what lies on either side of a thing's border, face widths."""
_EDGE = 20.0
"""Grey levels by which a thing differs from the room beside it where it ends."""
_MOSTLY = 0.5
"""So much of its border at least ends."""
_ON = 0.35
"""What looks the same in more of what lies beyond its end goes on."""
_KNOWN_ROOM = 0.03
"""Less of the picture than this away from the person tells too little of the room."""
_LINES = 0.06
"""Lines of the room are looked for within this much, face widths."""
_GRAZING = 0.35
"""Lines that meet the edge at less than this sine run along it."""
_FLAT = 2.0
"""Mean squared slope, grey levels a pixel, of a room without lines."""
_FINE = 6.0
"""Pixels: a wider Gaussian needs no more of the picture than makes it so wide."""
_COARSE = 128
"""How the room goes on over long distances is computed at this size."""
_FACE_INSIDE = 0.97
_LEAST_ROOM = 0.04
"""Less room than this, as a share of the picture, is too little to know what goes on behind the person."""


def background_behind(
    rgb: NDArray[np.uint8],
    person: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    ears: Sequence[Floats] = (),
) -> NDArray[np.uint8] | None:
    """Returns the picture without the person, uint8 (size, size, 3), or None if the matte can't be trusted.

    Near the person's edge the room is its own mirror image: what begins beside the edge goes on behind it, with its
    grain, and nothing tells where the photo ends.

    Args:
        rgb: uint8 (size, size, 3).
        person: float32 (size, size) in [0, 1], the matte.
        landmarks: float32 (468, 2 or 3), pixels.
        ears: (n, 2) each, pixels of where the fitted head has an ear: the matte leaves out those at the picture's edge.
    """
    outline = landmarks[list(OVAL), :2]
    if not trusted(person, outline):
        return None
    size = rgb.shape[0]
    width = float(np.ptp(outline[:, 0])) * _SIDE / size
    small = np.asarray(cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    seen = cv2.resize(person, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) > _SEEN
    reach = 2 * round(_MARGIN * width) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    covered = _covered([ear * (_SIDE / size) for ear in ears]) & _skin(small, outline * (_SIDE / size))
    whole = seen | _belongings(small, seen, width) | covered
    hidden = np.asarray(cv2.dilate(whole.astype(np.uint8), disc), np.uint8)
    filled = _mirrored(small, hidden > 0, width)
    large = np.asarray(cv2.resize(filled, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    room = cv2.resize(hidden, (size, size), interpolation=cv2.INTER_NEAREST) == 0
    return np.where(room[..., None], rgb, large)


def trusted(person: NDArray[np.float32], outline: Floats) -> bool:
    """Returns whether a matte (size, size) knows where the person with this face outline (n, 2) ends."""
    face = np.zeros(person.shape, np.uint8)
    cv2.fillPoly(face, [outline.round().astype(np.int32)], (1,))
    width = float(np.ptp(outline[:, 0]))
    contours, _ = cv2.findContours((person > 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    length = sum(len(contour) for contour in contours)
    soft = int(((person > 0.05) & (person < 0.95)).sum())
    return bool(
        length > 0
        and float(person[face > 0].mean()) > _FACE_INSIDE
        and soft < _SOFTEST * width * length
        and float((person < _SEEN).mean()) > _LEAST_ROOM
    )


def _covered(shapes: Sequence[Floats]) -> NDArray[np.bool_]:
    """Returns what lies within the outlines of clouds of points (n, 2), bool (_SIDE, _SIDE)."""
    covered = np.zeros((_SIDE, _SIDE), np.uint8)
    for shape in shapes:
        cv2.fillConvexPoly(covered, cv2.convexHull(shape.round().astype(np.int32)), (1,))
    return covered > 0


def _belongings(rgb: NDArray[np.uint8], seen: NDArray[np.bool_], width: float) -> NDArray[np.bool_]:
    """Returns what is joined to the person seen in a picture (h, w, 3), near and unlike the room around, (h, w)."""
    apart = np.asarray(cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    coarse = _COARSE / len(rgb)
    far = np.asarray(cv2.resize(apart, (_COARSE, _COARSE), interpolation=cv2.INTER_NEAREST)) > _NEAR * width
    if float(far.mean()) < _KNOWN_ROOM:
        return np.zeros_like(seen)
    small = np.asarray(cv2.resize(rgb, (_COARSE, _COARSE), interpolation=cv2.INTER_NEAREST), np.float32)
    mean = _carried(small, far, 0.5 * _NEAR * width * coarse)
    spread = _carried((small - mean) ** 2, far, 0.5 * _NEAR * width * coarse)
    mean, spread = (cv2.resize(v, seen.shape[::-1], interpolation=cv2.INTER_LINEAR) for v in (mean, spread))
    unlike = np.sqrt(((rgb - mean) ** 2 / (spread + _GRAIN**2)).mean(-1)) > _UNLIKE
    beside = _whole(unlike & ~seen & (apart < _NEAR * width))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((seen | beside).astype(np.uint8))
    joined = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())) & ~seen
    return _ending(rgb, joined, seen, width)


def _ending(
    rgb: NDArray[np.uint8], things: NDArray[np.bool_], seen: NDArray[np.bool_], width: float
) -> NDArray[np.bool_]:
    """Returns the connected parts of things (h, w) that end: a shade or a gap of the room goes over into it."""
    picture, reach = rgb.astype(np.float32), _BORDER * width

    def beside(part: NDArray[np.bool_]) -> NDArray[np.float32]:
        share = part.astype(np.float32)
        weight = np.asarray(cv2.GaussianBlur(share, (0, 0), reach), np.float32)[..., None] + np.float32(1e-4)
        return (cv2.GaussianBlur(picture * share[..., None], (0, 0), reach) / weight).astype(np.float32)

    room = ~things & ~seen
    ends = np.sqrt(((beside(things) - beside(room)) ** 2).mean(-1)) > _EDGE
    border = things & (cv2.dilate(room.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    n_labels, found = cv2.connectedComponents(things.astype(np.uint8))
    labels = np.asarray(found, np.int32)
    ending = np.bincount(labels[border & ends], minlength=n_labels)
    whole = np.maximum(np.bincount(labels[border], minlength=n_labels), 1)
    kept = ending >= _MOSTLY * whole
    kept[0] = False
    apart = np.asarray(cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    for label in np.flatnonzero(kept).tolist():
        kept[label] = not _goes_on(picture, labels == label, apart, 3 * reach)
    return kept[labels]


def _goes_on(picture: Floats, thing: NDArray[np.bool_], apart: NDArray[np.float32], reach: float) -> bool:
    """Returns whether a picture (h, w, 3) looks the same beyond the end of a thing (h, w) farthest from the person."""
    farthest = float(apart[thing].max())
    tip = thing & (apart > farthest - reach)
    size = 2 * round(reach) + 1
    around = cv2.dilate(tip.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    unlike = np.sqrt(((picture[(around > 0) & (apart > farthest)] - np.median(picture[tip], axis=0)) ** 2).mean(-1))
    return unlike.size > 0 and float((unlike < _EDGE).mean()) > _ON


def _whole(things: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns the connected parts of things (h, w) that the picture's edge doesn't cut: what it cuts is the room's."""
    n_labels, found = cv2.connectedComponents(things.astype(np.uint8))
    labels = np.asarray(found, np.int32)
    kept = np.ones(n_labels, np.bool_)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        kept[edge] = False
    return things & kept[labels]


def _skin(rgb: NDArray[np.uint8], outline: Floats) -> NDArray[np.bool_]:
    """Returns where a picture (h, w, 3) has the hue of the face in it, of this outline (n, 2), in light or in shade."""
    lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)
    face = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillPoly(face, [outline.round().astype(np.int32)], (1,))
    return np.linalg.norm(lab[..., 1:] - np.median(lab[face > 0], axis=0)[1:], axis=-1) < _SKIN


def _mirrored(rgb: NDArray[np.uint8], hidden: NDArray[np.bool_], width: float) -> NDArray[np.uint8]:
    """Returns the picture (h, w, 3) with what is hidden mirrored from beyond its edge; deep inside, colours carried."""
    found = distance_transform_edt(hidden, return_indices=True)
    depth, nearest = cast("tuple[Floats, NDArray[np.int32]]", found)
    place = np.indices(hidden.shape)
    inside = hidden.astype(np.float32)
    near = np.asarray(cv2.GaussianBlur(inside, (0, 0), _CALM * width), np.float32) + np.float32(1e-6)
    way = [
        cv2.GaussianBlur(((to - at) * inside).astype(np.float32), (0, 0), _CALM * width) / near
        for to, at in zip(nearest, place, strict=True)
    ]
    length = np.hypot(*way) + 1e-6
    rows, columns = _opposite(rgb, hidden, depth, (way[0] / length, way[1] / length), width)
    seen = 1 - inside
    known = cv2.remap(seen, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    mirrored = cv2.remap(rgb * seen[..., None], columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    share = (known * np.clip(2 - 2 * depth / (_REACH * width), 0, 1))[..., None]
    carried = _carried(rgb, ~hidden, 0.05 * width)
    filled = carried + share * (mirrored / np.maximum(known, 1e-6)[..., None] - carried)
    soft = np.clip(1.5 * depth / (_REACH * width), 0, 1)[..., None]
    filled += soft * (cv2.GaussianBlur(filled, (0, 0), 2.0) - filled)
    return np.where(hidden[..., None], np.clip(filled, 0, 255), rgb).astype(np.uint8)


def _opposite(
    rgb: NDArray[np.uint8], hidden: NDArray[np.bool_], depth: Floats, out: tuple[Floats, Floats], width: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns rows and columns (h, w) of what each hidden pixel mirrors.

    That lies straight behind the edge or, where the room there runs in lines, along these, so that they go on.

    Args:
        rgb: The picture (h, w, 3).
        hidden: (h, w).
        depth: (h, w), distances from the edge.
        out: Rows and columns (h, w) of the unit vector from each pixel to the edge.
        width: Face width, pixels.
    """
    line, clear = _lines(rgb, hidden, width)
    across = line[0] * out[0] + line[1] * out[1]
    share = clear * np.clip((np.abs(across) - _GRAZING) / _GRAZING, 0, 1) * np.sign(across)
    way = [(1 - np.abs(share)) * straight + share * along for straight, along in zip(out, line, strict=True)]
    length = np.hypot(*way) + 1e-6
    steep = np.maximum((way[0] * out[0] + way[1] * out[1]) / length, _GRAZING)
    rows, columns = (
        (at + 2 * depth / steep * along / length).astype(np.float32)
        for at, along in zip(np.indices(hidden.shape), way, strict=True)
    )
    return rows, columns


def _lines(
    rgb: NDArray[np.uint8], hidden: NDArray[np.bool_], width: float
) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]:
    """Returns which way lines in the room run, rows and columns (h, w) of a unit vector, and how clearly, 0 to 1.

    From the structure tensor (Foerstner and Guelch 1987), carried in behind the person.
    """
    light = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    down, right = cv2.Sobel(light, cv2.CV_32F, 0, 1, scale=0.125), cv2.Sobel(light, cv2.CV_32F, 1, 0, scale=0.125)
    known = cv2.dilate(hidden.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    slopes = np.stack([down * down, right * right, down * right], -1).astype(np.float32)
    tensor = _carried(slopes, known, _LINES * width)
    apart, twice = tensor[..., 0] - tensor[..., 1], 2 * tensor[..., 2]
    spread = np.hypot(apart, twice)
    steepest = 0.5 * np.arctan2(twice, apart)
    clear = spread / (tensor[..., 0] + tensor[..., 1] + _FLAT)
    return (-np.sin(steepest), np.cos(steepest)), np.clip((clear - 0.3) / 0.4, 0, 1).astype(np.float32)


def _carried(
    rgb: NDArray[np.floating] | NDArray[np.uint8], known: NDArray[np.bool_], sigma: float
) -> NDArray[np.float32]:
    """Returns colours (h, w, 3) carried from the known pixels over ever larger distances."""
    total = np.zeros(rgb.shape, np.float32)
    weight = np.full(known.shape, 1e-9, np.float32)
    solid = known.astype(np.float32)
    for scale, share in ((1.0, 1.0), (4.0, 1e-3), (16.0, 1e-6)):
        total += share * _blurred(rgb * solid[..., None], sigma * scale)
        weight += share * _blurred(solid, sigma * scale)
    return total / weight[..., None]


def _blurred(values: NDArray[np.floating], sigma: float) -> NDArray[np.float32]:
    """Returns values (h, w) or (h, w, 3) under a Gaussian window; a wide one works on a smaller picture."""
    size = values.shape[1::-1]
    shrunk = min(max(1, int(sigma / _FINE)), *(n // 8 for n in size))
    if shrunk <= 1:
        return np.asarray(cv2.GaussianBlur(values.astype(np.float32), (0, 0), sigma), np.float32)
    few = (size[0] // shrunk, size[1] // shrunk)
    small = cv2.resize(values.astype(np.float32), few, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * few[0] / size[0])
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.float32)
