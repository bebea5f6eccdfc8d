"""Pucker and funnel: lips that narrow alike on every face, grow thicker, and open round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, LIP_OUTER_LOWER, LIP_OUTER_UPPER
from avatar.render.drive import FUNNEL_AS_PUCKER
from avatar.render.lip_field import Lips, narrowed, near_lips, risen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_NARROWER: Final = {"mouthPucker": 0.35, "mouthFunnel": 0.34}
"""Share of the mouth's width that its corners come in together."""
_SKIN: Final = 0.13
"""Face widths around the lips over which skin is drawn in."""
_OWN: Final = 0.06
"""Face widths around the lips over which the head's own unit gives way."""
_THICKER: Final = {"mouthPucker": (0.38, 0.26), "mouthFunnel": (0.12, 0.12)}
"""Growth of the upper and the lower lip's red in the middle: what is narrower is thicker."""
_BLUNT: Final = 0.6
"""Share of the way from lips that taper towards the corners to lips that stay thick."""
_OPENING: Final = 0.080
"""How far a funnel parts the lips, face widths."""
_UPPER_SHARE: Final = 0.36
"""Part of that which the upper lip rises."""
_OPEN_SHARE: Final = 0.80
"""Part of the mouth's width that a funnel opens."""
_LEVEL: Final = 0.7
"""Share of the way to a level seam from one that is higher in its middle: narrowed, that would be a roof."""
_REACH: Final = (0.06, 0.07)


def round_lips(face: Face, deltas: NDArray[np.float64]) -> None:
    """Makes pucker and funnel of the deltas (52, 468, 3) what rounded lips are on this face.

    The head's own, fitted to the landmarks of many faces, narrow a small mouth to a beak and leave a wide one flat.
    """
    pucker, funnel = INDEX["mouthPucker"], INDEX["mouthFunnel"]
    shown = {name: _rounded(face, deltas[INDEX[name]], name) for name in ("mouthPucker", "mouthFunnel")}
    deltas[pucker] = shown["mouthPucker"]
    # `Driver` gives part of a funnel as a pucker.
    deltas[funnel] = (shown["mouthFunnel"] - FUNNEL_AS_PUCKER * deltas[pucker]) / (1 - FUNNEL_AS_PUCKER)


def _rounded(face: Face, own: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    opening = _OPENING * face.width if name == "mouthFunnel" else 0.0
    front = face.axes[:, 2]
    forward = (own @ front)[:, None] * front
    around = (own - forward) * (1 - near_lips(face, _OWN))[:, None]
    return forward + around + _NARROWER[name] * narrowed(face, _SKIN) + _parted(face, opening, _THICKER[name])


def _parted(face: Face, opening: float, thicker: tuple[float, float]) -> NDArray[np.float64]:
    """Returns what makes the lips thicker and opens them to an ellipse `opening` pixels high: (468, 3)."""
    seam = face.seam() @ face.right
    x = np.abs(2 * seam - seam[0] - seam[-1]) / max(float(seam[-1] - seam[0]), 1e-6)
    gap = opening * np.clip(1 - (x / _OPEN_SHARE) ** 2.2, 0, None) ** 0.5
    height = face.seam() @ face.up
    arch = height - np.interp(seam, seam[[0, -1]], height[[0, -1]])
    level = -_LEVEL * np.maximum(arch, 0)
    up, down = level + _UPPER_SHARE * gap, level + (_UPPER_SHARE - 1) * gap
    upper, lower = (
        _growth(face, inner, outer, share)
        for inner, outer, share in (
            (LIP_INNER_UPPER, LIP_OUTER_UPPER, thicker[0]),
            (LIP_INNER_LOWER, LIP_OUTER_LOWER, thicker[1]),
        )
    )
    return risen(face, Lips(up + upper, up, down, down - lower), _REACH)


def _growth(face: Face, inner: tuple[int, ...], outer: tuple[int, ...], thicker: float) -> NDArray[np.float64]:
    """Returns by how many pixels a lip grows thicker at each point of its outer contour (11,)."""
    points = face.points
    rim = points[list(outer)]
    edge = np.interp(rim @ face.right, points[list(inner)] @ face.right, points[list(inner)] @ face.up)
    own = np.abs(rim @ face.up - edge)
    columns = rim @ face.right
    x = np.abs(2 * columns - columns[0] - columns[-1]) / max(float(columns[-1] - columns[0]), 1e-6)
    most = (1 + thicker) * float(own[3:8].mean())
    blunt = most * np.clip(1 - x**2.6, 0, None) ** 0.5
    grown = (1 + thicker) * own
    target = grown + _BLUNT * np.maximum(blunt - grown, 0)
    growth = target - own
    growth[[0, -1]] = 0.0
    return growth
