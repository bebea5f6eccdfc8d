"""The inside of the mouth: cavity, tongue, and teeth fixed to jaw and skull."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numba import njit

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, LIP_OUTER_LOWER, OVAL
from avatar.render.coverage import Window, at_columns, cover, window_around
from avatar.render.filters import blurred, inside, spread
from avatar.render.teeth import ARCH_RADIUS, Patch, lower_teeth, tongue, upper_teeth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.drive import Drive
    from avatar.render.face import Face

_PATCH_SCALE = 1.6
"""Patch pixels per output pixel."""
_ROUNDED_SHADE = 0.4
_TIP_WIDTH, _TIP_HEIGHT = 0.075, 0.06
"""Half the width of the tongue's tip, and how far it reaches below the lower teeth's edge, face widths."""
_TIP_RISE = 0.035
"""How far the tip rises over the lower teeth's edge."""
_TIP_OUT = 0.055
"""How far the tongue hangs over the lip when it is out."""
_LOWER_TINT = (1.0, 0.93, 0.86)
"""Lower teeth stand in the lips' warm shade."""
_GUM_TINT = (0.80, 0.66, 0.64)
_CAVITY = (0.20, 0.065, 0.06)
_UPPER_DROP = 0.028
_LOWER_DROP = 0.014
"""How far the biting edges lie below the seam, face widths."""
_BEHIND_LIPS = 0.035
_LUMINANCE = np.array([0.30, 0.59, 0.11])


class MouthPlanes(NamedTuple):
    """Where the parts are in this frame; see `Camera.plane`.

    Attributes:
        skull: Of the upper teeth.
        jaw: Of the lower teeth.
        tongue: Of the tongue.
        photo: Of the photo's own teeth, upright like the picture.
    """

    skull: NDArray[np.float32]
    jaw: NDArray[np.float32]
    tongue: NDArray[np.float32]
    photo: NDArray[np.float32]


class _Drawing(NamedTuple):
    """A patch for the kernel.

    Attributes:
        rgba: float32 (h, w, 4), premultiplied.
        place: float32 (4,): pixels per face width, the origin's column and row, and the radius of the arch (0: flat).
    """

    rgba: NDArray[np.float32]
    place: NDArray[np.float32]


class _Parts(NamedTuple):
    upper: _Drawing
    lower: _Drawing
    tongue: _Drawing
    photo: _Drawing


class _Gap(NamedTuple):
    """The opening and what shades it.

    Attributes:
        upper: float32 (n,), row of the upper lip in each column.
        lower: float32 (n,), of the lower lip.
        opacity: float32 (n,).
        height: The largest distance, pixels.
        light: Light that comes in, 0 to 1; rounded lips take some.
        tip: Height of the tongue's tip over the lower teeth's edge, face widths; negative hides it.
        out: How far the tongue hangs over the lower lip, face widths.
        teeth: How far the upper teeth hide the tip below the upper lip, face widths.
    """

    upper: NDArray[np.float32]
    lower: NDArray[np.float32]
    opacity: NDArray[np.float32]
    height: float
    light: float
    tip: float
    out: float
    teeth: float


@njit(cache=True, nogil=True, fastmath=True)
def _blend(
    colour: NDArray[np.float32], drawing: _Drawing, plane: NDArray[np.float32], x: float, y: float, light: float
) -> None:
    """Lays a patch's pixel over `colour` (3,)."""
    scale, origin_u, origin_v, radius = drawing.place
    patch = drawing.rgba
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
def _tongue_tip(plane: NDArray[np.float32], x: float, y: float, gap: _Gap, width: float) -> tuple[float, float]:
    """Returns opacity and light of the tongue's tip at a pixel; `width` is the face's."""
    dx, dy = x - plane[4], y - plane[5]
    p = (plane[0] * dx + plane[1] * dy) / _TIP_WIDTH
    q = plane[2] * dx + plane[3] * dy
    low = -_TIP_HEIGHT - gap.out
    half = 0.5 * (gap.tip - low)
    if half <= 0.0 or abs(p) > 1.2:
        return 0.0, 0.0
    v = (q - 0.5 * (gap.tip + low)) / half
    radius = np.sqrt(p * p + (v * v * v if v > 0.0 else v * v))
    alpha = min(max((1.0 - radius) * half * width * 0.8 + 0.3, 0.0), 1.0)
    groove = np.exp(-p * p * 40.0) * (1.0 - v * v)
    deep = _ease(0.5 * v + 0.5) * min(gap.out * 12.0, 1.0)
    return alpha, (0.70 + 0.30 * np.sqrt(max(1.0 - radius * radius, 0.0)) - 0.10 * groove) * (1.0 - 0.4 * deep)


