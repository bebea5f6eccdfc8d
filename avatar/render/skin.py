"""A person's own creases, which deepen when the skin around them is pushed together, and the chin's dimples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.portrait.head import load_head
from avatar.portrait.topology import OVAL
from avatar.render.filters import blurred, inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Portrait

_LINE: Final = (0.004, 0.012)
"""Widths of the Gaussians between which a crease lies, face widths."""
_ALONG: Final = 0.008
"""Over this length a crease goes on, face widths; dots and hairs across do not."""
_DEEPEST: Final = 0.16
"""A crease darkens by no more, as a share of the skin's brightness."""
_SOFT: Final = 0.02
"""Regions end over this distance, face widths."""
_HUE: Final = 14.0
"""Skin differs from the face's median by less, in a* and b* of CIELAB."""
_DARKEST: Final = 0.45
"""Skin is at least so bright as a share of the face's median; what is darker is hair."""
_DIMPLE: Final = (0.008, 0.022)
"""Widths of the Gaussians between which a chin's dimples lie, face widths."""
_DIMPLES: Final = 0.022
"""Brightness by which dimples differ, root mean square."""


_GRAIN: Final = (0.003, 0.010)
"""Widths of the Gaussians between which the skin's grain lies, face widths."""
_USUAL_GRAIN: Final = 0.012
"""Median of its contrast in sharp photos of grown-ups."""
_SMOOTHEST, _ROUGHEST = 0.3, 1.25
_BARE: Final = 0.8
_SMALL: Final = 512
"""Bare skin is sought at this size."""
_LUMINANCE: Final = np.array([0.30, 0.59, 0.11], np.float32)


class Crease(NamedTuple):
    """One crease on the texture.

    Attributes:
        relief: float32 (h, w), brightness that depth 1 adds.
        left: Column of its first pixel in the texture.
        top: Its row.
    """

    relief: NDArray[np.float32]
    left: float
    top: float


@dataclass(frozen=True, slots=True)
class _Region:
    """A part of the skin whose own creases deepen.

    Attributes:
        outline: Landmarks.
        along: Which way its creases run, right and up in the picture; (0, 0) for any.
        units: What deepens them, and by how many times.
    """

    outline: tuple[int, ...]
    along: tuple[int, int]
    units: tuple[tuple[str, float], ...]


def _both(outline: tuple[int, ...], units: tuple[tuple[str, float], ...]) -> tuple[_Region, ...]:
    """Returns a region of the person's right side and its mirror image; `units` are named without their side."""
    mirrored = tuple(int(load_head().mirror[index]) for index in outline)
    right, left = (tuple((name + side, depth) for name, depth in units) for side in ("Right", "Left"))
    return _Region(outline, (0, 0), right), _Region(mirrored, (0, 0), left)


def _regions() -> tuple[_Region, ...]:
    smiling = (("cheekSquint", 0.9), ("mouthSmile", 0.5), ("eyeSquint", 0.6))
    return (
        _Region(
            (103, 67, 109, 10, 338, 297, 332, 333, 299, 337, 336, 9, 107, 108, 69, 104),
            (1, 0),
            (("browInnerUp", 0.8), ("browOuterUpLeft", 0.4), ("browOuterUpRight", 0.4)),
        ),
        _Region((107, 108, 337, 336, 285, 8, 55), (0, 1), (("browDownLeft", 0.8), ("browDownRight", 0.8))),
        *_both((226, 156, 139, 34, 227, 116, 111, 31), smiling),
        *_both((31, 228, 229, 230, 231, 232, 121, 120, 119, 118, 117, 111), smiling),
        *_both((129, 203, 206, 216, 212, 214, 207, 205, 36, 142), (("mouthSmile", 0.5), ("noseSneer", 0.6))),
    )


_CHIN: Final = (83, 18, 313, 406, 421, 428, 377, 152, 148, 208, 201, 182)
_CHIN_UNITS: Final = (
    *(("mouthShrugLower", 1.0), ("mouthRollLower", 0.3)),
    *(
        (name + side, depth)
        for name, depth in (("mouthFrown", 0.4), ("mouthPress", 0.25))
        for side in ("Left", "Right")
    ),
)


def skin_depths() -> NDArray[np.float32]:
    """Returns what each unit adds to the depth of each crease of `skin_creases`, float32 (52, n_creases)."""
    units = [*(region.units for region in _regions()), _CHIN_UNITS]
    depths = np.zeros((N_BLENDSHAPES, len(units)), np.float32)
    for k, given in enumerate(units):
        for name, depth in given:
            depths[INDEX[name], k] = depth
    return depths


