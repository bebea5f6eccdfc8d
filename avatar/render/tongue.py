"""The tongue: a body behind the teeth, and a tip that rises for L and TH and hangs over the lip when it is out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numba import njit

from avatar.kernels import PART
from avatar.render.filters import blurred
from avatar.render.sampling import ease
from avatar.render.teeth import PATCH_SCALE, Patch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.drive import Drive

_COLOUR: Final = (0.66, 0.34, 0.34)
_RAISED: Final = (0.02, 0.15)
"""Over these values of `tongueOut` the tip rises to the upper teeth: L and TH."""
_FORWARD: Final = (0.08, 0.18)
"""Over these it comes forward, from behind the lower lip to the lip's edge."""
_HIDDEN: Final = 0.06
"""How far below the lower lip's edge a tip at rest lies, face widths."""
_HANG: Final = 0.115
"""How far a tongue that is all out hangs below the lower lip's edge."""
_HALF_WIDTH: Final = (0.080, 0.112)
"""Between the teeth and all out."""
_SHARE_OF_MOUTH: Final = 0.66
_TALLEST: Final = 0.10
"""How far above the lower lip the tongue is seen at most."""
_LEAST_SHOWN: Final = 0.020
"""How much of a tip between the teeth shows above the lower lip, though the teeth be shut."""
_LENGTH: Final = 0.24
"""What the relief covers, from the tip, face widths."""
SHADOW: Final = 0.020
"""Reach of the shadow that a tongue casts below itself."""


class Tip(NamedTuple):
    """The tongue's tip in one frame, in face widths on the plane of the lower teeth.

    Attributes:
        top: Its highest place.
        low: Its lowest.
        half: Half its width.
        out: How far it is out, 0 to 1.
        over: How much of it lies over the lower lip, 0 to 1.
        lip: Height of the lower lip's edge.
        shown: Up to which height it hides the upper teeth.
    """

    top: float
    low: float
    half: float
    out: float
    over: float
    lip: float
    shown: float


def _ramp(x: float, span: tuple[float, float]) -> float:
    share = min(max((x - span[0]) / (span[1] - span[0]), 0.0), 1.0)
    return share * share * (3.0 - 2.0 * share)


def tip_of(drive: Drive, lip: float, teeth: float, half_mouth: float) -> Tip:
    """Returns where the tip is.

    Args:
        drive: The frame's motion.
        lip: Height of the lower lip's edge in the middle, face widths on the plane of the lower teeth.
        teeth: Height of the upper teeth's biting edge there.
        half_mouth: Half the distance between the lips' corners, face widths.
    """
    raised, forward = _ramp(drive.tongue, _RAISED), _ramp(drive.tongue, _FORWARD)
    out = max(0.0, (drive.tongue - _FORWARD[1]) / (1.0 - _FORWARD[1]))
    highest = min(max(teeth + 0.012, lip + 1.5 * _LEAST_SHOWN), lip + _TALLEST)
    rest = lip - _HIDDEN
    return Tip(
        top=rest + raised * (highest - rest),
        low=lip - _HIDDEN * (1.0 - forward) - 0.006 * forward - _HANG * out,
        half=min(_HALF_WIDTH[0] + out * (_HALF_WIDTH[1] - _HALF_WIDTH[0]), _SHARE_OF_MOUTH * half_mouth),
        out=out,
        over=_ramp(drive.tongue, (0.13, _FORWARD[1])),
        lip=lip,
        shown=lip + _LEAST_SHOWN * raised,
    )


def tongue_body() -> Patch:
    """Returns a tongue lying in the mouth, seen from the front; the origin is the top of its middle."""
    height, width = 120, 240
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u = (x - width / 2) / (0.135 * PATCH_SCALE)
    v = (y - 30 - 0.075 * PATCH_SCALE) / (0.085 * PATCH_SCALE)
    radius = np.sqrt(u**2 + v**2)
    alpha = blurred(np.clip(6 * (1 - radius), 0, 1), 3)
    light = 0.55 + 0.35 * np.sqrt(np.clip(1 - radius**2, 0, 1)) - 0.10 * np.exp(-((u / 0.08) ** 2))
    colour = np.array(_COLOUR, np.float32) * (light * alpha)[..., None]
    return Patch(np.dstack([colour, alpha]).astype(np.float32), PATCH_SCALE, (width / 2, 30.0))


