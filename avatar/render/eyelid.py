"""The skin of a closing upper lid, and its lashes: what the photo hides while the eye is open.

The sheet alone stretches the lid's visible rim over the eyeball, which smears lashes, make-up and deep shadows. Here
the lid has the calm colour of the skin around it, the eyeball's round shade, the photo's grain, and a line of lashes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np
from numba import njit
from scipy.ndimage import gaussian_filter1d

from avatar.render.coverage import Window, at_columns
from avatar.render.face import smoothstep
from avatar.render.filters import blurred, sampled
from avatar.render.sampling import along, between, ease, mixed, on_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face
    from avatar.render.topology import EyeIndices

_CHEEKS: Final = (50, 117, 118, 280, 346, 347)
_BAND: Final = (0.25, 0.40, 0.55, 0.70, 0.85)
"""Where the lid's colour is looked for, between the lashes and the ring of landmarks below the brow."""
_SPREAD: Final = 0.14
"""How far brightness along the lid may be from its median, as a share."""
_DARK_SOCKET: Final = 0.80
"""A lid darker than this part of the cheek is lit half-way up when it comes out of its socket."""
_BELOW: Final = (0.03, 0.05, 0.07)
"""Where the skin below the eye is looked at, face widths below the lower lid; above, at that ring."""
_OF_AROUND: Final = 0.8
"""How much of the lid's hue is that of the skin around the eye."""
_LIT: Final = 0.3
"""A lid comes out of its shade by so much of what it lacks of the light around the eye."""
_ABOVE: Final = 0.55
"""Part of the way from the lashes to that ring at which the lid begins: it covers lashes that stood up."""
_FEATHER: Final = 0.034
"""Face widths over which it comes out from under the skin above."""
_LINE: Final = 0.0075
"""Half thickness of the line of lashes, face widths."""
_LINE_OF_EYE: Final = 0.06
"""The same in heights of the open eye, for large drawn eyes."""
_LASH: Final = 0.022
"""Length of the lashes."""
_N_LASHES: Final = 24
_LINE_LAYER, _HAIR_LAYER = np.intp(3), np.intp(4)
"""Typed, because Numba compiles a function once more for every plain number that it is called with."""
_LUMINANCE = np.array([0.30, 0.59, 0.11], np.float32)


class Closed(NamedTuple):
    """A closed lid.

    Attributes:
        layer: float32 (h, w, 5): its colour, and how much of it the line of lashes and hanging lashes hide.
        lines: float32 (3, w): rows where it begins, and of its edge; how much it covers in each column.
        dark: float32 (3,), colour of the lashes.
        feather: Pixels over which it comes out.
    """

    layer: NDArray[np.float32]
    lines: NDArray[np.float32]
    dark: NDArray[np.float32]
    feather: float


@njit(cache=True, nogil=True, fastmath=True)
def cover_eye(
    picture: NDArray[np.uint8],
    window: Window,
    edge: NDArray[np.float32],
    plane: NDArray[np.float32],
    closed: Closed,
    shut: float,
) -> None:
    """Draws one lid.

    Args:
        picture: (size, size, 3).
        window: Where to draw.
        edge: (width,), the lid's edge in each column.
        plane: From the picture to the lid's pixels; see `Camera.plane`.
        closed: The lid when it is closed.
        shut: How far the eye is shut, 0 to 1.
    """
    lid, lines, dark = closed.layer, closed.lines, closed.dark
    strength, lashes = ease(shut / 0.3), ease((shut - 0.35) / 0.5)
    height, width = lid.shape[0] - 1.001, lid.shape[1] - 1.001
    for column in range(window.width):
        x = window.left + column
        for row in range(window.height):
            y = window.top + row
            u, v = on_plane(plane, x, y)
            if u < 0.0 or u > width:
                continue
            below = y - edge[column]
            place = along(lines[1], u) + below
            if place < 0.0 or place > height:
                continue
            skin = (
                min(max(0.5 - below, 0.0), 1.0)
                * ease((v - along(lines[0], u)) / closed.feather)
                * strength
                * along(lines[2], u)
            )
            here = between(lid, u, place)
            line, hair = mixed(lid, here, _LINE_LAYER), mixed(lid, here, _HAIR_LAYER)
            lash = max(strength * line, lashes * hair)
            if skin <= 0.002 and lash <= 0.002:
                continue
            for channel in range(3):
                value = skin * mixed(lid, here, channel) + (1.0 - skin) * picture[y, x, channel]
                value += lash * (dark[channel] - value)
                picture[y, x, channel] = np.uint8(min(max(value, 0.0), 255.0) + 0.5)


