"""How far one portrait can be moved before the picture breaks, and a gentle stop there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.layout import BLENDSHAPES, INDEX, N_MOTION
from avatar.portrait.glasses import glasses_of
from avatar.portrait.topology import LEFT_LID_LOWER, LEFT_LID_UPPER, RIGHT_LID_LOWER, RIGHT_LID_UPPER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.glasses import Glasses
    from avatar.portrait.types import Portrait

_TURN = {"yaw": (20.0, 26.0), "pitch": (15.0, 20.0), "roll": (12.0, 25.0)}
"""Degrees: how far the head may turn from the photo, and how far from straight ahead: beyond, unseen skin shows."""

_SHIFT = {"x": 0.6, "y": 0.4, "z": 0.8}
"""Interpupillary distances."""

_LEAST_SINK = 0.05
"""Interpupillary distances that even a head cut off above may sink: the edge stretches unnoticed."""

_TRUSTED = 0.0125
"""Face widths. A worse fit (drawn, hidden or badly lit faces) carries only small expressions."""

_UNTRUSTED_SHARE = 0.7
_ALWAYS_WHOLE = ("eyeBlink", "eyeLook")
"""Lids and irises are measured on the picture, whatever the head's fit; a blink that stops half-way looks broken."""

_GAZE = "eyeLook"
_IRIS_SEEN, _GAZE_LEFT = (0.55, 0.82), (0.3, 1.0)
"""Opening between the lids in iris diameters, and the share of a look that it carries: a narrow eye hides most of its
white and its iris, and what is made up for them shows when it turns."""
_BROWS = "brow"
_BROWS_BEHIND_GLASSES = 0.25
"""A frame lies on the brows' skin and would bend with them."""
_EYES = "eye"
_WORN_SHARE, _WORN_SLACK = 1.5, 0.2
"""How much of an expression may be taken off: one photo alone tells what it wears only roughly."""
_NEVER_WORN = ("tongueOut", "cheekPuff")

_CUT_PULLED, _CUT_SHEARED = 0.04, 0.12
"""Picture heights by which a tilt may pull a head away from the edge that cuts it, or along it: what is missing beyond
is made up by stretching what is there."""
_EARS, _PIVOT_UP = (234, 454), 0.12
"""A head tilts about a point between its ears and its chin, so many face widths above the chin."""

_CHIN = 152
_FOREHEAD = 10
_LEAST_JAW = 0.48
"""Speech has to stay readable: up to here the jaw opens though the chin leave the picture."""
_FREE = 0.7
"""Within this part of the range motion passes unchanged."""


@dataclass(frozen=True, slots=True)
class MotionLimits:
    """The range of each column of motion.

    Attributes:
        low: float32 (58,), at most 0.
        high: float32 (58,), at least 0.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]

    def apply(self, coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns motion (..., 58) that slows down before its limits and never passes them.

        Within 70 % of the range nothing changes; the rest bends over smoothly, like a spring. A column whose range is
        that of ARKit passes unchanged up to its end.
        """
        bound = np.where(coefficients < 0, -self.low, self.high)
        size = np.abs(coefficients)
        free = np.where(bound >= 1, 1.0, _FREE) * bound
        rest = np.maximum(bound - free, 1e-9)
        bent = free + rest * np.tanh((size - free) / rest)
        limited = np.sign(coefficients) * np.where(size <= free, size, np.minimum(bent, bound))
        return limited.astype(np.float32)


def limits_of(portrait: Portrait) -> MotionLimits:
    """Returns a portrait's limits: from its pose, its crop, and how well the head fits it."""
    low, high = np.zeros(N_MOTION, np.float32), np.zeros(N_MOTION, np.float32)
    trusted = portrait.head.residual <= _TRUSTED
    for name in BLENDSHAPES:
        high[INDEX[name]] = 1.0 if trusted or name.startswith(_ALWAYS_WHOLE) else _UNTRUSTED_SHARE
        low[INDEX[name]] = -_removable(portrait, name) if trusted or name.startswith(_GAZE) else 0.0
    gaze = [INDEX[name] for name in BLENDSHAPES if name.startswith(_GAZE)]
    low[gaze] *= _gaze_carried(portrait)
    high[gaze] *= _gaze_carried(portrait)
    _wear(glasses_of(portrait), low, high)
    high[INDEX["jawOpen"]] = min(float(high[INDEX["jawOpen"]]), _room_below(portrait))
    for name, own in zip(_TURN, _own_turn(portrait), strict=True):
        most, from_straight = (float(np.deg2rad(v)) for v in _TURN[name])
        low[INDEX[name]] = -np.clip(from_straight + own, 0, most)
        high[INDEX[name]] = np.clip(from_straight - own, 0, most)
    tilt = _tilt_carried(portrait)
    low[INDEX["roll"]], high[INDEX["roll"]] = max(low[INDEX["roll"]], -tilt), min(high[INDEX["roll"]], tilt)
    for name, most in _SHIFT.items():
        low[INDEX[name]], high[INDEX[name]] = -most, most
    room = max(_LEAST_SINK, _room_above(portrait))
    low[INDEX["y"]] = -min(_SHIFT["y"], room)
    if room < _SHIFT["y"]:  # a head that is cut off above must not nod its missing top into the picture
        low[INDEX["pitch"]] *= 0.5 + 0.5 * room / _SHIFT["y"]
    return MotionLimits(low, high)