def tongue_relief() -> NDArray[np.float32]:
    """Returns how the tongue's upper side takes light, float32 (h, w, 2): diffuse, and the wet shine that is added.

    Rows run from the tip backwards over `_LENGTH` face widths, columns from side to side. A groove in the middle,
    rounded sides, and papillae that break up the shine.
    """
    height, width = 96, 96
    back = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height * _LENGTH
    across = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / width * 2 - 1
    noise = np.random.default_rng(11).normal(size=(height, width)).astype(np.float32)
    papillae = blurred(noise, 0.9) + blurred(noise, 3.0) * 3.0
    groove = np.exp(-((across / 0.10) ** 2)) * np.clip((back - 0.02) / 0.05, 0, 1)
    dome = np.sqrt(np.clip(1 - (0.94 * across) ** 2, 0, 1))
    diffuse = (0.66 + 0.34 * dome - 0.17 * groove) * (1 + 0.045 * papillae)
    side = np.exp(-(((np.abs(across) - 0.42) / 0.16) ** 2))
    wet = 0.11 * side * np.clip(0.75 + 0.3 * papillae, 0, 1.4)
    return np.dstack([diffuse, wet]).astype(np.float32)


@njit(**PART, fastmath=True)
def _radius(top: float, low: float, half: float, p: float, q: float) -> float:
    """Returns where a place lies between the middle, 0, and the outline, 1: a half circle below, blunt above."""
    height = 0.5 * (top - low)
    if height <= 1e-4:
        return 2.0
    v = (q - 0.5 * (top + low)) / height
    u = abs(p) / (half * (1.0 + 0.06 * v))
    if v > 0.0:
        return (u * u * u + v * v * v) ** 0.33
    sharp = min(half / height, 1.0)
    below = max(-v - (1.0 - sharp), 0.0) / sharp
    return np.sqrt(u * u + below * below)


@njit(cache=True, nogil=True, fastmath=True)
def tip_at(tip: Tip, relief: NDArray[np.float32], p: float, q: float, width: float) -> tuple[float, float, float]:
    """Returns opacity, light and shine of the tongue's tip at a place.

    Args:
        tip: The tip.
        relief: See `tongue_relief`.
        p: To the right, face widths on the plane of the lower teeth.
        q: Up.
        width: The face's, pixels.
    """
    height = 0.5 * (tip.top - tip.low)
    radius = _radius(tip.top, tip.low, tip.half, p, q)
    alpha = min(max((1.0 - radius) * min(height, tip.half) * width * 0.9 + 0.4, 0.0), 1.0)
    if alpha <= 0.0:
        return 0.0, 0.0, 0.0
    rows, columns = relief.shape[0], relief.shape[1]
    along = min(max((q - tip.low) / _LENGTH * rows, 0.0), rows - 1.01)
    side = min(max((p / tip.half * 0.5 + 0.5) * columns, 0.0), columns - 1.01)
    row, column = int(along), int(side)
    fr, fc = along - row, side - column
    diffuse = (1 - fr) * ((1 - fc) * relief[row, column, 0] + fc * relief[row, column + 1, 0]) + fr * (
        (1 - fc) * relief[row + 1, column, 0] + fc * relief[row + 1, column + 1, 0]
    )
    wet = (1 - fr) * ((1 - fc) * relief[row, column, 1] + fc * relief[row, column + 1, 1]) + fr * (
        (1 - fc) * relief[row + 1, column, 1] + fc * relief[row + 1, column + 1, 1]
    )
    above = q - tip.lip
    deep = ease(above / 0.085)
    bend = np.exp(-(((above + 0.012) / 0.028) ** 2)) * min(4.0 * tip.out, 1.0)
    rim = ease((radius - 0.72) / 0.28)
    under = ease(1.0 - (q - tip.low) / 0.022) * min(3.0 * tip.out, 1.0)
    light = diffuse * (1.0 - 0.58 * deep) * (1.0 + 0.10 * bend) * (1.0 - 0.22 * rim) * (1.0 - 0.16 * under)
    return alpha, light, wet * (0.2 + bend) * (1.0 - deep) * (1.0 - rim)


@njit(cache=True, nogil=True, fastmath=True)
def shadow_at(tip: Tip, p: float, q: float) -> float:
    """Returns how much of the light a hanging tongue takes from the lip and chin around it, 0 to 1."""
    radius = _radius(tip.top, tip.low - SHADOW, tip.half + 0.6 * SHADOW, p, q)
    return 0.40 * ease(4.0 * (1.0 - radius)) * min(1.6 * tip.out, 1.0)
