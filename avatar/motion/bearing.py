"""How the face lives beside its speech: sway, accents, gaze, steady lids, laid on the network's motion.

Four sampler steps and half a second of past leave the network's head too still (it rolls at a quarter of its labels'
speed), its eyes adrift and its lids trembling. What is missing comes from documented generators: sway is noise that
falls with frequency, by state; accents and gaze have modules of their own. Everything goes on frame by frame from the
frame before, with draws of its own, so chunks of any size join alike and motion can be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.motion.accents import Emphasis, accent_curves, emphasised
from avatar.motion.continuity import LIDS
from avatar.motion.gestures import FULL_LOOK, turn_eyes
from avatar.motion.glances import Glance, glances, sight
from avatar.motion.layout import COLUMNS, INDEX, N_BLENDSHAPES
from avatar.motion.relative import LOWEST
from avatar.types import FRAME_RATE, AvatarState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SWAY: Final[dict[AvatarState, tuple[float, ...]]] = {
    AvatarState.IDLE: (1.2, 0.6, 0.7, 0.012, 0.005, 0.02, 0.05, 0.05),
    AvatarState.LISTENING: (1.3, 0.7, 1.0, 0.012, 0.005, 0.02, 0.06, 0.06),
    AvatarState.THINKING: (1.2, 0.8, 1.2, 0.014, 0.006, 0.02, 0.06, 0.04),
    AvatarState.SPEAKING: (2.8, 1.2, 1.3, 0.018, 0.008, 0.028, 0.06, 0.05),
}
"""Standard deviation of what is added: yaw, pitch, roll in degrees; x, y, z in interpupillary distances; rise of the
brows and smile. While speaking it brings the head to what was tracked on a calm talker (3.8, 2.1, 1.3 degrees)."""

_N_AXES: Final = 8
_BREATH_RATE: Final = 0.24 / FRAME_RATE
"""Breaths a frame: 14 a minute, in for two fifths of the time."""

_INHALE: Final = 0.4
_BREATH: Final = ((INDEX["pitch"], float(np.radians(0.35))), (INDEX["y"], 0.014))

_POLES: Final = np.exp(-1 / (FRAME_RATE * np.array([0.9, 0.4])))
"""Sway is a slow and a quick noise, each through two equal poles of so many seconds."""

_SHARES: Final = np.array([0.93, 0.37])
_GAINS: Final = _SHARES * np.sqrt((1 - _POLES**2) ** 3 / (1 + _POLES**2)) / (1 - _POLES) ** 2
_AMPLITUDE_STEP: Final = 1 - float(np.exp(-1 / (0.5 * FRAME_RATE)))

_THOUGHT_STEP: Final = 1 - float(np.exp(-1 / (0.3 * FRAME_RATE)))

_TURN_LIMIT: Final = float(np.radians(6.5))
"""The network's own yaw and pitch bend towards this: in thought it looks far aside for seconds."""

_EYE_LIMIT: Final = float(np.radians(24.0))
_RESTING: Final = 0.15
_LID_STEP: Final = 1 - float(np.exp(-1 / (0.4 * FRAME_RATE)))
_THOUGHT: Final = {"mouthSmile": -0.35, "mouthPress": 0.2, "browDown": 0.2, "browInnerUp": 0.15, "eyeSquint": 0.15}
"""Who thinks smiles less, presses the lips and knits the brows (AU 4, 24; Rozin & Cohen 2003: concentration)."""

_BROWS: Final = (("browInnerUp", 1.0), ("browOuterUpLeft", 0.85), ("browOuterUpRight", 0.85))
_POSE: Final = slice(N_BLENDSHAPES, N_BLENDSHAPES + 6)
_ANGLES: Final = slice(N_BLENDSHAPES, N_BLENDSHAPES + 3)
_SMILES: Final = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]
_TURNS: Final = [INDEX["yaw"], INDEX["pitch"]]
_THINKING: Final = [
    (index, amount)
    for name, amount in _THOUGHT.items()
    for index, column in enumerate(COLUMNS)
    if column.startswith(name)
]
_EYES: Final = [index for index, name in enumerate(COLUMNS) if name.startswith("eyeLook")]


class Bearing(NamedTuple):
    """What a frame inherits from the one before.

    Attributes:
        noise: float64 (2, 2, 8), first and second pole of the slow and the quick noise of each axis.
        amplitude: float64 (8,), of the sway.
        breath: Phase of the breath in [0, 1).
        lids: Where the lids rest.
        thought: How far the face shows that it thinks, in [0, 1], and what that follows.
        glance: The eyes.
        emphasis: Accents under way.
    """

    noise: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    breath: float
    lids: float
    thought: tuple[float, float]
    glance: Glance
    emphasis: Emphasis


def at_rest(state: AvatarState) -> Bearing:
    """Returns the bearing before the first frame."""
    thinks = float(state == AvatarState.THINKING)
    sway = np.zeros((2, 2, _N_AXES))
    return Bearing(sway, _amplitude(state), 0.0, 0.0, (thinks, thinks), Glance(state=state), Emphasis())