def skin_of(portrait: Portrait) -> NDArray[np.float32]:
    """Returns where a portrait shows bare skin rather than hair, float32 (side, side) in [0, 1]."""
    side = len(portrait.rgb)
    scale = min(1.0, _SMALL / side)
    width, outline = scale * portrait.face_width, scale * portrait.landmarks[list(OVAL), :2]
    small = cv2.resize(portrait.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rgb = blurred(np.asarray(small, np.float32) / 255, 0.008 * width)
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab), np.float32)
    usual = np.median(lab[inside(outline, rgb.shape[:2]) > 0], axis=0)
    apart = np.linalg.norm(lab[..., 1:] - usual[1:], axis=-1) / _HUE
    dark = np.clip((lab[..., 0] / max(float(usual[0]), 1.0) - _DARKEST) / 0.2, 0, 1)
    bare = blurred(np.clip(2 - apart, 0, 1) * dark, 0.006 * width)
    return np.asarray(cv2.resize(bare, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def grain_of(portrait: Portrait, bare: NDArray[np.float32]) -> float:
    """Returns how lined a portrait's skin is, as a share of a grown-up's in a sharp photo; a painted one is smooth.

    Args:
        portrait: The portrait.
        bare: float32 (side, side), where it shows skin.
    """
    rows, columns = window_around(portrait.landmarks[list(OVAL), :2], 0.0, len(bare))
    light = portrait.rgb[rows, columns].astype(np.float32) @ _LUMINANCE
    narrow, wide = (blurred(light, share * portrait.face_width) for share in _GRAIN)
    fine = (np.abs(narrow - wide) / np.maximum(wide, 8.0))[bare[rows, columns] > _BARE]
    return float(np.clip(np.median(fine) / _USUAL_GRAIN, _SMOOTHEST, _ROUGHEST)) if fine.size else 1.0


def window_around(points: NDArray[np.floating], reach: float, side: int) -> tuple[slice, slice]:
    """Returns the rows and columns of a picture (side, side) around points (n, 2), columns and rows."""
    left, top = np.clip(points.min(0) - reach, 0, side).astype(int)
    right, bottom = np.clip(points.max(0) + reach + 1, 0, side).astype(int)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def skin_creases(portrait: Portrait, bare: NDArray[np.float32]) -> list[Crease]:
    """Returns the creases of a portrait's own skin and the chin's dimples, in the order of `skin_depths`.

    Args:
        portrait: The portrait.
        bare: float32 (side, side), where it shows skin.
    """
    outlines = [*(region.outline for region in _regions()), _CHIN]
    ways = [*(region.along for region in _regions()), None]
    return [_crease(portrait, bare, outline, way) for outline, way in zip(outlines, ways, strict=True)]


def _crease(
    portrait: Portrait, bare: NDArray[np.float32], outline: tuple[int, ...], along: tuple[int, int] | None
) -> Crease:
    points, soft = portrait.landmarks[list(outline), :2], _SOFT * portrait.face_width
    rows, columns = window_around(points, 3 * soft, len(bare))
    rgb = portrait.rgb[rows, columns]
    if not rgb.size:
        return Crease(np.zeros((2, 2), np.float32), 0.0, 0.0)
    mask = inside(points - [columns.start, rows.start], rgb.shape[:2]) / np.float32(255)
    shape = bare[rows, columns] * np.clip(2 * blurred(mask, soft) - 0.6, 0, 1)
    relief = _dimples(rgb, portrait.face_width) if along is None else _lines(rgb, portrait.face_width, along)
    return Crease(np.ascontiguousarray(shape * relief, np.float32), float(columns.start), float(rows.start))


def _lines(rgb: NDArray[np.uint8], width: float, along: tuple[int, int]) -> NDArray[np.float32]:
    """Returns how much darker than around a picture's dark lines are, as a share, at most 0."""
    seen = rgb.astype(np.float32) @ _LUMINANCE
    if any(along):
        across, up = (max(_ALONG * width * way, 0.6) for way in along)
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), across, sigmaY=up), np.float32)
    around = blurred(seen, _LINE[1] * width)
    darker = (blurred(seen, _LINE[0] * width) - around) / np.maximum(around, 8.0)
    return np.clip(darker, -_DEEPEST, 0).astype(np.float32)


def _dimples(rgb: NDArray[np.uint8], width: float) -> NDArray[np.float32]:
    noise = np.random.default_rng(3).normal(size=rgb.shape[:2]).astype(np.float32)
    relief = blurred(noise, _DIMPLE[0] * width) - blurred(noise, _DIMPLE[1] * width)
    return relief * np.float32(_DIMPLES / max(float(relief.std()), 1e-6))
