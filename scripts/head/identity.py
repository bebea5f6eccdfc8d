"""How heads differ: MakeHuman's shape targets as random directions, compressed by principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scripts.head.makehuman import AGES, ANCESTRIES, SEXES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scripts.head.makehuman import MakeHumanHead

# Folder: pairs "feature:less:more". In the folders of `_SIDED` each feature exists on either side.
_PAIRS = {
    "head": "age:decr:incr angle:in:out fat:decr:incr scale-depth:decr:incr scale-horiz:decr:incr scale-vert:decr:incr "
    "back-scale-depth:decr:incr",
    "forehead": "nubian:decr:incr scale-vert:decr:incr temple:decr:incr trans:backward:forward",
    "eyebrows": "angle:down:up trans:backward:forward trans:down:up",
    "chin": "bones:decr:incr cleft:decr:incr height:decr:incr jaw-drop:decr:incr prognathism:decr:incr "
    "prominent:decr:incr width:decr:incr",
    "mouth": "angles:down:up cupidsbow:decr:incr cupidsbow-width:decr:incr laugh-lines:in:out lowerlip-ext:down:up "
    "lowerlip-height:decr:incr lowerlip-middle:down:up lowerlip-volume:decr:incr lowerlip-width:decr:incr "
    "philtrum-volume:decr:incr scale-depth:decr:incr scale-horiz:decr:incr scale-vert:decr:incr "
    "trans:backward:forward trans:down:up upperlip-ext:down:up upperlip-height:decr:incr upperlip-middle:down:up "
    "upperlip-volume:decr:incr upperlip-width:decr:incr",
    "nose": "base:down:up compression:compress:uncompress curve:concave:convex flaring:decr:incr greek:decr:incr "
    "hump:decr:incr nostrils-angle:down:up nostrils-width:decr:incr point:down:up point-width:decr:incr "
    "scale-depth:decr:incr scale-horiz:decr:incr scale-vert:decr:incr septumangle:decr:incr trans:backward:forward "
    "trans:down:up volume:decr:incr width1:decr:incr width2:decr:incr width3:decr:incr",
    "cheek": "cheek-bones:decr:incr cheek-inner:decr:incr cheek-trans:down:up cheek-volume:decr:incr",
    "eyes": "eye-corner1:down:up eye-corner2:down:up eye-epicanthus:in:out eye-eyefold-angle:down:up "
    "eye-eyefold:concave:convex eye-eyefold:down:up eye-height1:decr:incr eye-height2:decr:incr eye-height3:decr:incr "
    "eye-push1:in:out eye-push2:in:out eye-bag:decr:incr eye-scale:decr:incr eye-trans:down:up eye-trans:in:out",
    "ears": "ear-scale:decr:incr ear-wing:decr:incr ear-trans:down:up ear-trans:backward:forward "
    "ear-scale-vert:decr:incr",
    "neck": "neck-scale-horiz:decr:incr neck-scale-vert:decr:incr neck-scale-depth:decr:incr neck-double:decr:incr "
    "neck-trans:backward:forward",
}
_SIDED = ("cheek", "eyes", "ears")
_SINGLE = {"head": "diamond invertedtriangular oval rectangular round square triangular", "chin": "triangle"}
_SIDEWAYS = ("mouth", "nose")

_SPREAD, _SINGLE_SPREAD, _ASYMMETRY = 0.45, 0.3, 0.12
# What mimics an expression gets a small spread, so that a smile is explained by the smile and not by the face.
_MIMIC = {
    "mouth/angles:down:up": 0.12,
    "mouth/laugh-lines:in:out": 0.2,
    "mouth/scale-horiz:decr:incr": 0.25,
    "mouth/upperlip-ext:down:up": 0.15,
    "mouth/lowerlip-ext:down:up": 0.15,
    "mouth/upperlip-middle:down:up": 0.2,
    "mouth/lowerlip-middle:down:up": 0.2,
    "mouth/trans:down:up": 0.25,
    "chin/jaw-drop:decr:incr": 0.2,
    "eyebrows/trans:down:up": 0.3,
    "eyebrows/angle:down:up": 0.3,
    "eyes/eye-height2:decr:incr": 0.3,
}


@dataclass(frozen=True, slots=True)
class Direction:
    """One way in which heads differ.

    Attributes:
        delta: float64 (n, 3), decimetres.
        spread: Standard deviation of its weight among people.
        symmetric: Whether both sides move alike.
        macro: Whether the whole head changes: ancestry, sex, age, weight.
    """

    delta: NDArray[np.float64]
    spread: float
    symmetric: bool = True
    macro: bool = False


def _half(head: MakeHumanHead, stem: str, less: str, more: str) -> NDArray[np.float64]:
    return (head.shape(f"{stem}-{more}") - head.shape(f"{stem}-{less}")) / 2


def _details(head: MakeHumanHead) -> Iterator[Direction]:
    for folder, pairs in _PAIRS.items():
        for pair in pairs.split():
            feature, less, more = pair.split(":")
            spread = _MIMIC.get(f"{folder}/{pair}", _SPREAD)
            if folder in _SIDED:
                left, right = (_half(head, f"{folder}/{side}-{feature}", less, more) for side in "lr")
                yield Direction(left + right, spread)
                yield Direction(left - right, _ASYMMETRY, symmetric=False)
            else:
                stem = f"{folder}/{feature}" if folder == "neck" else f"{folder}/{folder}-{feature}"
                yield Direction(_half(head, stem, less, more), spread)
    for folder, names in _SINGLE.items():
        for name in names.split():
            yield Direction(head.shape(f"{folder}/{folder}-{name}"), _SINGLE_SPREAD)
    for folder in _SIDEWAYS:
        yield Direction(_half(head, f"{folder}/{folder}-trans", "in", "out"), _ASYMMETRY, symmetric=False)


def _macros(head: MakeHumanHead) -> Iterator[Direction]:
    people = {(a, s, g): head.person(a, s, g) for a in ANCESTRIES for s in SEXES for g in AGES}

    def average(**fixed: str) -> NDArray[np.float64]:
        wanted = (fixed.get("ancestry"), fixed.get("sex"), fixed.get("age"))
        chosen = [v for key, v in people.items() if all(w in (None, k) for w, k in zip(wanted, key, strict=True))]
        return np.mean(chosen, axis=0)

    mean = average(age="young")
    for ancestry in ANCESTRIES:
        yield Direction(average(ancestry=ancestry, age="young") - mean, 0.6, macro=True)
    yield Direction(average(sex="male", age="young") - mean, 0.8, macro=True)
    yield Direction(average(age="old") - mean, 0.4, macro=True)
    for build in (
        "averagemuscle-maxweight",
        "averagemuscle-minweight",
        "maxmuscle-averageweight",
        "minmuscle-averageweight",
    ):
        change = [
            head.shape(f"macrodetails/universal-{sex}-young-{build}")
            - head.shape(f"macrodetails/universal-{sex}-young-averagemuscle-averageweight")
            for sex in SEXES
        ]
        yield Direction(np.mean(change, axis=0), 0.35, macro=True)


def directions(head: MakeHumanHead) -> list[Direction]:
    """Returns all directions: face details, asymmetries and macros."""
    return [*_details(head), *_macros(head)]


def principal(
    head: MakeHumanHead, ways: list[Direction], weights: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], float]:
    """Returns the first principal directions (count, n, 3) of random heads, each one standard deviation long.

    A head is the mean plus the sum of N(0, spread^2) times each direction. Motion and scale of the whole head are taken
    out first, measured on the weighted vertices.

    Args:
        head: The mesh.
        ways: Directions.
        weights: float64 (n,), how much each vertex counts.
        count: How many directions to keep.

    Returns:
        The directions, and the share of the variance that they keep.
    """
    moves = np.stack([way.delta * way.spread for way in ways])
    share = weights / weights.sum()
    mean = head.mean()
    centred = mean - share @ mean
    rigid = [np.tile(axis, (len(centred), 1)) for axis in np.eye(3)]
    rigid += [np.cross(axis, centred) for axis in np.eye(3)] + [centred]
    basis, each = np.stack([g.ravel() for g in rigid]), np.repeat(share, 3)
    amounts = np.linalg.solve((basis * each) @ basis.T, (basis * each) @ moves.reshape(len(moves), -1).T)
    moves -= (amounts.T @ basis).reshape(moves.shape)
    scaled = moves.reshape(len(moves), -1) * np.sqrt(each)
    variances, vectors = np.linalg.eigh(scaled @ scaled.T)
    order = np.argsort(-variances)[:count]
    kept = np.einsum("mk,mnd->knd", vectors[:, order], moves)
    return kept, float(variances[order].sum() / variances.sum())