def borne(
    motion: NDArray[np.float32],
    start: int,
    energy: NDArray[np.float32],
    states: Sequence[AvatarState],
    liveliness: NDArray[np.float64],
    before: Bearing,
    random: np.random.Generator,
) -> tuple[NDArray[np.float32], list[Bearing]]:
    """Returns the motion with sway, accents, gaze and steady lids, and the bearing at each frame.

    Args:
        motion: float32 (n_frames, 58), the network's.
        start: Index of its first frame.
        energy: float32 (2 + n_frames + LOOK_AHEAD,), log energy of the avatar's speech (see `accents.emphasised`).
        states: The dialogue state of each frame.
        liveliness: float64 (n_frames,), amplitude of the head; 1 is natural.
        before: At the frame before the first.
        random: Source of the variety.
    """
    sway, noises, amplitudes = _swaying(states, before, random)
    phases = (before.breath + _BREATH_RATE * np.arange(1.0, len(motion) + 1)).astype(np.float64) % 1.0
    seen = glances(before.glance, states, random)
    stressed = emphasised(before.emphasis, start, energy, random)
    curves = accent_curves(stressed, start)
    lids = _steady_lids(motion, before.lids)
    thoughts = _thoughts(states, before.thought)
    direction, follow = sight(seen)

    result = motion.astype(np.float64)
    result[:, _TURNS] = _TURN_LIMIT * np.tanh(result[:, _TURNS] / _TURN_LIMIT) + follow
    result[:, _ANGLES] += liveliness[:, np.newaxis] * curves[:, :3]
    result[:, _POSE] += liveliness[:, np.newaxis] * sway[:, :6]
    for column, depth in _BREATH:
        result[:, column] += depth * _breathing(phases)
    for name, share in _BROWS:
        result[:, INDEX[name]] += liveliness * share * (curves[:, 3] + np.maximum(sway[:, 6], 0))
    result[:, _SMILES] += np.maximum(sway[:, 7:], 0)
    for column, amount in _THINKING:
        result[:, column] += amount * np.array(thoughts)[:, 0]
    result[:, _EYES] = 0
    turn_eyes(result, np.clip(direction - result[:, _TURNS], -_EYE_LIMIT, _EYE_LIMIT) / FULL_LOOK)
    for lid in LIDS:
        result[:, lid] = np.where(motion[:, lid] > _RESTING, motion[:, lid], lids)
    result[:, :N_BLENDSHAPES] = np.clip(result[:, :N_BLENDSHAPES], LOWEST, 1)
    parts = zip(noises, amplitudes, phases.tolist(), lids.tolist(), thoughts, seen, stressed, strict=True)
    return result.astype(np.float32), [Bearing(*part) for part in parts]


def _amplitude(state: AvatarState) -> NDArray[np.float64]:
    values = np.array(_SWAY[state])
    values[:3] = np.radians(values[:3])
    return values


def _swaying(
    states: Sequence[AvatarState], before: Bearing, random: np.random.Generator
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Returns the sway of each axis (n_frames, 8), and noise and amplitude at each frame."""
    keep, take = _POLES[:, np.newaxis], 1 - _POLES[:, np.newaxis]
    noise, amplitude = before.noise, before.amplitude
    noises: list[NDArray[np.float64]] = []
    amplitudes: list[NDArray[np.float64]] = []
    for state in states:
        first = keep * noise[0] + take * random.standard_normal((2, _N_AXES))
        noise = np.stack([first, keep * noise[1] + take * first])
        amplitude = amplitude + _AMPLITUDE_STEP * (_amplitude(state) - amplitude)
        noises.append(noise)
        amplitudes.append(amplitude)
    sway = np.array([amount * (_GAINS @ now[1]) for now, amount in zip(noises, amplitudes, strict=True)])
    return sway, noises, amplitudes


def _thoughts(states: Sequence[AvatarState], before: tuple[float, float]) -> list[tuple[float, float]]:
    """Returns how far the face shows that it thinks, and what that follows; eased twice, so that it starts gently."""
    shown, driven = before
    result: list[tuple[float, float]] = []
    for state in states:
        driven += _THOUGHT_STEP * ((state == AvatarState.THINKING) - driven)
        shown += _THOUGHT_STEP * (driven - shown)
        result.append((shown, driven))
    return result


def _breathing(phases: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns breath from -1 to 1: in faster than out."""
    inwards = phases < _INHALE
    angle = np.where(inwards, phases / _INHALE, 1 + (phases - _INHALE) / (1 - _INHALE))
    return -np.cos(np.pi * angle)


def _steady_lids(motion: NDArray[np.float32], before: float) -> NDArray[np.float64]:
    """Returns where both lids rest, float64 (n_frames,): what the network's lids tremble about."""
    value = before
    result = np.empty(len(motion))
    for index, lids in enumerate(motion[:, LIDS].mean(axis=1).tolist()):
        if lids <= _RESTING:
            value += _LID_STEP * (lids - value)
        result[index] = value
    return result
