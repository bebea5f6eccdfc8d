"""From phones to lip curves: dominance functions (Cohen & Massaro 1993) with JALI's rules (Edwards et al. 2016).

Each curve is y(t) = sum(g T) / sum(g) over the phones, with g = D * length * exp(-distance / tau): T a phone's target,
D its dominance, distance the time outside the phone. Constants are those that followed real lips best (README.md):
vowels reach 80 ms, consonants 40 ms, pauses 120 ms; a phone's length counts as min(1.3, 0.5 + d / 0.16 s). Rounding
reaches 150 ms *ahead* of its phone, so that it shows 0.12-0.2 s early.

Sealed lips are not in these curves (a bilabial only narrows the gap, half strength): `LipCurves.closure` says when the
lips touch, `LipCurves.tuck` when the lower lip meets the teeth; a seal applied at run time closes the mouth for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX, neutral
from avatar.training.corpus.lip_targets import LIP_TARGETS
from avatar.training.corpus.phones import BILABIALS, LABIODENTALS, pauses_filled
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from avatar.training.corpus.phones import Phone

_OVERSAMPLING: Final = 4
_LEAD: Final = 0.04
_TAU_VOWEL: Final = 0.08
_TAU_CONSONANT: Final = 0.04
_TAU_PAUSE: Final = 0.12
_TAU_ROUNDING_AHEAD: Final = 0.15
_TAU_WIDTH: Final = 0.07

_REST_AFTER: Final = 0.42
_CLOSING_TIME: Final = 0.24
_OPENING_TIME: Final = 0.2

_FLANK: Final = 0.05
_MAX_CLOSED: Final = 0.065
_AFTER_START: Final = 0.005


@dataclass(frozen=True, slots=True)
class LipCurves:
    """The lips of one track, frame by frame at 25 fps; each float32 (n_frames,).

    Attributes:
        openness: Gap between the lips, 0 at rest to about 1.
        width: -1 rounded to 1 spread.
        funnel: Share of the rounding that flares rather than purses.
        tongue: How far the tongue's tip shows.
        activity: 1 while articulating or in a short pause, 0 at rest.
        closure: 1 where /p b m/ seal the lips.
        tuck: 1 where /f v/ tuck the lower lip under the teeth.
    """

    openness: NDArray[np.float32]
    width: NDArray[np.float32]
    funnel: NDArray[np.float32]
    tongue: NDArray[np.float32]
    activity: NDArray[np.float32]
    closure: NDArray[np.float32]
    tuck: NDArray[np.float32]


def smooth_step(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the minimum-jerk rise 10x^3 - 15x^4 + 6x^5 from 0 to 1 over x in [0, 1] (Flash & Hogan 1985)."""
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x * x)


def lip_curves(phones: Sequence[Phone], n_frames: int) -> LipCurves:
    """Returns the lips' curves for phones (those of the agent's whole track; gaps count as silence)."""
    phones = pauses_filled(phones, n_frames / FRAME_RATE)
    times = (np.arange(n_frames * _OVERSAMPLING) + 0.5) / (FRAME_RATE * _OVERSAMPLING)
    targets = [LIP_TARGETS[phone.name] for phone in phones]
    column = np.newaxis
    starts = np.array([phone.start for phone in phones])[:, column]
    ends = np.array([phone.end for phone in phones])[:, column]
    lengths = np.minimum(1.3, 0.5 + (ends - starts) / 0.16)
    ahead = np.maximum(0.0, starts - _LEAD - times)
    behind = np.maximum(0.0, times - (ends - _LEAD))
    reach = np.array([_reach(phone, vowel=target.is_vowel) for phone, target in zip(phones, targets, strict=True)])
    dominance = np.array([target.openness_dominance for target in targets])[:, column]
    weight = dominance * lengths * np.exp(-(ahead + behind) / reach[:, column])
    openness = _blend(weight, [target.openness for target in targets])

    rounded = np.array([target.width < -0.3 for target in targets])[:, column]
    dominance = np.array([target.width_dominance for target in targets])[:, column]
    fade = ahead / np.where(rounded, _TAU_ROUNDING_AHEAD, _TAU_WIDTH) + behind / _TAU_WIDTH
    width_weight = dominance * lengths * np.exp(-fade)
    width = _blend(width_weight, [target.width for target in targets])
    funnel = _blend(width_weight * rounded + 1e-9, [target.funnel for target in targets])
    tongue = _blend(np.exp(-(ahead + behind) / 0.03) + 1e-9, [target.tongue for target in targets])
    activity = _activity(phones, times)
    return LipCurves(
        openness=_frames(openness * activity),
        width=_frames(width * activity),
        funnel=_frames(funnel),
        tongue=_frames(tongue * activity),
        activity=_frames(activity),
        closure=contact(phones, BILABIALS, n_frames),
        tuck=contact(phones, LABIODENTALS, n_frames),
    )


