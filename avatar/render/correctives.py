"""What the mouth's units together ask for: a mouth as wide as a person can make it, and a wide jaw's round lips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER
from avatar.render.lip_field import Lips, narrowed, near_corners, risen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_NARROWEST, _WIDEST = 0.62, 1.40
"""Width of a mouth as a share of a calm one: smiling or stretched lips don't add up, nor do rounded and unsmiling."""
_OWN_ROOM: Final = 0.08
"""A mouth may always be so much wider or narrower than in the photo."""
_FREE: Final = 0.75
"""Within this part of the way to its widest or narrowest a mouth does what its units say."""
_SKIN: Final = 0.13
"""Face widths around the lips over which skin follows."""
_CORNERS: Final = (78, 308)
_ROUNDED: Final = [INDEX["mouthPucker"], INDEX["mouthFunnel"]]

_LIFTED: Final = 0.020
"""Face widths by which the corners rise if rounding is taken off, beside what the units do: smiling people do."""
_WIDE_JAW: Final = 0.4
"""A jaw dropped further makes the opening rounder."""
_CORNER_SHARE: Final = 0.22
"""Share of a wide jaw's gap by which the corners come down: they hang between the lips."""
_CORNERS_IN: Final = 0.07
"""Share of the mouth's width that a wide jaw takes beside what `lip_shapes` does."""
_SKIN_ALONG: Final = (0.07, 0.12)


class Correctives:
    """Shapes that are added to a face's units by what the units are together.

    Args:
        face: The face, with its lips' units shaped.
        expression: float32 (52,), what the photo wears.

    Attributes:
        shapes: float64 (3, 468, 3): the mouth's whole width, a wide jaw, and corners that come down.
    """

    def __init__(self, face: Face, expression: NDArray[np.float32]) -> None:
        left, right = _CORNERS
        self._own = float((face.points[right] - face.points[left]) @ face.right)
        self._widths = ((face.deltas[:, right] - face.deltas[:, left]) @ face.right / self._own).astype(np.float32)
        self._calm = float(np.clip(1 - expression @ self._widths, 0.7, 1.15))
        lowered = -_LIFTED * face.width * near_corners(face)[:, None] * face.up
        self.shapes = np.stack([-narrowed(face, _SKIN), _wide_jaw(face, face.deltas[INDEX["jawOpen"]]), lowered])

    def weights(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns how much of each shape units (52,) ask for, float32 (3,)."""
        width = 1.0 + float(units @ self._widths)
        low = min(_NARROWEST * self._calm, 1.0 - _OWN_ROOM)
        high = max(_WIDEST * self._calm, 1.0 + _OWN_ROOM)
        bound = high - self._calm if width > self._calm else self._calm - low
        jaw = float(units[INDEX["jawOpen"]] - max(units[INDEX["mouthClose"]], 0.0))
        wide = max(jaw - _WIDE_JAW, 0.0) / (1.0 - _WIDE_JAW)
        whole = self._calm + _bent(width - self._calm, bound) - width
        return np.array([whole, wide, np.minimum(units[_ROUNDED], 0).sum()], np.float32)


def _bent(value: float, bound: float) -> float:
    free = _FREE * bound
    size = abs(value)
    if size <= free:
        return value
    return float(np.copysign(free + (bound - free) * np.tanh((size - free) / (bound - free)), value))


def _wide_jaw(face: Face, jaw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns what makes the opening of a jaw at 1 round: its corners further down and in, (468, 3)."""
    upper, lower = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)
    gap = float(((jaw[upper] - jaw[lower]) @ face.up).max())
    x = np.linspace(-1, 1, len(upper))
    down = -_CORNER_SHARE * gap * np.abs(x) ** 3
    none = np.zeros(len(upper))
    corners = risen(face, Lips(down, down, 0.6 * down, none + 0.4 * down), _SKIN_ALONG)
    return corners + _CORNERS_IN * narrowed(face, _SKIN)
