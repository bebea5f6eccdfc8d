"""The inside of the mouth: cavity, tongue, and teeth fixed to jaw and skull."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from avatar.motion.layout import INDEX
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_OUTER_LOWER, OVAL
from avatar.render.coverage import at_columns, cover, window_around
from avatar.render.face import smoothstep
from avatar.render.filters import inside
from avatar.render.interior import Drawing, Gap, MouthPlanes, Parts, fill_mouth
from avatar.render.own_teeth import OwnTeeth, own_teeth
from avatar.render.seam import draw_seam, seam_light
from avatar.render.teeth import ARCH_RADIUS, Patch, lower_teeth, upper_teeth
from avatar.render.tongue import SHADOW, tip_of, tongue_body, tongue_relief
from avatar.render.topology import EYES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.drive import Drive
    from avatar.render.face import Face

_PATCH_SCALE = 1.6
"""Patch pixels per output pixel."""
_ROUNDED_SHADE = 0.7
_ROUND = (0.05, 0.6)
"""Rounding from which lips that come forward keep light from the teeth, and from which they keep all they can."""
_LOWER_TINT = (1.0, 0.93, 0.86)
"""Lower teeth stand in the lips' warm shade."""
_CAVITY = (0.20, 0.065, 0.06)
_GLOW = ((0.14, 0.06, 0.045), (0.14, 0.0, -0.04))
"""What the flesh around throws into the shade: shaded teeth are warm, not grey."""
_UPPER_DROP = 0.028
_LOWER_DROP = 0.014
"""How far the biting edges lie below the seam, face widths."""
_UPPER_HANGS = 0.9
"""Where an open mouth's upper teeth are seated, on the way from its lower lip to its upper one."""
_BEHIND_LIPS = 0.035
_WHITE = 85
"""Percentile of an eye's luminance that is its white."""
_WARMTH = 0.25
"""Share of the skin's hue that the light has: the rest is the skin's own."""
_ROLLS = [INDEX[name] for name in ("mouthRollLower", "mouthRollUpper", "mouthPressLeft", "mouthPressRight")]
_ROLL_SHARES = np.array([0.5, 0.5, 0.25, 0.25])
_LUMINANCE = np.array([0.30, 0.59, 0.11])


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
        self.lower_seat = lower_seat + behind - _LOWER_DROP * up - 0.01 * face.width * axes[:, 2]
        self.tongue_seat = self.lower_seat + 0.058 * up
        self.photo_seat = seat + behind

        tint, saturation = _skin_tint(face, rgb)
        scale = _PATCH_SCALE * face.width
        upper = upper_teeth().resized(scale).coloured(1.16 * tint, saturation)
        lower = lower_teeth().resized(scale).coloured(1.02 * tint, saturation)
        tongue = tongue_body().resized(scale).coloured(1.0 * tint, saturation)
        (dark,) = _less_colourful(np.array([_CAVITY]), saturation)
        own = None if face.mouth_closed else own_teeth(face, rgb, self.photo_seat)
        if own is None:
            own = OwnTeeth(Patch(np.zeros((1, 1, 4), np.float32), 1.0, (0.0, 0.0)), None, _UPPER_DROP)
            if not face.mouth_closed:  # an upper lip hangs where it did, however far the jaw has dropped
                seat = _UPPER_HANGS * points[13] + (1 - _UPPER_HANGS) * points[14]
        self.upper_seat = seat + behind - _UPPER_DROP * up
        if own.enamel is not None:
            upper = _matched(upper, 0.85 * own.enamel)
            lower = _matched(lower, 0.72 * own.enamel * np.array(_LOWER_TINT))
        self._teeth_drop = own.drop
        self._parts = Parts(
            _drawing(upper, ARCH_RADIUS),
            _drawing(lower, ARCH_RADIUS),
            _drawing(tongue, 0),
            _drawing(own.patch, 0),
            tongue_relief(),
            np.stack(
                [dark * np.clip(tint, 0.3, 1), _flesh(face, rgb, tongue), *_less_colourful(np.array(_GLOW), saturation)]
            ).astype(np.float32),
        )
        self._seam_light = seam_light(face, rgb.astype(np.float32) @ _LUMINANCE)
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
        """Draws the line between the lips, or the interior if they are apart, into the picture.

        Args:
            picture: uint8 (size, size, 3).
            upper: float32 (n, 2), inner contour of the upper lip, columns and rows, the picture's left first.
            lower: float32 (n, 2), of the lower lip.
            resting_gap: float32 (n,), rows between the contours at rest, which is no opening.
            planes: Where the parts are.
            drive: The frame's motion.
        """
        draw_seam(picture, upper, lower, resting_gap, self._width, self._seam_light, _rolled(drive.units))
        gap = lower[:, 1] - upper[:, 1]
        opened = gap - resting_gap - 0.5
        if opened.max() < 0.3:
            return
        polygon = np.concatenate([upper, lower[::-1]])
        jaw = planes.jaw
        lip = float(_on_plane(jaw, lower[len(lower) // 2])[1])
        teeth = float(_on_plane(jaw, planes.photo[4:6])[1]) - self._teeth_drop
        half_mouth = 0.5 * float(np.linalg.norm(lower[-1] - lower[0])) / self._width
        tip = tip_of(drive, lip, teeth, half_mouth)
        reach = np.array([[0.0, (lip - tip.low + SHADOW) * self._width * (tip.over > 0)]], np.float32)
        window = window_around(np.concatenate([polygon, lower + reach]), picture.shape[0])
        if window is None:
            return
        cover(polygon, window, self._scratch, self._coverage)
        ease = np.clip(opened / 1.8, 0, 1)
        opening = Gap(
            at_columns(upper, upper[:, 1], window),
            at_columns(lower, lower[:, 1], window),
            at_columns(upper, (ease * ease * (3 - 2 * ease)).astype(np.float32), window),
            float(gap.max()),
            1.0 - _ROUNDED_SHADE * float(smoothstep(np.array((drive.rounding - _ROUND[0]) / (_ROUND[1] - _ROUND[0])))),
            teeth,
            0.5 * float(lower[0, 0] + lower[-1, 0]),
            max(0.5 * float(lower[-1, 0] - lower[0, 0]), 1.0),
        )
        fill_mouth(picture, self._coverage, window, opening, tip, self._width, planes, self._parts)


def _rolled(units: NDArray[np.float32]) -> float:
    """Returns how far units (52,) turn the lips in, 0 to 1; pressed lips do so by half."""
    return float(np.clip(np.maximum(units[_ROLLS], 0) @ _ROLL_SHARES, 0, 1))


def _on_plane(plane: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns where on a plane (see `Camera.plane`) a place in the picture (2,) is: right and up."""
    return np.asarray(plane[:4].reshape(2, 2) @ (place - plane[4:6]), np.float32)


def _drawing(patch: Patch, radius: float) -> Drawing:
    return Drawing(patch.rgba, np.array([patch.scale, *patch.origin, radius], np.float32))


def _less_colourful(colours: NDArray[np.float64], saturation: float) -> NDArray[np.float64]:
    """Returns colours (n, 3) as a picture shows them whose saturation is 1 for full colour, 0 for black and white."""
    return (colours @ _LUMINANCE)[:, None] * (1 - saturation) + saturation * colours


def _matched(patch: Patch, enamel: NDArray[np.float64]) -> Patch:
    solid = patch.rgba[patch.rgba[..., 3] > 0.98]
    bright = np.percentile(solid[:, :3], 75, axis=0)
    return patch.coloured(enamel / np.maximum(bright, 1e-2), 1.0)


def _flesh(face: Face, rgb: NDArray[np.uint8], tongue: Patch) -> NDArray[np.float64]:
    """Returns the colour (3,) of a tongue in the light: the drawn one's, and some of the lip's."""
    flesh = tongue.rgba[..., :3][tongue.rgba[..., 3] > 0.98]
    lip = inside(face.picture(face.points[[*LIP_INNER_LOWER, *LIP_OUTER_LOWER[::-1]]]), rgb.shape[:2]) > 128
    colour = np.asarray(0.8 * np.percentile(flesh, 90, axis=0), np.float64)
    if lip.any():
        colour += 0.5 * np.median(rgb[lip], axis=0) / 255
    return colour


def _skin_tint(face: Face, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
    """Returns colour factors (3,) for what is drawn, and how saturated the portrait is, 0 for black and white."""
    hull = cv2.convexHull(face.picture(face.points[list(OVAL)]).astype(np.float32)).astype(np.int32)
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, hull, 1)
    skin = rgb[mask > 0].astype(np.float64) / 255
    white = max(_eye_white(face, rgb), 1.12 * float(np.percentile(skin @ _LUMINANCE, 75)))
    exposure = np.clip(white, 0.35, 1.0)
    saturation = float(np.clip((skin.max(1) - skin.min(1)).mean() / 0.18, 0, 1))
    middle = np.median(skin, axis=0)
    warmth = middle / max(float(middle.mean()), 1e-3)
    return (1 + _WARMTH * (warmth - 1)) * exposure, saturation


def _eye_white(face: Face, rgb: NDArray[np.uint8]) -> float:
    """Returns the luminance of the eyes' lighter parts, 0 to 1: dark skin says little about how light it is."""
    lights: list[float] = []
    for eye in EYES:
        outline = face.picture(face.points[[*eye.upper, *eye.lower[-2:0:-1]]])
        shown = rgb[inside(outline, rgb.shape[:2]) > 128]
        if len(shown):
            lights.append(float(np.percentile(shown @ _LUMINANCE, _WHITE)) / 255)
    return max(lights, default=0.0)
