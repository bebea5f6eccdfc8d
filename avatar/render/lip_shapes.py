"""Shapes the lips of the head's units: round when wide or funnelled, narrow in a pucker, thin when pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, LIP_OUTER_LOWER, LIP_OUTER_UPPER
from avatar.render.face import smoothstep
from avatar.render.lip_field import near_corners, near_lips
from avatar.render.lips import carried_by_lips, closing_offsets
from avatar.render.rounded import round_lips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_ROUNDER_JAW: Final = 0.6
"""Share of the way from the head's jaw, which opens a wedge, to an ellipse."""
_JAW_REACH, _TUCK_REACH = (0.05, 0.14), (0.05, 0.045)
_NARROWER: Final = 0.016
"""How much each of the mouth's corners comes in when the jaw is wide open, face widths, beside what the head does."""
_LOWERED: Final = 1.4
"""How far a wide jaw takes a smile's corners down, as a share of how far above the seam's middle they lie at rest."""
_LOWEST: Final = 0.05
"""The same at most, face widths."""
_ROUND_LOWERED: Final = 0.62
"""Share of that which rounding the lips takes down too."""
_PUCKER_DROPPED, _FUNNEL_DROPPED = 0.004, 0.015
"""How far these take both corners down beside that, face widths: a round mouth's lie no higher than its middle."""
_LESS_DIMPLED, _PRESS_REACH = 0.6, 0.08
"""Share of the head's press that goes, and face widths around the lips where it does: it widens the mouth to a grin."""
_LESS_BACK: Final = 0.75
"""Share of a roll's way back that goes: what is left of the red would turn up and shine."""
_THINNED: Final = 0.38
"""Share of both lips' red that pressing them together takes out of sight."""
_TOUCHING: Final = 0.35
"""Share of a smile's gap between the lips that goes: it shows slivers of teeth beside the corners."""
_WIDER: Final = 0.018
"""How much a smile draws its corner aside beside what the head does, which pulls it up steeply."""
_SMILING_EYE: Final = 0.25
"""Share of a squint that comes with a smile (the Duchenne marker: Ekman, Davidson and Friesen 1990)."""
_PRESSED: Final = 0.2
"""What is left of the rolled lip's pressure on the upper one, which would hide the teeth that it touches."""
_TUCKED_RED: Final = 0.45
"""Share of the lower lip's red that rolls out of sight."""
_KEPT_RED: Final = 0.2
"""Share of a lip's red that stays in sight however far it rolls."""
_UPPER, _LOWER = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)


def with_shaped_lips(face: Face) -> NDArray[np.float64]:
    """Returns the face's deltas (52, 468, 3) with lips that keep a natural outline.

    The wide jaw's corrections are taken back by `mouthClose`, so that it still cancels `jawOpen`.
    """
    deltas = face.deltas.copy()
    jaw, close = INDEX["jawOpen"], INDEX["mouthClose"]
    lacking = _ROUNDER_JAW * _lacking(face, deltas[jaw], 2.0, 0.62)
    rounder = carried_by_lips(face, 0 * lacking, -lacking, _JAW_REACH)
    deltas[jaw] += rounder
    deltas[close] -= rounder
    lowered = _lowered(face)
    deltas[jaw] += lowered + _widened(face, -_NARROWER).sum(0)
    deltas[close] -= lowered
    for corner, side in zip(_widened(face, _WIDER), ("Right", "Left"), strict=True):
        smile = deltas[INDEX["mouthSmile" + side]]
        smile += corner + _SMILING_EYE * face.deltas[INDEX["eyeSquint" + side]] + _touching(face, smile)
    narrow = _LESS_DIMPLED * near_lips(face, _PRESS_REACH)[:, None]
    for pressed, side in zip(_pressed(face), ("Right", "Left"), strict=True):
        press = deltas[INDEX["mouthPress" + side]]
        press += pressed - narrow * press
    for roll in ("mouthRollLower", "mouthRollUpper"):
        deltas[INDEX[roll]] -= _LESS_BACK * near_lips(face, _PRESS_REACH)[:, None] * _forward(face, deltas[INDEX[roll]])
    round_lips(face, deltas)
    _lower_rounded(face, deltas)
    deltas[INDEX["mouthRollLower"]] += _tuck(face, deltas[INDEX["mouthRollLower"]])
    deltas[INDEX["mouthRollUpper"]] += _kept_above(face, deltas[INDEX["mouthRollUpper"]])
    for roll, below in (("mouthRollUpper", False), ("mouthRollLower", True)):
        deltas[INDEX[roll]] += _kept_red(face, deltas[INDEX[roll]], below=below)
    return deltas