class Eyelid:
    """Draws one eye's upper lid as it closes.

    Args:
        face: The face.
        indices: Which eye.
        rgb: uint8 (size, size, 3), the picture.
        corner: Column and row of the lid's picture in `rgb`.
        side: Its height and width, pixels.
    """

    def __init__(
        self, face: Face, indices: EyeIndices, rgb: NDArray[np.uint8], corner: NDArray[np.int64], side: int
    ) -> None:
        picture = rgb.astype(np.float32)
        upper, lower, ring = (
            face.picture(face.points[list(part)]) - corner
            for part in (indices.upper, indices.lower, indices.upper_third)
        )
        columns = np.arange(side, dtype=np.float64)
        top, bottom, high = (_row_at(line, columns) for line in (upper, lower, ring))
        middle, half = (upper[0, 0] + upper[-1, 0]) / 2, max((upper[-1, 0] - upper[0, 0]) / 2, 1.0)
        x = np.clip((columns - middle) / half, -1, 1)

        skin = _lid_colour(face, picture, corner, columns, top, high)
        skin = _as_around(skin, _around_eye(face, picture, lower + corner, ring + corner))
        y = np.arange(side)[:, None]
        share = np.clip((y - top) / np.maximum(bottom - top, 1.0), 0, 1)
        round_ = (0.96 + 0.10 * np.sin(np.pi * share) - 0.10 * share**6) * (1 - 0.10 * np.abs(x) ** 3)
        crease = 1 - 0.07 * np.exp(-(((share - 0.16) / 0.07) ** 2)) * (1 - x**2)
        closed = 0.99 * skin[None] * (round_ * crease)[..., None] + _grain(picture, corner, side, 0.10 * face.width)

        edge = sampled(picture @ _LUMINANCE, upper[None, 1:-1] + corner)[0]
        light = float(np.median(skin @ _LUMINANCE))
        contrast = float(np.clip(1 - np.percentile(edge, 30) / max(light, 1.0), 0.35, 0.85))
        dark = np.median(skin, axis=0) * (1 - 0.92 * contrast) * [0.92, 0.86, 0.84]
        outer = -x if indices.side == "Right" else x
        self._resting_gap = float((lower[:, 1] - upper[:, 1]).max())
        thick = max(_LINE * face.width, _LINE_OF_EYE * self._resting_gap)
        line = (1 - np.abs(x) ** 6) * (0.72 + 0.28 * outer)
        line = line * np.exp(-(np.abs((y - bottom) / thick) ** 2.4))
        hair = 0.5 * _strokes(bottom, middle, half, side, _LASH * face.width)
        opacity = contrast**0.5 * np.stack([line, hair], -1)
        start = top - _ABOVE * (top - high) * (1 - x**2)
        self._closed = Closed(
            np.dstack([np.clip(closed, 0, 255), opacity]).astype(np.float32),
            np.stack([start, bottom, smoothstep((1 - np.abs(x)) / 0.22)]).astype(np.float32),
            dark.astype(np.float32),
            _FEATHER * face.width,
        )
        self._lash = _LASH * face.width

    def draw(
        self,
        picture: NDArray[np.uint8],
        upper: NDArray[np.float32],
        lower: NDArray[np.float32],
        plane: NDArray[np.float32],
    ) -> None:
        """Draws the lid over the picture as far as the eye is shut.

        Args:
            picture: uint8 (size, size, 3).
            upper: float32 (n, 2), edge of the upper lid, columns and rows, the picture's left first.
            lower: float32 (n, 2), of the lower lid.
            plane: From the picture to the lid's pixels.
        """
        shut = 1.0 - float((lower[:, 1] - upper[:, 1]).max()) / max(self._resting_gap, 1.0)
        if shut < 0.03 or self._resting_gap < 1.0:
            return
        size, reach = picture.shape[0], self._resting_gap + self._closed.feather
        left, right = max(int(upper[:, 0].min()), 0), min(int(upper[:, 0].max()) + 2, size)
        top = max(int(upper[:, 1].min() - reach), 0)
        bottom = min(int(upper[:, 1].max() + self._lash) + 2, size)
        if right - left < 3 or bottom - top < 3:
            return
        window = Window(left, top, bottom - top, right - left)
        edge = at_columns(upper, upper[:, 1], window)
        cover_eye(picture, window, edge, plane, self._closed, shut)