@njit(cache=True, nogil=True, fastmath=True)
def _shade(
    colour: NDArray[np.float32],
    gap: _Gap,
    planes: MouthPlanes,
    parts: _Parts,
    x: float,
    y: float,
    below: float,
    share: float,
) -> None:
    """Lays tongue, then teeth over `colour` (3,) at a pixel.

    Args:
        colour: What lies behind: the cavity.
        gap: The opening.
        planes: Where the parts are.
        parts: The parts.
        x: Column.
        y: Row.
        below: Distance from the upper lip, 0.05 face widths being 1.
        share: Distance from the upper lip, the lower lip being at 1.
    """
    _blend(colour, parts.tongue, planes.tongue, x, y, gap.light * (0.42 + 0.50 * _ease(share)))
    _blend(colour, parts.lower, planes.jaw, x, y, gap.light * (0.56 + 0.36 * min(max(below - 0.2, 0.0), 0.8)))
    _blend(colour, parts.upper, planes.skull, x, y, gap.light * (0.74 + 0.26 * _ease(2.2 * below)))
    if parts.photo.rgba.shape[0] > 1:
        _blend(colour, parts.photo, planes.photo, x, y, 1.0)


@njit(cache=True, nogil=True, fastmath=True)
def _fill(
    picture: NDArray[np.uint8],
    coverage: NDArray[np.float32],
    window: Window,
    gap: _Gap,
    width: float,
    dark: NDArray[np.float32],
    planes: MouthPlanes,
    parts: _Parts,
) -> None:
    """Draws the interior, back to front, where the lips leave it open.

    Args:
        picture: (size, size, 3).
        coverage: The opening's share of each pixel.
        window: Where to draw.
        gap: The opening.
        width: The face's width, pixels.
        dark: (2, 3), colours of the cavity and of the tongue's tip.
        planes: Where the parts are.
        parts: The parts.
    """
    colour = np.empty(3, np.float32)
    wide = 0.62 + 0.38 * _ease(gap.height / (0.055 * width))
    drawn = parts.photo.rgba.shape[0] == 1
    for column in range(window.width):
        upper_lip, lower_lip, x = gap.upper[column], gap.lower[column], window.left + column
        for row in range(window.height):
            y = window.top + row
            alpha = coverage[row, column] * gap.opacity[column]
            tip, tip_light = _tongue_tip(planes.jaw, x, y, gap, width)
            if 2 * y > upper_lip + lower_lip:
                alpha = max(alpha, tip * _ease(gap.out * 40.0))
            if alpha <= 0.002:
                continue
            share = min(max((y - upper_lip) / max(lower_lip - upper_lip, 1.0), 0.0), 1.0)
            edge = min(y - upper_lip, lower_lip - y) / (0.10 * gap.height + 1.0)
            shade = wide * (0.62 + 0.38 * _ease(edge)) if drawn else 1.0
            for channel in range(3):
                colour[channel] = dark[0, channel] * (0.55 + 0.45 * share)
            _shade(colour, gap, planes, parts, x, y, (y - upper_lip) / (0.05 * width), share)
            tip *= _ease((y - gap.teeth * width - upper_lip) / (0.01 * width) + 0.5)
            for channel in range(3):
                value = shade * colour[channel]
                value += tip * (tip_light * dark[1, channel] - value)
                value = 255.0 * min(max(value, 0.0), 1.0)
                picture[y, x, channel] = np.uint8(value * alpha + picture[y, x, channel] * (1.0 - alpha) + 0.5)


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
        flesh = self._tongue.rgba[..., :3][self._tongue.rgba[..., 3] > 0.98]
        lip = inside(face.picture(face.points[[*LIP_INNER_LOWER, *LIP_OUTER_LOWER[::-1]]]), rgb.shape[:2]) > 128
        flesh = 0.8 * np.percentile(flesh, 90, axis=0)
        if lip.any():
            flesh += 0.5 * np.median(rgb[lip], axis=0) / 255
        self._colours = np.stack([dark * np.clip(tint, 0.3, 1), flesh]).astype(np.float32)
        self._own = Patch(np.zeros((1, 1, 4), np.float32), 1.0, (0.0, 0.0))
        if not face.mouth_closed:
            self._use_photo(face, rgb)
        arch = ARCH_RADIUS
        self._parts = _Parts(
            _drawing(self._upper, arch), _drawing(self._lower, arch), _drawing(self._tongue, 0), _drawing(self._own, 0)
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
        drive: Drive,
    ) -> None:
        """Draws the interior between the lips into the picture, if they are apart.

        Args:
            picture: uint8 (size, size, 3).
            upper: float32 (n, 2), inner contour of the upper lip, columns and rows, the picture's left first.
            lower: float32 (n, 2), of the lower lip.
            resting_gap: float32 (n,), rows between the contours at rest, which is no opening.
            planes: Where the parts are.
            drive: The frame's motion.
        """
        gap = lower[:, 1] - upper[:, 1]
        opened = gap - resting_gap - 0.5
        if opened.max() < 0.3:
            return
        polygon = np.concatenate([upper, lower[::-1]])
        reach = np.array([[0.0, (_TIP_HEIGHT + _TIP_OUT) * self._width * (drive.tongue > 0.5)]], np.float32)
        window = window_around(np.concatenate([polygon, lower + reach]), picture.shape[0])
        if window is None:
            return
        cover(polygon, window, self._scratch, self._coverage)
        ease = np.clip(opened / 1.8, 0, 1)
        opening = _Gap(
            at_columns(upper, upper[:, 1], window),
            at_columns(lower, lower[:, 1], window),
            at_columns(upper, (ease * ease * (3 - 2 * ease)).astype(np.float32), window),
            float(gap.max()),
            1.0 - _ROUNDED_SHADE * drive.rounding,
            -_TIP_HEIGHT + min(2.0 * drive.tongue, 1.0) * (_TIP_HEIGHT + _TIP_RISE),
            _TIP_OUT * max(0.0, 2.0 * drive.tongue - 1.0),
            _UPPER_DROP * 0.8,
        )
        _fill(picture, self._coverage, window, opening, self._width, self._colours, planes, self._parts)

    def _use_photo(self, face: Face, rgb: NDArray[np.uint8]) -> None:
        """Takes the teeth that the photo shows as a patch of their own, and their colour for the drawn ones."""
        contour = [*LIP_INNER_UPPER, *LIP_INNER_LOWER[::-1]]
        polygon = face.picture(face.points[contour])
        mask = inside(polygon, (face.size, face.size))
        within = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 128
        shown = rgb[within].astype(np.float64) / 255
        if len(shown) < 20:
            return
        light = shown @ _LUMINANCE
        enamel = shown[light >= np.percentile(light, 75)].mean(0)
        if enamel.mean() > 0.47:
            self._upper = _matched(self._upper, 0.85 * enamel)
            self._lower = _matched(self._lower, 0.72 * enamel * np.array(_LOWER_TINT))
        photo = rgb.astype(np.float32) / 255
        gum = spread(photo, within, 0.012 * face.width) * np.array(_GUM_TINT)
        filled = np.where(within[..., None], photo, gum)
        # A lip that rises above its place in the photo uncovers gum, so the patch reaches up behind it.
        raised = mask.copy()
        for rows in range(1, round(0.05 * face.width)):
            raised[:-rows] = np.maximum(raised[:-rows], mask[rows:])
        lower = face.picture(face.points[list(LIP_INNER_LOWER)])
        lip = np.interp(np.arange(rgb.shape[1]), lower[:, 0], lower[:, 1])
        keep = (np.arange(rgb.shape[0])[:, None] < lip[None] - 0.5) | (mask > 0)
        alpha = blurred(np.where(keep, raised, 0) / 255.0, 0.8)
        rgba = np.dstack([filled * alpha[..., None], alpha]).astype(np.float32)
        left, top = np.maximum(np.floor(polygon.min(0) - 0.1 * face.width).astype(int), 0)
        right, bottom = np.ceil(polygon.max(0) + 0.1 * face.width).astype(int)
        column, row = face.picture(self.photo_seat)
        origin = (float(column - left), float(row - top))
        self._own = Patch(np.ascontiguousarray(rgba[top:bottom, left:right]), face.width, origin)


def _drawing(patch: Patch, radius: float) -> _Drawing:
    return _Drawing(patch.rgba, np.array([patch.scale, *patch.origin, radius], np.float32))


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