def _reach(phone: Phone, *, vowel: bool) -> float:
    if phone.is_pause:
        return _TAU_PAUSE
    return _TAU_VOWEL if vowel else _TAU_CONSONANT


def _blend(weight: NDArray[np.float64], targets: Sequence[float]) -> NDArray[np.float64]:
    return (weight * np.asarray(targets)[:, np.newaxis]).sum(0) / weight.sum(0)


def _frames(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return values.reshape(-1, _OVERSAMPLING).mean(1).astype(np.float32)


def _activity(phones: Sequence[Phone], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns 1 while speaking and in pauses too short to close in; the lips close 0.42 to 0.66 s into silence."""
    activity = np.zeros_like(times)
    for phone in phones:
        if phone.is_pause:
            continue
        rise = smooth_step((times - (phone.start - _LEAD - _OPENING_TIME)) / _OPENING_TIME)
        fall = 1 - smooth_step((times - (phone.end + _REST_AFTER)) / _CLOSING_TIME)
        np.maximum(activity, np.minimum(rise, fall), out=activity)
    return activity


def contact(phones: Sequence[Phone], names: frozenset[str], n_frames: int) -> NDArray[np.float32]:
    """Returns a channel that is 1 for the one or two frames in which the named phones make contact.

    Contact holds from the phone's start to its release (four fifths of it, at most 65 ms), with half-cosine edges of
    50 ms; the frame nearest its middle always reaches 1.
    """
    times = (np.arange(n_frames) + 0.5) / FRAME_RATE
    channel = np.zeros(n_frames)
    for phone in phones:
        if phone.name not in names:
            continue
        start = phone.start + _AFTER_START
        held = min(_MAX_CLOSED, 0.8 * (phone.end - phone.start))
        distance = np.maximum(0.0, np.maximum(start - times, times - (start + held)))
        np.maximum(channel, 0.5 + 0.5 * np.cos(np.pi * np.minimum(1.0, distance / _FLANK)), out=channel)
        middle = int((start + held / 2) * FRAME_RATE)
        if middle < n_frames:
            channel[middle] = 1.0
    return channel.astype(np.float32)


def to_coefficients(curves: LipCurves, amplitude: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion (n_frames, 58) with the mouth's and jaw's columns set.

    Args:
        curves: The lips.
        amplitude: float32 (n_frames,), 1 for natural lips.
    """
    motion = neutral(len(curves.openness))
    openness = np.clip(curves.openness, 0.0, 1.0)
    parted = np.sqrt(openness) * amplitude
    spread = np.clip(curves.width, 0.0, 1.0) * np.sqrt(amplitude)
    rounding = np.clip(-curves.width, 0.0, 1.0) * np.sqrt(amplitude)
    purse, flare = rounding * (1 - curves.funnel), rounding * curves.funnel
    tuck = curves.tuck * curves.activity
    columns = {
        "jawOpen": np.minimum(1.0, 0.48 * openness**1.45 * amplitude),
        "jawForward": 0.08 * flare,
        "mouthPucker": 0.85 * purse,
        "mouthFunnel": 0.7 * flare,
        "mouthShrugLower": 0.1 * flare + 0.06 * curves.closure,
        "mouthRollLower": 0.2 * tuck,
        "tongueOut": 0.18 * curves.tongue * np.minimum(1.0, amplitude),
    }
    sided = {
        "mouthStretch": 0.34 * spread,
        "mouthSmile": 0.1 * spread,
        "mouthDimple": 0.05 * spread,
        "mouthLowerDown": (0.17 * openness * amplitude + 0.25 * spread * parted) * (1 - 0.4 * rounding),
        "mouthUpperUp": 0.07 * openness * amplitude + 0.12 * spread * parted + 0.05 * tuck,
    }
    for name, values in columns.items():
        motion[:, INDEX[name]] = values
    for name, values in sided.items():
        for side in ("Left", "Right"):
            motion[:, INDEX[name + side]] = values
    return motion