def _row_at(line: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(line[:, 0])
    return np.interp(columns, line[order, 0], line[order, 1])


def _lid_colour(
    face: Face,
    picture: NDArray[np.float32],
    corner: NDArray[np.int64],
    columns: NDArray[np.float64],
    top: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Returns the lid's colour in each column, (w, 3): the skin's between lashes and brow, without its extremes."""
    inner = (np.argmax(np.abs(np.diff(top)) > 0), len(top) - 1 - np.argmax(np.abs(np.diff(top[::-1])) > 0))
    rows = np.stack([top - 0.006 * face.width + share * (high - top) for share in _BAND], 1)
    places = np.stack([np.broadcast_to(columns[:, None], rows.shape), rows], -1) + corner
    calm = blurred(picture, 1.0)
    band = np.stack([sampled(calm[..., channel], places) for channel in range(3)], -1)
    order = np.argsort(band @ _LUMINANCE, axis=1)[:, len(_BAND) * 3 // 4]
    colour = band[np.arange(len(band)), order].astype(np.float64)
    colour[: inner[0]], colour[inner[1] + 1 :] = colour[inner[0]], colour[inner[1]]
    usual = np.median(colour, axis=0)
    light = usual @ _LUMINANCE
    bright = colour @ _LUMINANCE
    within = np.clip(bright, (1 - _SPREAD) * light, (1 + _SPREAD) * light) / np.maximum(bright, 1.0)
    colour = 0.5 * colour * within[:, None] + 0.5 * usual * (within * bright / max(float(light), 1.0))[:, None]
    across, down = np.clip(face.picture(face.points[list(_CHEEKS)]).astype(int), 0, len(picture) - 1).T
    cheek = np.median(picture[down, across], axis=0)
    socket = _DARK_SOCKET * float(cheek @ _LUMINANCE) / max(float(light), 1.0)
    if socket > 1:
        lifted = 0.5 * (1 + min(socket, 2.0))
        colour = colour * lifted * 0.7 + 0.3 * cheek * _DARK_SOCKET
    return gaussian_filter1d(colour, 0.03 * face.width, axis=0, mode="nearest")


def _around_eye(
    face: Face, picture: NDArray[np.float32], lower: NDArray[np.float64], ring: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Returns the colours (2, 3) of the skin above and below an eye, without hair and shadows."""
    calm = blurred(picture, 0.01 * face.width)
    below = lower[None, 2:-2] + np.array([[[0.0, share * face.width]] for share in _BELOW])
    sides: list[NDArray[np.float64]] = []
    for places in (ring[None, 1:-1], below):
        seen = np.stack([sampled(calm[..., channel], places).ravel() for channel in range(3)], -1)
        light = seen @ _LUMINANCE
        sides.append(seen[light >= np.median(light)].mean(0))
    return np.array(sides)


def _as_around(skin: NDArray[np.float64], around: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns a lid's colours (w, 3) nearer to the hue and light around the eye, no lighter than the skin there."""
    light, beside = skin @ _LUMINANCE, around.mean(0)
    usual = max(float(beside @ _LUMINANCE), 1.0)
    hued = skin + _OF_AROUND * (beside * (light / usual)[:, None] - skin)
    hued *= 1 + _LIT * max(usual / max(float(np.median(light)), 1.0) - 1, 0.0)
    lightest = max(float((around @ _LUMINANCE).max()), 1.0)
    return hued * min(1.0, lightest / max(float(np.median(light)), 1.0))


def _grain(picture: NDArray[np.float32], corner: NDArray[np.int64], side: int, down: float) -> NDArray[np.float32]:
    """Returns the fine detail of the skin `down` pixels below a part of the picture, (side, side, 3)."""
    row = int(np.clip(corner[1] + round(down), 0, len(picture) - side))
    column = int(np.clip(corner[0], 0, len(picture) - side))
    part = picture[row : row + side, column : column + side]
    return np.clip(part - blurred(part, 1.6), -7, 7)


def _strokes(bottom: NDArray[np.float64], middle: float, half: float, side: int, length: float) -> NDArray[np.float32]:
    """Returns the opacity of lashes that hang from the row `bottom` of each column, float32 (side, side)."""
    fine = 4
    canvas = np.zeros((side * fine, side * fine), np.uint8)
    chance = np.random.default_rng(5)
    for x in np.linspace(-0.88, 0.90, _N_LASHES) + chance.normal(0, 0.02, _N_LASHES):
        column = middle + x * half
        row = float(np.interp(column, np.arange(side), bottom))
        long = length * (1 - 0.45 * x**2) * chance.uniform(0.45, 1.0)
        way = 0.55 * x + float(chance.normal(0, 0.12)), 0.55
        curve = [
            np.array([column, row]) + t * long * np.array([way[0] + 0.25 * x * t, way[1] + 0.35 * t])
            for t in np.linspace(0, 1, 5)
        ]
        points = ((np.array(curve) + 0.5) * fine).round().astype(np.int32)
        cv2.polylines(
            canvas, [points], isClosed=False, color=(255.0,), thickness=max(1, fine // 2), lineType=cv2.LINE_AA
        )
    small = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    rows = np.arange(side)[:, None]
    fade = np.clip(1.1 - (rows - bottom) / max(length, 1.0), 0, 1)
    return (np.asarray(small, np.float32) / 255 * fade).astype(np.float32)
