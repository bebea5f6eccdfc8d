"""Finds each of MediaPipe's 468 landmarks on the MakeHuman head.

The head is drawn as several people, turned and with the mouth open; the landmark model looks at each picture, and the
surface point under every landmark is read off. Open mouths part the lips, wide eyes part the lids. So the attachment
needs no hand-picked vertices and carries the landmark model's own habits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import KDTree

from avatar.motion.layout import INDEX
from avatar.portrait import topology
from scripts.head.draw import Picture, eyes, normals, paint, photograph, rotation, subpixels
from scripts.head.makehuman import ANCESTRIES, PART_NAMES, SEXES
from scripts.head.surface import Margins, SurfacePoints, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from avatar.portrait.landmarks import LandmarkModel
    from scripts.head.identity import Direction
    from scripts.head.makehuman import MakeHumanHead

_SIZE = 512
_SCALE = _SIZE / 2.3
_CENTRE_BELOW_EYES = np.array([0.0, -0.35, -0.48])
_TURNS = (
    (0, 0, 0.0),
    (0, 0, 0.35),
    (22, 0, 0.35),
    (-22, 0, 0.35),
    (0, 12, 0.25),
    (0, -12, 0.25),
    (38, 0, 0.0),
    (-38, 0, 0.0),
)
"""Yaw and pitch in degrees, and jawOpen. The mean head is seen from all, the others from the first four."""

_CONTOURS = {
    "lip_upper": topology.LIP_INNER_UPPER,
    "lip_lower": topology.LIP_INNER_LOWER,
    "right_lower": topology.RIGHT_LID_LOWER,
    "left_lower": topology.LEFT_LID_LOWER,
    "right_upper": topology.RIGHT_LID_UPPER,
    "left_upper": topology.LEFT_LID_UPPER,
}
"""Lids after lips and upper after lower: the later one keeps the eye corners."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one picture says.

    Attributes:
        landmarks: float64 (468, 3), as the model saw them.
        points: float64 (468, 3), on the mean head.
        trust: float64 (468,), in [0, 1].
    """

    landmarks: NDArray[np.float64]
    points: NDArray[np.float64]
    trust: NDArray[np.float64]


class Registration:
    """The landmarks' places on the head.

    Args:
        head: The mesh.
        units: float64 (52, n, 3).
        ways: Directions of identity, from which people are drawn.
        tessellation: int64 (852, 3), triangles of the landmarks.
        model: The landmark model.

    Attributes:
        mirror: int64 (468,), the landmark on the other side of the face.
        attachment: The 468 points.
        spread: Root mean square distance between observations, decimetres.
    """

    def __init__(
        self,
        head: MakeHumanHead,
        units: NDArray[np.float64],
        ways: Sequence[Direction],
        tessellation: NDArray[np.int64],
        model: LandmarkModel,
    ) -> None:
        self._head, self._units, self._model, self._tessellation = head, units, model, tessellation
        self._mean = head.mean()
        drawn = head.triangle_part < PART_NAMES.index("left_lashes")
        self._triangles, self._part = head.triangles[drawn], head.triangle_part[drawn]
        self._colours = {dark: paint(head, dark_mouth=dark) for dark in (False, True)}
        self._sides = self._lip_side(), self._lid_side()
        seen, frontal = self._observe_all(list(self._people(ways)))
        points, self.spread = _robust_mean(seen)
        self.mirror = _mirror(np.mean([o.landmarks for o in frontal], axis=0))
        points = (points + points[self.mirror] * [-1, 1, 1]) / 2
        self.attachment = self._attach(points, [o.landmarks for o in frontal])

    def _people(self, ways: Sequence[Direction]) -> Iterator[NDArray[np.float64]]:
        rng = np.random.default_rng(0)
        yield self._mean
        for ancestry in ANCESTRIES:
            for sex in SEXES:
                yield self._head.raw + self._head.person(ancestry, sex)
        yield self._head.raw + self._head.person("caucasian", "male", "old")
        symmetric = [way for way in ways if way.symmetric]
        for _ in range(4):
            yield self._mean + sum(0.8 * way.spread * rng.normal() * way.delta for way in symmetric)

    def _lip_side(self) -> NDArray[np.int64]:
        """Returns 1 on the upper lip and -1 on the lower (n,), by how far an opening jaw takes them down."""
        drop = -self._units[INDEX["jawOpen"], :, 1]
        side = np.where(drop > 0.17, -1, np.where(drop < 0.09, 1, 0))
        return np.where(self._head.mask("lips") > 0.05, side, 0)

    def _lid_side(self) -> NDArray[np.int64]:
        """Returns 1 on the upper lids and -1 on the lower (n,), by where a blink takes them."""
        blink = self._units[INDEX["eyeBlinkLeft"], :, 1] + self._units[INDEX["eyeBlinkRight"], :, 1]
        return np.where(blink < -0.012, 1, np.where(blink > 0.002, -1, 0))

    def _observe_all(self, people: list[NDArray[np.float64]]) -> tuple[list[Observation], list[Observation]]:
        """Returns the observations of all pictures, and those seen from the front."""
        wide = 0.5 * (self._units[INDEX["eyeWideLeft"]] + self._units[INDEX["eyeWideRight"]])
        seen: list[Observation] = []
        frontal: list[Observation] = []
        for number, person in enumerate(people):
            for yaw, pitch, jaw in _TURNS if number == 0 else _TURNS[:4]:
                straight = yaw == 0 and pitch == 0
                points = person + jaw * self._units[INDEX["jawOpen"]] + (wide if straight else 0)
                observation = self._observe(points, rotation(yaw, pitch), mouth_open=jaw > 0.2)
                if observation is None:
                    continue
                seen.append(observation)
                if straight:
                    frontal.append(observation)
        return seen, frontal

    def _observe(
        self, person: NDArray[np.float64], turn: NDArray[np.float64], *, mouth_open: bool
    ) -> Observation | None:
        middle = np.mean([centre for centre, _ in eyes(self._head, person)], axis=0)
        points = (person - middle - _CENTRE_BELOW_EYES) @ turn.T
        picture = photograph(points, self._triangles, self._colours[mouth_open], _SIZE, _SCALE)
        found = self._model.landmarks(picture.rgb)
        if found is None:
            return None
        landmarks = found.points.astype(float)
        under, distance = self._look_up(picture, landmarks[:, :2], mouth_open=mouth_open)
        facing = under.on(normals(points, self._triangles))[:, 2]
        # The model guesses the hidden side of a turned head: trust only what its own mesh turns to the camera.
        own = normals(landmarks * [1, -1, -1], self._tessellation)[:, 2]
        own *= np.sign(own[4])
        trust = np.clip(facing, 0, 1) ** 2 * np.clip((own - 0.15) / 0.4, 0.02, 1) * np.exp(-((distance / 6) ** 2))
        return Observation(landmarks, under.on(self._mean), trust)

    def _look_up(
        self, picture: Picture, wanted: NDArray[np.float64], *, mouth_open: bool
    ) -> tuple[SurfacePoints, NDArray[np.float64]]:
        """Returns what lies under the wanted pixels, and how far away it was found; infinitely far if nowhere."""
        skin = self._part == 0
        corners, weights = np.zeros((len(wanted), 3), np.int64), np.full((len(wanted), 3), 1 / 3)
        distance = np.full(len(wanted), np.inf)

        def search(which: Sequence[int], allowed: NDArray[np.bool_], radius: float) -> None:
            rows, columns, places = subpixels(picture.face, allowed)
            chosen = np.array(which)
            distance[chosen] = np.inf
            if len(rows) == 0:
                return
            away, index = KDTree(places).query(wanted[chosen], distance_upper_bound=radius)
            found = np.isfinite(np.asarray(away))
            chosen, index = chosen[found], np.asarray(index)[found]
            corners[chosen] = self._triangles[picture.face[rows[index], columns[index]]]
            weights[chosen] = picture.weights[rows[index], columns[index]]
            distance[chosen] = np.asarray(away)[found]

        def half(side: NDArray[np.int64], sign: int) -> NDArray[np.bool_]:
            return skin & ((side[self._triangles] == sign).sum(1) >= 2)

        search(range(topology.N_LANDMARKS), skin, 25)
        lips, lids = self._sides
        for contour, sign in ((topology.LIP_INNER_UPPER, 1), (topology.LIP_INNER_LOWER, -1)):
            if mouth_open:
                search(contour[1:-1], half(lips, sign), 18)
            else:
                distance[list(contour[1:-1])] = np.inf
        for upper, lower in (
            (topology.RIGHT_LID_UPPER, topology.RIGHT_LID_LOWER),
            (topology.LEFT_LID_UPPER, topology.LEFT_LID_LOWER),
        ):
            search(upper[1:-1], half(lids, 1), 10)
            search(lower[1:-1], half(lids, -1), 10)
        return SurfacePoints(corners, weights), distance

    def _attach(self, points: NDArray[np.float64], frontal: list[NDArray[np.float64]]) -> SurfacePoints:
        """Drops the points onto the outer skin; inner lips and lids go onto their margins."""
        skin = self._head.triangles[self._head.triangle_part == 0]
        inside = (self._head.mask("inside-mouth")[skin] > 0.5).all(1)
        # The eye sockets behind the lids are no landing place either: their faces look backwards.
        outer = skin[~inside & (normals(self._mean, self._head.triangles)[skin][..., 2].mean(1) > -0.45)]
        found = [nearest(self._mean[outer], point) for point in points]
        corners = outer[[index for index, _ in found]]
        weights = np.array([share for _, share in found])
        margins = Margins(self._head, self._units)
        along = np.stack(frontal)[..., 0]
        for name, contour in _CONTOURS.items():
            line, x = margins.lines[name], along[:, contour]
            places = line.on(self._mean)[:, 0]
            share = ((x - x[:, :1]) / (x[:, -1:] - x[:, :1])).mean(0)
            lip = name.startswith("lip")
            start, end = points[contour[0], 0], points[contour[-1], 0]
            if not lip:
                start, end = (places.min(), places.max()) if start < end else (places.max(), places.min())
            for k in range(1, len(contour) - 1) if lip else range(len(contour)):
                nearest_place = int(np.abs(places - (start + share[k] * (end - start))).argmin())
                corners[contour[k]] = line.corners[nearest_place]
                weights[contour[k]] = line.weights[nearest_place]
        return SurfacePoints(corners, weights)


def _robust_mean(seen: list[Observation]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the points' robust mean (468, 3), started at the weighted median, and their spread (468,)."""
    points, trust = np.stack([o.points for o in seen]), np.stack([o.trust for o in seen])
    order = np.argsort(points, axis=0)
    summed = np.take_along_axis(np.repeat(trust[..., None], 3, axis=2), order, 0).cumsum(0)
    half = (summed >= summed[-1] / 2).argmax(0)
    centre = np.take_along_axis(np.take_along_axis(points, order, 0), half[None], 0)[0]
    weights = trust
    for _ in range(8):
        weights = trust / (1 + (np.linalg.norm(points - centre, axis=-1) / 0.05) ** 2)
        centre = (points * weights[..., None]).sum(0) / np.maximum(weights.sum(0), 1e-6)[:, None]
    apart = ((points - centre) ** 2).sum(-1)
    return centre, np.sqrt((weights * apart).sum(0) / np.maximum(weights.sum(0), 1e-6))


def _mirror(frontal: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns each landmark's partner (468,): what lies nearest when the mean face is mirrored."""
    flipped = frontal.copy()
    flipped[:, 0] = 2 * frontal[4, 0] - frontal[:, 0]
    cost = ((flipped[:, None] - frontal[None]) ** 2).sum(-1)
    _, partner = linear_sum_assignment(cost)
    if (partner[partner] != np.arange(len(partner))).any():
        raise ValueError("the landmarks of the mean face do not pair up")
    return partner
