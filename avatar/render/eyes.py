"""Eyeballs: a clean sclera and a whole iris that moves under the lids."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numba import njit
from scipy.ndimage import gaussian_filter1d

from avatar.render.coverage import Window, at_columns, cover, window_around
from avatar.render.eyelid import Eyelid
from avatar.render.face import to_output
from avatar.render.filters import blurred, inside, sampled, spread
from avatar.render.sampling import between, mixed, on_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Iris
    from avatar.render.face import Face
    from avatar.render.topology import EyeIndices

_TRAVEL = (1.05, 0.80)
"""How far the iris moves sideways and up or down at a full look, in iris radii."""
_GLINT = 0.4
"""The catch-light moves by this share of the iris's move: the light stays, the cornea turns."""
_SHADOW_KEPT = 0.35
_TURNED_AWAY = 0.24
"""How much darker the white of the eye is at the corners, where the ball turns away."""
_OTHER_HUE = 0.12
"""Blue minus red, by how much it differs in an iris from the white of the eye."""
_LEAST_RADIUS = 0.02
_IRIS, _TRUST = np.intp(9), np.intp(10)
"""Layers; typed, because Numba compiles a function once more for every plain number that it is called with."""
_LUMINANCE = np.array([0.30, 0.59, 0.11], np.float32)


class Look(NamedTuple):
    """One eye's state in a frame.

    Attributes:
        x: Move of the iris to the right, pixels of the layers.
        y: The same, down.
        moved: 0 shows the photo's eye, 1 the composed one.
        shade: How dark the upper lid's shadow is, 0 to 1.
    """

    x: float
    y: float
    moved: float
    shade: float


@njit(cache=True, nogil=True, fastmath=True)
def fill_eye(
    picture: NDArray[np.uint8],
    coverage: NDArray[np.float32],
    window: Window,
    lid: NDArray[np.float32],
    plane: NDArray[np.float32],
    layers: NDArray[np.float32],
    look: Look,
    reach: float,
) -> None:
    """Draws one eyeball.

    Args:
        picture: (size, size, 3).
        coverage: The opening's share of each pixel.
        window: Where to draw.
        lid: (width,), the upper lid's row in each column.
        plane: From the picture to the layers' pixels; see `Camera.plane`.
        layers: (h, w, 14): sclera, iris and photo in colour; iris opacity; where the photo is trusted; catch-light.
        look: Gaze and lids.
        reach: Length of the lid's shadow, pixels.
    """
    for column in range(window.width):
        for row in range(window.height):
            alpha = coverage[row, column]
            if alpha <= 0.002:
                continue
            x, y = window.left + column, window.top + row
            u, v = on_plane(plane, x, y)
            here = between(layers, u, v)
            turned = between(layers, u - look.x, v - look.y)
            glint = between(layers, u - _GLINT * look.x, v - _GLINT * look.y)
            iris = mixed(layers, turned, _IRIS)
            trust = max(mixed(layers, here, _TRUST), 1.0 - 4.0 * look.moved) * (1.0 - look.moved)
            light = 1.0 - look.shade * 0.28 * np.exp(-max(y - lid[column], 0.0) / reach)
            for channel in range(3):
                ball = mixed(layers, here, channel)
                ball += iris * (mixed(layers, turned, 3 + channel) - ball)
                ball += mixed(layers, glint, 11 + channel)
                ball += trust * (mixed(layers, here, 6 + channel) - ball)
                value = min(max(255.0 * ball * light, 0.0), 255.0)
                picture[y, x, channel] = np.uint8(value * alpha + picture[y, x, channel] * (1.0 - alpha) + 0.5)


