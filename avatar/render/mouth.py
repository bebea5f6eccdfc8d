"""The inside of the mouth: cavity, tongue, and teeth fixed to jaw and skull."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, OVAL
from avatar.render.coverage import cover
from avatar.render.inpaint import spread
from avatar.render.teeth import ARCH_RADIUS, Patch, lower_teeth, tongue, upper_teeth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_PATCH_SCALE = 1.6
"""Patch pixels per output pixel."""
_CAVITY = (0.20, 0.065, 0.06)
_UPPER_DROP = 0.028
_LOWER_DROP = 0.014
"""How far the biting edges lie below the seam, face widths."""
_BEHIND_LIPS = 0.035
_MARGIN = 4
"""Pixels around the polygon."""
_LUMINANCE = np.array([0.30, 0.59, 0.11])


@dataclass(frozen=True, slots=True)
class MouthPlanes:
    """Where the parts are in this frame; see `Camera.plane`.

    Attributes:
        skull: Of the upper teeth.
        jaw: Of the lower teeth.
        tongue: Of the tongue.
        photo: Picture of the resting head, in output pixels (the photo's own teeth).
    """

    skull: NDArray[np.float32]
    jaw: NDArray[np.float32]
    tongue: NDArray[np.float32]
    photo: NDArray[np.float32]


@njit(cache=True, nogil=True, fastmath=True)
def _blend_patch(
    colour: NDArray[np.float32],
    patch: NDArray[np.float32],
    plane: NDArray[np.float32],
    scale: float,
    origin_u: float,
    origin_v: float,
    radius: float,
    x: float,
    y: float,
    light: float,
) -> None:
    """Lays a patch's pixel over `colour` (3,); the patch bends back along an arch of the given radius (0: flat)."""
    dx, dy = x - plane[4], y - plane[5]
    p = plane[0] * dx + plane[1] * dy
    q = plane[2] * dx + plane[3] * dy
    if radius > 0.0:
        for _ in range(2):
            bend = min(p * p, radius * radius) / (2.0 * radius)
            bx, by = dx + bend * plane[6], dy + bend * plane[7]
            p = plane[0] * bx + plane[1] * by
            q = plane[2] * bx + plane[3] * by
    u = origin_u + p * scale
    v = origin_v - q * scale
    if u < 0.0 or v < 0.0 or u >= patch.shape[1] - 1.0 or v >= patch.shape[0] - 1.0:
        return
    column, row = int(u), int(v)
    fu, fv = u - column, v - row
    w00, w01, w10, w11 = (1 - fu) * (1 - fv), fu * (1 - fv), (1 - fu) * fv, fu * fv
    a, b = patch[row, column], patch[row, column + 1]
    c, d = patch[row + 1, column], patch[row + 1, column + 1]
    alpha = w00 * a[3] + w01 * b[3] + w10 * c[3] + w11 * d[3]
    for channel in range(3):
        value = w00 * a[channel] + w01 * b[channel] + w10 * c[channel] + w11 * d[channel]
        colour[channel] = colour[channel] * (1.0 - alpha) + value * light


@njit(cache=True, nogil=True, fastmath=True)
def _ease(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


@njit(cache=True, nogil=True, fastmath=True)
def _fill(
    picture: NDArray[np.uint8],
    coverage: NDArray[np.float32],
    left: int,
    top: int,
    height: int,
    columns: NDArray[np.float32],
    opening: float,
    width: float,
    cavity: NDArray[np.float32],
    planes: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    patches: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    places: NDArray[np.float32],
) -> None:
    """Draws the interior; `columns` (3, n) holds upper lip, lower lip and opacity of each column."""
    skull, jaw, tongue_plane, photo = planes
    upper_patch, lower_patch, tongue_patch, own = patches
    colour = np.empty(3, np.float32)
    wide = 0.62 + 0.38 * _ease(opening / (0.055 * width))
    for x in range(columns.shape[1]):
        upper_lip, lower_lip = columns[0, x], columns[1, x]
        for y in range(height):
            alpha = coverage[y, x] * columns[2, x]
            if alpha <= 0.002:
                continue
            px, py = float(x + left), float(y + top)
            below = (py - upper_lip) / (0.05 * width)
            share = (py - upper_lip) / max(lower_lip - upper_lip, 1.0)
            for channel in range(3):
                colour[channel] = cavity[channel] * (0.55 + 0.45 * min(max(share, 0.0), 1.0))
            tongue_light = 0.35 + 0.50 * _ease(share)
            _blend_patch(
                colour, tongue_patch, tongue_plane, places[2, 0], places[2, 1], places[2, 2], 0.0, px, py, tongue_light
            )
            lower_light = 0.60 + 0.38 * min(max(min(below, 1.0) - 0.2, 0.0), 1.0)
            _blend_patch(
                colour, lower_patch, jaw, places[1, 0], places[1, 1], places[1, 2], places[1, 3], px, py, lower_light
            )
            upper_light = 0.74 + 0.26 * _ease(below * 2.2)
            _blend_patch(
                colour, upper_patch, skull, places[0, 0], places[0, 1], places[0, 2], places[0, 3], px, py, upper_light
            )
            if own.shape[0] > 1:
                _blend_patch(colour, own, photo, places[3, 0], places[3, 1], places[3, 2], 0.0, px, py, 1.0)
            else:
                edge = min(py - upper_lip, lower_lip - py) / (0.10 * opening + 1.0)
                shade = wide * (0.62 + 0.38 * _ease(edge))
                for channel in range(3):
                    colour[channel] *= shade
            for channel in range(3):
                value = 255.0 * min(max(colour[channel], 0.0), 1.0)
                value = value * alpha + picture[y + top, x + left, channel] * (1.0 - alpha)
                picture[y + top, x + left, channel] = np.uint8(value + 0.5)


class Mouth:
    """Draws the inside of one portrait's mouth.

    Args:
        face: The face; lips at the photo's own place.
        rgb: uint8 (size, size, 3), the picture.
    """

    def __init__(self, face: Face, rgb: NDArray[np.uint8]) -> None:
        self._width = face.width
        points, axes = face.points, face.axes
        behind = -_BEHIND_LIPS * face.width * axes[:, 2]
        if face.mouth_closed:
            seam = face.seam()
            seat = 0.25 * (points[13] + points[14]) + 0.5 * seam.mean(0)
            lower_seat = seat
        else:
            seat = lower_seat = 0.7 * points[13] + 0.3 * points[14]
        up = face.up * face.width
        self.upper_seat = seat + behind - _UPPER_DROP * up
        self.lower_seat = lower_seat + behind - _LOWER_DROP * up - 0.01 * face.width * axes[:, 2]
        self.tongue_seat = self.lower_seat + 0.045 * up
        self.photo_seat = seat + behind

        tint, saturation = _skin_tint(face, rgb)
        scale = _PATCH_SCALE * face.width
        self._upper = upper_teeth().resized(scale).coloured(1.16 * tint, saturation)
        self._lower = lower_teeth().resized(scale).coloured(1.02 * tint, saturation)
        self._tongue = tongue().resized(scale).coloured(0.85 * tint, saturation)
        dark = np.array(_CAVITY)
        dark = _LUMINANCE @ dark * (1 - saturation) + saturation * dark
        self._cavity = (dark * np.clip(tint, 0.3, 1)).astype(np.float32)
        self._own = Patch(np.zeros((1, 1, 4), np.float32), 1.0, (0.0, 0.0))
        if not face.mouth_closed:
            self._use_photo(face, rgb)
        patches = (self._upper, self._lower, self._tongue, self._own)
        radius = (ARCH_RADIUS, ARCH_RADIUS, 0.0, 0.0)
        self._places = np.array(
            [[p.scale, *p.origin, r] for p, r in zip(patches, radius, strict=True)], np.float32
        )
        self._scratch = np.zeros((face.size, face.size + 2), np.float32)
        self._coverage = np.zeros((face.size, face.size), np.float32)

    def draw(
        self,
        picture: NDArray[np.uint8],
        upper: NDArray[np.float32],
        lower: NDArray[np.float32],
        resting_gap: NDArray[np.float32],
        planes: MouthPlanes,
    ) -> None:
        """Draws the interior between the lips into the picture, if they are apart.

        Args:
            picture: uint8 (size, size, 3).
            upper: float32 (n, 2), inner contour of the upper lip, columns and rows, the picture's left first.
            lower: float32 (n, 2), of the lower lip.
            resting_gap: float32 (n,), rows between the contours at rest, which is no opening.
            planes: Where the parts are.
        """
        gap = lower[:, 1] - upper[:, 1]
        opened = gap - resting_gap - 0.5
        if opened.max() < 0.3:
            return
        polygon = np.concatenate([upper, lower[::-1]])
        size = picture.shape[0]
        left, top = np.maximum(np.floor(polygon.min(0)).astype(int) - _MARGIN, 0)
        right, bottom = np.minimum(np.ceil(polygon.max(0)).astype(int) + _MARGIN + 1, size)
        height, width = int(bottom - top), int(right - left)
        if height < 3 or width < 3:
            return
        cover(polygon, int(left), int(top), height, width, self._scratch, self._coverage)
        across = np.arange(left, right)
        order = np.argsort(upper[:, 0])
        low = np.argsort(lower[:, 0])
        ease = np.clip(opened / 1.8, 0, 1)
        columns = np.stack(
            [
                np.interp(across, upper[order, 0], upper[order, 1]),
                np.interp(across, lower[low, 0], lower[low, 1]),
                np.interp(across, upper[order, 0], (ease * ease * (3 - 2 * ease))[order]),
            ]
        ).astype(np.float32)
        _fill(
            picture,
            self._coverage,
            int(left),
            int(top),
            height,
            columns,
            float(gap.max()),
            self._width,
            self._cavity,
            (planes.skull, planes.jaw, planes.tongue, planes.photo),
            (self._upper.rgba, self._lower.rgba, self._tongue.rgba, self._own.rgba),
            self._places,
        )

    def _use_photo(self, face: Face, rgb: NDArray[np.uint8]) -> None:
        """Takes the teeth that the photo shows as a patch of their own, and their colour for the drawn ones."""
        contour = [*LIP_INNER_UPPER, *LIP_INNER_LOWER[::-1]]
        polygon = face.picture(face.points[contour])
        mask = np.zeros(rgb.shape[:2], np.uint8)
        cv2.fillPoly(mask, [(polygon * 16).round().astype(np.int32)], 255, cv2.LINE_AA, 4)
        inside = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 128
        shown = rgb[inside].astype(np.float64) / 255
        if len(shown) < 20:
            return
        light = shown @ _LUMINANCE
        enamel = shown[light >= np.percentile(light, 75)].mean(0)
        if enamel.mean() > 0.47:
            self._upper = _matched(self._upper, 0.85 * enamel)
            self._lower = _matched(self._lower, 0.72 * enamel)
        filled = spread(rgb.astype(np.float32) / 255, inside, 0.012 * face.width)
        filled = np.where(inside[..., None], rgb.astype(np.float32) / 255, filled * np.float32([0.80, 0.66, 0.64]))
        # A lip that rises above its place in the photo uncovers gum, so the patch reaches up behind it.
        raised = mask.copy()
        for rows in range(1, round(0.05 * face.width)):
            raised[:-rows] = np.maximum(raised[:-rows], mask[rows:])
        lower = face.picture(face.points[list(LIP_INNER_LOWER)])
        lip = np.interp(np.arange(rgb.shape[1]), lower[:, 0], lower[:, 1])
        keep = (np.arange(rgb.shape[0])[:, None] < lip[None] - 0.5) | (mask > 0)
        alpha = cv2.GaussianBlur(np.where(keep, raised, 0).astype(np.float32) / 255, (0, 0), 0.8)
        rgba = np.dstack([filled * alpha[..., None], alpha]).astype(np.float32)
        left, top = np.maximum(np.floor(polygon.min(0) - 0.1 * face.width).astype(int), 0)
        right, bottom = np.ceil(polygon.max(0) + 0.1 * face.width).astype(int)
        column, row = face.picture(self.photo_seat)
        origin = (float(column - left), float(row - top))
        self._own = Patch(np.ascontiguousarray(rgba[top:bottom, left:right]), face.width, origin)


def _matched(patch: Patch, enamel: NDArray[np.float64]) -> Patch:
    solid = patch.rgba[patch.rgba[..., 3] > 0.98]
    bright = np.percentile(solid[:, :3], 75, axis=0)
    return patch.coloured(enamel / np.maximum(bright, 1e-2), 1.0)


def _skin_tint(face: Face, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
    """Returns colour factors (3,) for what is drawn, and how saturated the portrait is, 0 for black and white."""
    hull = cv2.convexHull(face.picture(face.points[list(OVAL)]).astype(np.float32)).astype(np.int32)
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, hull, 1)
    skin = rgb[mask > 0].astype(np.float64) / 255
    exposure = np.clip(1.12 * np.percentile(skin @ _LUMINANCE, 75), 0.35, 1.0)
    saturation = float(np.clip((skin.max(1) - skin.min(1)).mean() / 0.18, 0, 1))
    middle = np.median(skin, axis=0)
    warmth = middle / max(float(middle.mean()), 1e-3)
    return (1 + 0.35 * (warmth - 1)) * exposure, saturation
