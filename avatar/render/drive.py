"""From the 58 motion numbers to what this face is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.motion.relative import WORN
from avatar.render.pose import rotation
from avatar.render.topology import EYES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import HeadFit

_TRUSTED_RESIDUAL = 0.0125
"""Fits worse than this (face widths) don't know the photo's expression."""
_WIDE = ("mouthSmile", "mouthDimple", "mouthStretch")
"""Of these, rounding the lips or frowning takes back what the photo wears."""
_TAKEN_BACK = 0.8
_UNSMILED = 0.85
"""A relaxed face's rounded lips take so much of any smile off: both at once are a snout."""
_GENTLE = 0.15
"""A relaxed face keeps this much of the smile that its photo wears."""
_PRESSED = 0.3
"""So much of what presses a photo's open lips together may be taken off: that parts them a little."""
_SMILES = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
_NEVER_TAKEN_OFF = [INDEX[name] for name in ("eyeBlinkLeft", "eyeBlinkRight", "tongueOut", "cheekPuff")]
"""A photo's open eyes don't open further by blinking less."""
_TONGUE_OPENS = ((0.18, 0.5), (0.0, 0.24))
"""Over these values of `tongueOut` the jaw drops at least so far: no tongue comes out between lips that are shut."""
FUNNEL_AS_PUCKER = 0.4
"""Share of a funnel that is given as a pucker."""


@dataclass(frozen=True, slots=True)
class Drive:
    """One frame's motion.

    Attributes:
        units: float32 (52,), weights of the face's units.
        turn: float64 (3, 3), rotation of the head.
        shift: float64 (3,), its move, interpupillary distances.
        gaze: Per eye (the picture's left first), look to the picture's right and down.
        lids: Per eye, how far its lids are from their rest, 0 to 1.
        rounding: How far the lips are rounded, 0 to 1.
        parted: How far lips that are open in the photo are open again, 0 to 1.
        tongue: How far the tongue is out, 0 to 1; half shows its tip between the teeth.
    """

    units: NDArray[np.float32]
    turn: NDArray[np.float64]
    shift: NDArray[np.float64]
    gaze: tuple[tuple[float, float], tuple[float, float]]
    lids: tuple[float, float]
    rounding: float
    parted: float
    tongue: float


class Driver:
    """Turns motion into drives for one fitted head.

    Args:
        head: The fitted head.
        relaxed: Motion of 0 is a calm face, so a smile that the photo wears is taken off, but for a gentle one;
            otherwise it is the photo's expression.
        parts: The photo's lips are open.
    """

    def __init__(self, head: HeadFit, *, relaxed: bool = False, parts: bool = True) -> None:
        self._parts = parts
        self._relaxed = relaxed
        self._room = np.ones(N_BLENDSHAPES, np.float32)
        self._worn = np.zeros(N_BLENDSHAPES, np.float32)
        self._taken_off = np.zeros(N_BLENDSHAPES, np.float32)
        if head.residual <= _TRUSTED_RESIDUAL:
            for name in WORN:
                column = INDEX[name]
                self._room[column] = 1.0 - head.expression[column]
                if name.startswith(_WIDE):
                    self._worn[column] = head.expression[column]
                if relaxed and name.startswith("mouthSmile"):
                    self._taken_off[column] = max(0.0, head.expression[column] - _GENTLE)

    @property
    def calmed(self) -> float:
        """Share of the photo's smile that is off while the face rests."""
        worn = float(self._worn[_SMILES].sum())
        return float(self._taken_off[_SMILES].sum()) / worn if worn > 0 else 0.0

    def drive(self, coefficients: NDArray[np.float32]) -> Drive:
        """Returns the drive of one frame of motion (58,); coefficients below 0 take off what the photo wears."""
        motion = np.asarray(coefficients, np.float32)
        units = np.clip(motion[:N_BLENDSHAPES], -2, 1)
        units[_NEVER_TAKEN_OFF] = np.maximum(units[_NEVER_TAKEN_OFF], 0)
        parted = float(np.clip(-units[INDEX["mouthClose"]], 0, 1)) if self._parts else 0.0
        units[INDEX["mouthClose"]] = max(units[INDEX["mouthClose"]] + parted, -_PRESSED if self._parts else 0.0)
        units = np.maximum(units, -1)
        gaze: list[tuple[float, float]] = []
        lids: list[float] = []
        for eye in EYES:
            value = {name: float(units[INDEX[name + eye.side]]) for name in _EYE_UNITS}
            outwards = value["eyeLookOut"] - value["eyeLookIn"]
            sideways = outwards if eye.side == "Left" else -outwards
            gaze.append((sideways, value["eyeLookDown"] - value["eyeLookUp"]))
            open_ = 1.0 - value["eyeBlink"]
            for name in ("eyeLookDown", "eyeLookUp", "eyeSquint", "eyeWide"):
                units[INDEX[name + eye.side]] *= open_
            lids.append(
                max(
                    value["eyeBlink"],
                    open_ * max(0.5 * value["eyeSquint"], 0.5 * value["eyeLookDown"], 0.3 * value["eyeWide"]),
                )
            )
        yaw, pitch, roll = (float(v) for v in motion[N_BLENDSHAPES : N_BLENDSHAPES + 3])
        dropped = float(np.interp(units[INDEX["tongueOut"]], *_TONGUE_OPENS))
        if dropped > 0:
            units[INDEX["jawOpen"]] = max(units[INDEX["jawOpen"]], dropped)
        funnel, pucker = INDEX["mouthFunnel"], INDEX["mouthPucker"]
        rounding = max(float(units[pucker] + units[funnel]), 0.0)
        units[[funnel, pucker]] /= max(rounding, 1.0)
        rounding = min(rounding, 1.0)
        frowning = 0.5 * float(units[INDEX["mouthFrownLeft"]] + units[INDEX["mouthFrownRight"]])
        unsmiling = max(rounding, min(max(frowning, 0.0), 1.0))
        # The head's funnel opens the lips into a tall ring; part of it is better given as a pucker.
        units[pucker] = min(1.0, units[pucker] + FUNNEL_AS_PUCKER * units[funnel])
        units[funnel] *= 1.0 - FUNNEL_AS_PUCKER
        if self._relaxed:
            units[_SMILES] *= np.where(units[_SMILES] > 0, 1.0 - _UNSMILED * rounding, 1.0)
        off = self._taken_off
        units = np.where(units > 0, units * (self._room + off) - off, np.minimum(units, -off))
        units -= np.maximum(_TAKEN_BACK * unsmiling * self._worn - off, 0)
        return Drive(
            units=units.astype(np.float32),
            turn=rotation(yaw, pitch, roll),
            shift=motion[N_BLENDSHAPES + 3 :].astype(np.float64),
            gaze=(gaze[0], gaze[1]),
            lids=(lids[0], lids[1]),
            rounding=rounding,
            parted=parted,
            tongue=float(units[INDEX["tongueOut"]]),
        )


_EYE_UNITS = ("eyeBlink", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeLookDown", "eyeSquint", "eyeWide")