def _wear(glasses: Glasses, low: NDArray[np.float32], high: NDArray[np.float32]) -> None:
    """Narrows the range of what would bend a frame, or be seen on glasses through which no eye shows."""
    for name in BLENDSHAPES:
        if name.startswith(_BROWS):
            share = 1 - glasses.worn * (1 - _BROWS_BEHIND_GLASSES)
        elif name.startswith(_EYES):
            share = 1 - glasses.dark
        else:
            continue
        low[INDEX[name]] *= share
        high[INDEX[name]] *= share


def _removable(portrait: Portrait, name: str) -> float:
    """Returns how much of an expression a photo wears, or of a gaze the other way; lips may always part as they are."""
    if name.startswith(_GAZE):
        return 1.0
    if name == "mouthClose":
        return 2.0
    if name in _NEVER_WORN:
        return 0.0
    return min(1.0, _WORN_SHARE * float(portrait.head.expression[INDEX[name]]) + _WORN_SLACK)


def _gaze_carried(portrait: Portrait) -> float:
    """Returns the share of a look that the narrower eye carries."""
    points = portrait.landmarks[:, :2]
    lids = ((RIGHT_LID_UPPER, RIGHT_LID_LOWER), (LEFT_LID_UPPER, LEFT_LID_LOWER))
    opened = [
        float(np.linalg.norm(points[list(upper)] - points[list(lower)], axis=1).max()) / max(2 * iris.radius, 1e-3)
        for iris, (upper, lower) in zip(portrait.irises, lids, strict=True)
    ]
    return float(np.interp(min(opened), _IRIS_SEEN, _GAZE_LEFT))


def _own_turn(portrait: Portrait) -> tuple[float, float, float]:
    """Returns the yaw, pitch and roll of the head in the photo, radians."""
    ahead, across = portrait.head.rotation[:, 2], portrait.head.rotation[:, 0]
    yaw, pitch = np.arctan2(ahead[0], ahead[2]), np.arcsin(np.clip(ahead[1], -1, 1))
    return float(yaw), float(pitch), float(np.arctan2(across[1], across[0]))


def _tilt_carried(portrait: Portrait) -> float:
    """Returns the radians by which a head may tilt before its parts at the picture's edges come away from there."""
    size, chin = len(portrait.person), portrait.landmarks[_CHIN, :2]
    column = 0.6 * float(portrait.landmarks[list(_EARS), 0].mean()) + 0.4 * float(chin[0])
    row = float(chin[1]) - _PIVOT_UP * portrait.face_width
    cut = portrait.person > 0.5
    tops = np.abs(np.nonzero(cut[0])[0] - column)
    above = max(0, int(row))
    sides = row - np.concatenate([np.nonzero(cut[:above, edge])[0] for edge in (0, -1)])
    pulled = max(float(tops.max(initial=0)), float(sides.max(initial=0))) / size
    sheared = (row if len(tops) else max(column, size - column) if len(sides) else 0.0) / size
    return float(min(_CUT_PULLED / max(pulled, 1e-3), _CUT_SHEARED / max(sheared, 1e-3)))


def _room_above(portrait: Portrait) -> float:
    """Returns how far the person is from the picture's top edge above the face, interpupillary distances."""
    middle, half = portrait.landmarks[_FOREHEAD, 0], portrait.face_width / 2
    size = len(portrait.person)
    left, right = (int(np.clip(middle + side * half, 0, size)) for side in (-1, 1))
    rows = np.nonzero((portrait.person[:, left:right] > 0.5).mean(1) > 0.1)[0]
    return float(rows[0]) / portrait.interpupillary if len(rows) else 0.0


def _room_below(portrait: Portrait) -> float:
    """Returns up to which jawOpen the chin stays within the picture, or enough to speak."""
    drop = -float(portrait.landmark_deltas[INDEX["jawOpen"], _CHIN, 1])
    room = len(portrait.rgb) - float(portrait.landmarks[_CHIN, 1]) - 0.1 * portrait.face_width
    return float(np.clip(room / max(drop, 1e-6), _LEAST_JAW, 1))
