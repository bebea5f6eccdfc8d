"""Where the eyes look, from the irises and the fitted head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.portrait import topology

if TYPE_CHECKING:
    from avatar.portrait.fit import Fit, HeadFitter
    from avatar.portrait.types import Floats, Iris

FULL_SIDEWAYS: Final = np.deg2rad(30)
FULL_UP: Final = np.deg2rad(24)
"""How far an eye is turned at coefficient 1 of a gaze unit, radians."""

_SEEN_TOO_HIGH: Final = np.deg2rad(3.5)
"""Eyes that look into the camera are measured this far up: the median of eight faces."""

_SIDES = (("right_eye", topology.RIGHT_EYE_CORNERS), ("left_eye", topology.LEFT_EYE_CORNERS))
"""In the order of the irises: the picture's left eye is the person's right."""


def look_coefficients(right: float, up: float) -> dict[str, float]:
    """Returns the eight gaze units' coefficients in [0, 1] of eyes turned by angles in radians.

    Args:
        right: To the picture's right, which is the person's left.
        up: Upwards.
    """
    ways = {"Up": up / FULL_UP, "Down": -up / FULL_UP}
    sideways = {"OutLeft": right, "InRight": right, "OutRight": -right, "InLeft": -right}
    values = {f"eyeLook{way}{side}": value for way, value in ways.items() for side in ("Left", "Right")}
    values |= {f"eyeLook{way}": angle / FULL_SIDEWAYS for way, angle in sideways.items()}
    return {name: float(np.clip(value, 0, 1)) for name, value in values.items()}


class GazeMeter:
    """Reads gaze off the irises; both eyes look in parallel, as no landmark tells a squint from a wrong eyeball."""

    def __init__(self, fitter: HeadFitter) -> None:
        self._fitter = fitter
        head = fitter.head
        self._balls = [head.vertices_of(part) for part, _ in _SIDES]
        self._centres = [head.base[ball].mean(0) for ball in self._balls]
        self._moves = [head.identity[:, ball].mean(1) for ball in self._balls]
        self._radius = float(np.ptp(head.base[self._balls[0], 1])) / 2

    def angles(self, fit: Fit, points: Floats, irises: tuple[Iris, Iris]) -> tuple[float, float]:
        """Returns how far the eyes are turned in the head to the picture's right and up, radians.

        An eyeball's centre is where the fitted head has it, moved by as much as the eye's corners are off.

        Args:
            fit: The head in this picture.
            points: (468, 3), its landmarks, pixels, y down.
            irises: Of the picture's left and right eye.
        """
        shape = fit.pose.apply(self._fitter.shape(fit.identity, fit.expression))
        turns: list[tuple[float, float]] = []
        for k, (iris, (_, corners)) in enumerate(zip(irises, _SIDES, strict=True)):
            centre = fit.pose.apply(self._centres[k] + np.tensordot(fit.identity, self._moves[k], 1))[:2]
            centre += (points[list(corners), :2] * [1, -1] - shape[list(corners), :2]).mean(0)
            across = (iris.centre * [1, -1] - centre) / (fit.pose.scale * self._radius)
            across /= max(1.0, float(np.linalg.norm(across)) / 0.95)
            forward = np.sqrt(1 - float(across @ across))
            x, y, z = fit.pose.rotation.T @ np.array([across[0], across[1], forward])
            turns.append((float(np.arctan2(x, z)), float(np.arctan2(y, np.hypot(x, z)))))
        right, up = np.asarray(turns).mean(axis=0)
        return float(right), float(up - _SEEN_TOO_HIGH)