class Eye:
    """Draws one eyeball of a portrait.

    Args:
        face: The face.
        indices: Which eye.
        iris: The iris measured on the portrait.
        rgb: uint8 (size, size, 3), the picture.
    """

    def __init__(self, face: Face, indices: EyeIndices, iris: Iris, rgb: NDArray[np.uint8]) -> None:
        upper, lower = face.points[list(indices.upper)], face.points[list(indices.lower)]
        outline = face.picture(np.concatenate([upper, lower[::-1]]))
        corners = outline[[0, len(upper) - 1]]
        length = float(np.linalg.norm(corners[1] - corners[0]))
        half = int(length * 0.85)
        left, top = np.maximum(corners.mean(0).astype(int) - half, 0)
        window = rgb[top : top + 2 * half, left : left + 2 * half].astype(np.float32) / 255
        mask = inside(outline - [left, top], window.shape[:2])
        inner = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 128

        centre = to_output(iris.centre, face.texels) - [left, top]
        radius = max(iris.radius / face.texels, _LEAST_RADIUS * face.width)
        centre, radius = _snap_iris(blurred(window @ _LUMINANCE, 1.0), centre, radius)
        y, x = np.mgrid[0 : window.shape[0], 0 : window.shape[1]].astype(np.float32)
        away = np.hypot(x - centre[0], y - centre[1])

        trust = np.clip(2 * blurred(inner.astype(np.float32), 1.2) - 1, 0, 1)[..., None]
        sclera = _sclera(window, inner, away > 1.15 * radius, length)
        from_middle = np.abs(x + left - corners[:, 0].mean()) / (0.5 * length)
        sclera *= (1 - _TURNED_AWAY * np.clip(from_middle, 0, 1) ** 2.5)[..., None]
        round_iris = _radial_median(window, inner & (away < 1.05 * radius), away / radius)
        detail = trust * (window - round_iris)
        # The lid's shadow on the iris stays behind when the eye turns.
        detail = np.where(detail < 0, _SHADOW_KEPT * detail, detail)
        # A catch-light is white; what is light in the iris's own hue is a part of the iris.
        white = detail.min(-1)
        glint = np.clip((white - 0.06) / 0.08, 0, 1)[..., None] * (away < 0.95 * radius)[..., None]
        glint = blurred(glint, 0.6)[..., None] * detail
        opacity = np.clip((1.04 * radius - away) / 1.6 + 0.5, 0, 1)[..., None]
        round_iris += detail - glint
        layers = (sclera, round_iris, window, opacity, trust, np.clip(glint, 0, 1))
        self._layers = np.concatenate(layers, 2).astype(np.float32)
        self._radius = radius
        self._shadow = 0.016 * face.width
        self._lid = Eyelid(face, indices, rgb, np.array([left, top]), min(window.shape[:2]))
        depth = float(upper[:, 2].mean())
        self.seat = np.array([left, -top, depth], np.float64)
        self._scratch = np.zeros((face.size, face.size + 2), np.float32)
        self._coverage = np.zeros((face.size, face.size), np.float32)

    def draw(
        self,
        picture: NDArray[np.uint8],
        upper: NDArray[np.float32],
        lower: NDArray[np.float32],
        plane: NDArray[np.float32],
        gaze: tuple[float, float],
        lid: float,
    ) -> None:
        """Draws the eyeball between the lids into the picture, and the upper lid as far as it closes.

        Args:
            picture: uint8 (size, size, 3).
            upper: float32 (n, 2), edge of the upper lid, columns and rows, the picture's left first.
            lower: float32 (n, 2), of the lower lid.
            plane: From the picture to the layers' pixels.
            gaze: Look to the picture's right and down, each in [-1, 1].
            lid: How far the lids are from their rest, 0 to 1; deepens the shadow.
        """
        self._draw_ball(picture, upper, lower, plane, gaze, lid)
        self._lid.draw(picture, upper, lower, plane)

    def _draw_ball(
        self,
        picture: NDArray[np.uint8],
        upper: NDArray[np.float32],
        lower: NDArray[np.float32],
        plane: NDArray[np.float32],
        gaze: tuple[float, float],
        lid: float,
    ) -> None:
        gap = lower[:, 1] - upper[:, 1]
        if gap.max() < 0.5:
            return
        polygon = np.concatenate([upper, lower[::-1]])
        window = window_around(polygon, picture.shape[0])
        if window is None:
            return
        cover(polygon, window, self._scratch, self._coverage)
        moved = min(1.0, 6.0 * float(np.hypot(*gaze)))
        sideways, down = gaze[0] * self._radius * _TRAVEL[0], gaze[1] * self._radius * _TRAVEL[1]
        look = Look(sideways, down, moved, max(lid, 0.6 * moved))
        edge = at_columns(upper, upper[:, 1], window)
        fill_eye(picture, self._coverage, window, edge, plane, self._layers, look, self._shadow)


def _snap_iris(
    luminance: NDArray[np.float32], centre: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.float64], float]:
    """Returns the centre and radius nearby with the strongest step from dark to light at the iris's two sides."""
    angles = np.deg2rad(np.r_[np.arange(-40, 41, 10), np.arange(140, 221, 10)])
    ring = np.stack([np.cos(angles), np.sin(angles)], 1)
    best = -np.inf
    found = centre, radius
    for dx in range(-2, 3):
        for dy in range(-2, 3):
            for scale in (0.88, 0.94, 1.0, 1.06, 1.12, 1.18, 1.24, 1.30):
                middle = centre + np.array([dx, dy])
                outer, inner = (middle + ring * (radius * scale + step) for step in (1.5, -1.5))
                step = np.clip(sampled(luminance, outer[None]) - sampled(luminance, inner[None]), -0.04, 0.24)
                score = float(step.mean()) - 0.002 * np.hypot(dx, dy) - 0.08 * abs(scale - 1)
                if score > best:
                    best = score
                    found = middle, radius * scale
    return found


def _sclera(
    window: NDArray[np.floating], inner: NDArray[np.bool_], beyond_iris: NDArray[np.bool_], length: float
) -> NDArray[np.float32]:
    """Returns the white of the eye, carried across iris and lids from its brighter half."""
    white = inner & beyond_iris
    if white.sum() <= 12:
        bright = np.percentile(window[inner], 85, axis=0) if inner.any() else np.full(3, 0.8)
        return np.broadcast_to(bright.astype(np.float32), window.shape).copy()
    light = window @ _LUMINANCE
    # A drawn iris may be larger than the one that was measured: what has another hue than the white is none.
    hue = window[..., 2] - window[..., 0]
    usual = float(np.median(hue[white & (light >= np.percentile(light[white], 60))]))
    unlike = white & (np.abs(hue - usual) > _OTHER_HUE)
    if (white & ~unlike).sum() > 12:
        white = white & ~unlike
    filled = spread(window, white & (light >= np.percentile(light[white], 45)), 0.10 * length)
    good = (white & (light > np.percentile(light[white], 35))).astype(np.float32)
    keep = np.clip(1.6 * blurred(good, 1.0) - 0.5, 0, 1)[..., None]
    return (filled + keep * (window - filled)).astype(np.float32)


def _radial_median(
    window: NDArray[np.floating], iris: NDArray[np.bool_], away: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns an iris (h, w, 3) whose colour depends on the distance from its centre alone (`away`, in radii)."""
    ring = np.clip((away * 10).astype(int), 0, 12)
    profile = np.zeros((13, 3))
    for k in range(13):
        seen = window[iris & (ring == k)]
        profile[k] = np.median(seen, axis=0) if len(seen) else (profile[k - 1] if k else (0.12, 0.10, 0.10))
    profile = gaussian_filter1d(profile, 0.7, axis=0)
    return np.stack([np.interp(10 * away, np.arange(13) + 0.5, profile[:, c]) for c in range(3)], -1).astype(np.float32)
