"""Kernels that draw what is seen between the lips: cavity, tongue and teeth, back to front."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numba import njit

from avatar.kernels import PART
from avatar.render.sampling import ease
from avatar.render.tongue import Tip, shadow_at, tip_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.coverage import Window


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


class Drawing(NamedTuple):
    """A patch for the kernel.

    Attributes:
        rgba: float32 (h, w, 4), premultiplied.
        place: float32 (4,): pixels per face width, the origin's column and row, and the radius of the arch (0: flat).
    """

    rgba: NDArray[np.float32]
    place: NDArray[np.float32]


class Parts(NamedTuple):
    """What lies in the mouth.

    Attributes:
        upper: The upper teeth.
        lower: The lower teeth.
        tongue: The tongue's body.
        photo: The photo's own teeth; one pixel if it shows none.
        relief: The tongue's upper side; see `tongue_relief`.
        colours: float32 (4, 3), of the cavity, of the tongue's tip, and of what the flesh around throws into the shade,
            as shares of the light: in full shade, and how much more for each part of the light that comes in.
    """

    upper: Drawing
    lower: Drawing
    tongue: Drawing
    photo: Drawing
    relief: NDArray[np.float32]
    colours: NDArray[np.float32]


class Gap(NamedTuple):
    """The opening and what shades it.

    Attributes:
        upper: float32 (n,), row of the upper lip in each column.
        lower: float32 (n,), of the lower lip.
        opacity: float32 (n,).
        height: The largest distance, pixels.
        light: Light that comes in, 0 to 1; rounded lips take some.
        teeth: Height of the upper teeth's edge on the plane of the lower teeth, face widths.
        middle: Column half-way between the lips' corners.
        half: Half the columns between them.
    """

    upper: NDArray[np.float32]
    lower: NDArray[np.float32]
    opacity: NDArray[np.float32]
    height: float
    light: float
    teeth: float
    middle: float
    half: float


_CORNER: Final = 0.62
"""Share of the light that the cheeks take from what lies at the mouth's corners."""
_HIDDEN: Final = 1.45
"""How much more than from the mouth rounded lips take from teeth that the photo shows, below the upper lip."""
_LESS_HIDDEN: Final = 1.0
"""So much less of that lower down."""


@njit(**PART, fastmath=True)
def _blend(
    colour: NDArray[np.float32],
    drawing: Drawing,
    plane: NDArray[np.float32],
    flesh: NDArray[np.float32],
    x: float,
    y: float,
    light: float,
) -> None:
    """Lays a patch's pixel over `colour` (3,); what `light` lacks of 1 is shade, which `flesh` (4, 3) lights."""
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
        colour[channel] = colour[channel] * (1.0 - alpha) + value * (
            light + (1.0 - light) * (flesh[2, channel] + light * flesh[3, channel])
        )


@njit(**PART, fastmath=True)
def _shade(
    colour: NDArray[np.float32],
    lights: tuple[float, float],
    planes: MouthPlanes,
    parts: Parts,
    x: float,
    y: float,
    below: float,
    share: float,
) -> None:
    """Lays tongue, then teeth over `colour` (3,) at a pixel.

    Args:
        colour: What lies behind: the cavity.
        lights: Light that comes in at this column, and how much of it rounded lips take: the photo's own teeth lie in
            no other shade than its own.
        planes: Where the parts are.
        parts: The parts.
        x: Column.
        y: Row.
        below: Distance from the upper lip, 0.05 face widths being 1.
        share: Distance from the upper lip, the lower lip being at 1.
    """
    light, rounded = lights
    _blend(colour, parts.tongue, planes.tongue, parts.colours, x, y, light * (0.50 + 0.50 * ease(share)))
    _blend(
        colour, parts.lower, planes.jaw, parts.colours, x, y, light * (0.56 + 0.40 * min(max(below - 0.2, 0.0), 0.8))
    )
    _blend(colour, parts.upper, planes.skull, parts.colours, x, y, light * (0.72 + 0.28 * ease(2.2 * below)))
    if parts.photo.rgba.shape[0] > 1:
        shade = 1.0 - rounded * (_HIDDEN - _LESS_HIDDEN * light * ease(1.5 * below))
        _blend(colour, parts.photo, planes.photo, parts.colours, x, y, shade)


@njit(cache=True, nogil=True, fastmath=True)
def fill_mouth(
    picture: NDArray[np.uint8],
    coverage: NDArray[np.float32],
    window: Window,
    gap: Gap,
    tip: Tip,
    width: float,
    planes: MouthPlanes,
    parts: Parts,
) -> None:
    """Draws the interior, back to front, where the lips leave it open, and a tongue that is out over the lip.

    Args:
        picture: (size, size, 3).
        coverage: The opening's share of each pixel.
        window: Where to draw.
        gap: The opening.
        tip: The tongue's tip.
        width: The face's width, pixels.
        planes: Where the parts are.
        parts: The parts.
    """
    colour = np.empty(3, np.float32)
    dark, jaw = parts.colours, planes.jaw
    wide = 0.76 + 0.24 * ease(gap.height / (0.055 * width))
    drawn = parts.photo.rgba.shape[0] == 1
    raised = tip.top > tip.lip - 0.02
    for column in range(window.width):
        upper_lip, lower_lip, x = gap.upper[column], gap.lower[column], window.left + column
        entering = gap.light * (1.0 - _CORNER * ease((abs(x - gap.middle) / gap.half - 0.25) / 0.75))
        lights = (entering, 1.0 - gap.light)
        for row in range(window.height):
            y = window.top + row
            alpha = coverage[row, column] * gap.opacity[column]
            tongue, light, wet = 0.0, 0.0, 0.0
            outside = tip.over > 0.0 and 2 * y > upper_lip + lower_lip
            if raised and (alpha > 0.002 or outside):
                dx, dy = x - jaw[4], y - jaw[5]
                p, q = jaw[0] * dx + jaw[1] * dy, jaw[2] * dx + jaw[3] * dy
                tongue, light, wet = tip_at(tip, parts.relief, p, q, width)
                edge = max(gap.teeth + 0.8 * p * p, tip.shown)
                tongue *= ease((edge - q) / 0.012 + 0.5)
                if outside:
                    if tip.out > 0.0:
                        shadow = shadow_at(tip, p, q) * (1.0 - alpha)
                        for channel in range(3):
                            picture[y, x, channel] = np.uint8(picture[y, x, channel] * (1.0 - shadow) + 0.5)
                    alpha = max(alpha, tongue * tip.over)
            if alpha <= 0.002:
                continue
            share = min(max((y - upper_lip) / max(lower_lip - upper_lip, 1.0), 0.0), 1.0)
            rim = min(y - upper_lip, lower_lip - y) / (0.10 * gap.height + 1.0)
            shade = wide * (0.62 + 0.38 * ease(rim)) if drawn else 1.0
            for channel in range(3):
                colour[channel] = dark[0, channel] * (0.55 + 0.45 * share)
            _shade(colour, lights, planes, parts, x, y, (y - upper_lip) / (0.05 * width), share)
            for channel in range(3):
                value = shade * colour[channel]
                value += tongue * (gap.light * (light * dark[1, channel] + wet) - value)
                value = 255.0 * min(max(value, 0.0), 1.0)
                picture[y, x, channel] = np.uint8(value * alpha + picture[y, x, channel] * (1.0 - alpha) + 0.5)