def _forward(face: Face, delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the part of a unit (468, 3) that goes forwards or back."""
    front = face.axes[:, 2]
    return (delta @ front)[:, None] * front


def _lower_rounded(face: Face, deltas: NDArray[np.float64]) -> None:
    """Lets pucker and funnel of the deltas take the mouth's corners down to the opening's middle."""
    lowered, down = _ROUND_LOWERED * _lowered(face), -face.width * near_corners(face)[:, None] * face.up
    deltas[INDEX["mouthPucker"]] += lowered + _PUCKER_DROPPED * down
    deltas[INDEX["mouthFunnel"]] += lowered + _FUNNEL_DROPPED * down


def _touching(face: Face, delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns what keeps lips nearer to each other that a unit parts or presses: (468, 3)."""
    apart = 0.5 * _TOUCHING * _gaps(face, delta)[:, None] * face.up
    return carried_by_lips(face, -apart, apart, _TUCK_REACH)


def _gaps(face: Face, delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns how much a unit parts the inner lips in each of their columns, pixels (11,)."""
    return (delta[_UPPER] - delta[_LOWER]) @ face.up


def _lacking(
    face: Face, delta: NDArray[np.float64], power: float, root: float, share: float = 1.0
) -> NDArray[np.float64]:
    """Returns how much further the lips must part to be (1 - |x|^power)^root of their most apart: (11, 3), upwards.

    x runs from -1 to 1 over the middle `share` of the mouth; beyond it, the lips touch.
    """
    columns = (face.seam() + 0.5 * (delta[_UPPER] + delta[_LOWER])) @ face.right
    x = (2 * columns - columns[0] - columns[-1]) / max(float(columns[-1] - columns[0]), 1e-6) / share
    gaps = _gaps(face, delta)
    shape = gaps.max() * np.clip(1 - np.abs(x) ** power, 0, None) ** root
    return (shape - gaps)[:, None] * face.up


def _widened(face: Face, width: float) -> NDArray[np.float64]:
    """Returns what moves the mouth's corners out by `width` face widths, with the cheeks beside them: (2, 468, 3).

    The corner on the picture's left, which is the person's right, comes first.
    """
    corners = face.points[[_UPPER[0], _UPPER[-1]]]
    apart = np.linalg.norm(face.points[:, None, :2] - corners[None, :, :2], axis=-1) / face.width
    near = np.exp(-((apart / 0.13) ** 2))
    aside = np.tanh((face.points - corners.mean(0)) @ face.right / (0.08 * face.width))
    moves = near * np.stack([np.minimum(aside, 0), np.maximum(aside, 0)], 1) * width * face.width
    return moves.T[..., None] * face.right


def _lowered(face: Face) -> NDArray[np.float64]:
    """Returns what takes a smile's high corners down with the jaw, and the cheeks beside them: (468, 3)."""
    points = face.points if face.mouth_closed else face.points + closing_offsets(face)
    corners = face.points[[_UPPER[0], _UPPER[-1]]]
    raised = (corners.mean(0) - points[[13, 14]].mean(0)) @ face.up
    return -np.clip(_LOWERED * raised, 0, _LOWEST * face.width) * near_corners(face)[:, None] * face.up


def _pressed(face: Face) -> NDArray[np.float64]:
    """Returns what thins the red of lips that are pressed on each other, by side: (2, 468, 3)."""
    upper, lower = list(LIP_OUTER_UPPER), list(LIP_OUTER_LOWER)
    above = (face.points[upper] - face.points[_UPPER]) @ face.up
    under = (face.points[_LOWER] - face.points[lower]) @ face.up
    thinner = _carried_by_rim(face, LIP_OUTER_UPPER, -_THINNED * above, below=False)
    thinner += _carried_by_rim(face, LIP_OUTER_LOWER, _THINNED * under, below=True)
    left = smoothstep(0.5 + ((face.points - face.seam()[5]) @ face.right) / (0.12 * face.width))
    return np.stack([1 - left, left])[..., None] * thinner


def _carried_by_rim(
    face: Face, contour: tuple[int, ...], rise: NDArray[np.float64], *, below: bool
) -> NDArray[np.float64]:
    """Returns moves (468, 3) that take a lip's outer contour up by `rise` (11,); its inner contour and corners stay."""
    outer = list(contour)
    rise = rise.copy()
    rise[[0, -1]] = 0.0
    ones, none = np.ones((11, 3)), np.zeros((11, 3))
    upper, lower = (none, ones) if below else (ones, none)
    own = carried_by_lips(face, upper, lower, (1.0, 1.0))[:, 0] > 0
    own[_LOWER + _UPPER] = False
    apart = np.linalg.norm(face.points[:, None, :2] - face.points[None, outer, :2], axis=-1) / face.width
    share = np.exp(-((apart / 0.03) ** 2)) + 1e-12
    near = np.exp(-((apart.min(1) / 0.05) ** 2)) * own
    return ((share @ rise) / share.sum(1) * near)[:, None] * face.up


def _kept_above(face: Face, delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns what keeps the rolled upper lip above the lower one, over which it would hang: (468, 3)."""
    hanging = (_PRESSED - 1) * np.minimum(_gaps(face, delta), 0.0)[:, None] * face.up
    return carried_by_lips(face, hanging, 0 * hanging, _TUCK_REACH)


def _kept_red(face: Face, delta: NDArray[np.float64], *, below: bool) -> NDArray[np.float64]:
    """Returns what keeps some red of a lip that rolls in, whose rim would pass its edge and fold it over: (468, 3)."""
    inner, outer = (_LOWER, LIP_OUTER_LOWER) if below else (_UPPER, LIP_OUTER_UPPER)
    rim, side = list(outer), -1.0 if below else 1.0
    thickness = side * ((face.points[rim] - face.points[inner]) @ face.up)
    left = thickness + side * ((delta[rim] - delta[inner]) @ face.up)
    return _carried_by_rim(face, outer, side * np.maximum(_KEPT_RED * thickness - left, 0), below=below)


def _tuck(face: Face, delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns what keeps the rolled lower lip under the upper one from corner to corner, with less red: (468, 3)."""
    gaps = _gaps(face, delta)
    parted = (gaps - _PRESSED * np.minimum(gaps, 0.0))[:, None] * face.up
    offsets = carried_by_lips(face, 0 * parted, parted, _TUCK_REACH)
    outer = list(LIP_OUTER_LOWER)
    thickness = (face.points[_LOWER] - face.points[outer]) @ face.up
    rising = np.maximum(_TUCKED_RED * thickness - (delta[outer] - delta[_LOWER]) @ face.up, 0.0)
    return offsets + _carried_by_rim(face, LIP_OUTER_LOWER, rising, below=True)
