"""Finds faces: MediaPipe's BlazeFace at two ranges (Bazarevsky et al. 2019, "BlazeFace").

The models answer on a grid of anchors; all that overlaps is averaged by score (the paper's blending, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from avatar.portrait.network import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from avatar.portrait.types import Floats

_STRIDES = {"face_detection_short": (8, 16, 16, 16), "face_detection_back": (16, 32, 32, 32)}
_LEAST_SCORE = 0.5
_OVERLAP = 0.3
_SMALL = 0.2
"""A face narrower than this part of the picture is looked for again in a crop."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A face.

    Attributes:
        box: float32 (4,), left, top, right, bottom, pixels.
        keypoints: float32 (6, 2), pixels: the person's right eye, left eye, nose tip, mouth, right ear, left ear.
        score: Confidence in [0, 1].
    """

    box: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    score: float

    @property
    def width(self) -> float:
        """Pixels."""
        return float(self.box[2] - self.box[0])


def anchors(size: int, strides: Sequence[int]) -> Floats:
    """Returns the anchors' centres, (n, 2), as fractions of the input.

    Each stride brings two anchors a cell; layers of one stride share a grid, so they stand together cell by cell.
    """
    grids: list[Floats] = []
    for stride in sorted(set(strides)):
        cells = size // stride
        line = (np.arange(cells) + 0.5) / cells
        grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        grids.append(grid.repeat(2 * list(strides).count(stride), axis=0))
    return np.concatenate(grids)


def blend(boxes: Floats, points: Floats, scores: Floats) -> list[Detection]:
    """Returns one detection for each cluster of overlapping boxes, averaged by score; best first.

    Args:
        boxes: (n, 4).
        points: (n, 6, 2).
        scores: (n,).
    """
    left = np.argsort(-scores)
    found: list[Detection] = []
    while len(left):
        near = _overlap(boxes[left[0]], boxes[left]) > _OVERLAP
        near[0] = True
        group, left = left[near], left[~near]
        weights = scores[group] / scores[group].sum()
        box = np.tensordot(weights, boxes[group], 1).astype(np.float32)
        keypoints = np.tensordot(weights, points[group], 1).astype(np.float32)
        found.append(Detection(box, keypoints, float(scores[group[0]])))
    return found


def _overlap(box: Floats, others: Floats) -> Floats:
    """Returns intersection over union of one box with each of the others."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    sizes = (others[:, 2:] - others[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
    return shared / np.maximum(sizes - shared, 1e-6)


class Detector:
    """Both ranges together."""

    def __init__(self) -> None:
        self._networks = [(Network(name), strides) for name, strides in _STRIDES.items()]

    def __call__(self, rgb: NDArray[np.uint8]) -> list[Detection]:
        """Returns the faces in a picture, uint8 (height, width, 3), widest first."""
        found = self._merge([d for network, strides in self._networks for d in self._run(network, strides, rgb)])
        return sorted((self._refine(rgb, d) for d in found), key=lambda d: -d.width)

    @staticmethod
    def _merge(found: list[Detection]) -> list[Detection]:
        if not found:
            return []
        boxes, points = np.stack([d.box for d in found]), np.stack([d.keypoints for d in found])
        return blend(boxes, points, np.array([d.score for d in found]))

    @staticmethod
    def _run(network: Network, strides: Sequence[int], rgb: NDArray[np.uint8]) -> list[Detection]:
        size = network.size
        height, width = rgb.shape[:2]
        scale = size / max(height, width)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        margin = np.array([(size - inner[0]) // 2, (size - inner[1]) // 2])
        letter = np.zeros((size, size, 3), np.float32)
        small = cv2.resize(rgb, inner, interpolation=cv2.INTER_AREA)
        letter[margin[1] : margin[1] + inner[1], margin[0] : margin[0] + inner[0]] = small
        values, logits = network(letter / 127.5 - 1)
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0], -80, 80)))
        good = scores > _LEAST_SCORE
        if not good.any():
            return []
        pairs = values[good].reshape(-1, 8, 2) / size
        centres = anchors(size, strides)[good]
        middle, extent, points = pairs[:, 0] + centres, pairs[:, 1], pairs[:, 2:] + centres[:, None]
        box = np.stack([middle - extent / 2, middle + extent / 2], axis=1)
        box, points = ((v * size - margin) / scale - 0.5 for v in (box, points))
        return blend(box.reshape(-1, 4), points, scores[good])

    def _refine(self, rgb: NDArray[np.uint8], found: Detection) -> Detection:
        """Returns a small face as the short-range model sees it close up."""
        height, width = rgb.shape[:2]
        if found.width >= _SMALL * max(height, width):
            return found
        centre = (found.box[:2] + found.box[2:]) / 2
        reach = 1.6 * found.width
        corner = np.clip(centre - reach, 0, None).astype(int)
        end = np.minimum((centre + reach).astype(int), [width, height])
        if (end - corner).min() < 8:
            return found
        near = self._run(*self._networks[0], np.ascontiguousarray(rgb[corner[1] : end[1], corner[0] : end[0]]))
        if not near:
            return found
        middles = [(d.box[:2] + d.box[2:]) / 2 + corner for d in near]
        best = min(range(len(near)), key=lambda i: float(np.linalg.norm(middles[i] - centre)))
        shift = np.tile(corner, 2).astype(np.float32)
        return Detection(near[best].box + shift, near[best].keypoints + shift[:2], near[best].score)
