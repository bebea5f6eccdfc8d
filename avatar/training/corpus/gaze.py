"""Where the eyes look: fixations, saccades, micro-saccades, and aversion by dialogue state.

A saccade of A degrees takes 21 ms + 2.2 ms A (Bahill, Clark & Stark 1975). People look at the other's face for about
three quarters of the time while listening and less while speaking, most away at the start of a turn (Kendon 1967;
Argyle & Cook 1976), and look away to think (Glenberg et al. 1998). Micro-saccades come about once a second with a
median of 0.3 degrees (Engbert & Kliegl 2003). The head takes about a third of a large shift (Goossens & Van Opstal
1997); the eyes counter-rotate so that the gaze stays on its target while the head moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX
from avatar.training.corpus.scene import IDLE, LISTENING, SPEAKING, THINKING, steps
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.corpus.scene import Scene

FULL_LOOK: Final = 30.0
"""Degrees of eye rotation that the coefficient 1 of an eyeLook unit stands for."""

GAZE_RANGE: Final = (25.0, 16.0)
"""Degrees (right, up) that the control (1, 1) stands for."""

_LARGE_SHIFT: Final = 6.0
_HEAD_SHARE: Final = 0.32
_HEAD_LATENCY: Final = 0.06


@dataclass(frozen=True, slots=True)
class _Habit:
    """How the eyes behave in a state: chance of looking away, how far, for how long (median seconds)."""

    away: float
    distance: tuple[float, float]
    away_dwell: float
    dwell: float
    jitter: float


_HABITS: Final = {
    IDLE: _Habit(0.15, (5.0, 14.0), 1.1, 2.0, 1.6),
    LISTENING: _Habit(0.06, (5.0, 10.0), 0.6, 1.5, 1.1),
    THINKING: _Habit(0.9, (9.0, 18.0), 1.3, 0.5, 1.0),
    SPEAKING: _Habit(0.16, (6.0, 14.0), 0.8, 1.2, 1.2),
}


@dataclass(frozen=True, slots=True)
class GazePath:
    """Gaze over a clip.

    Attributes:
        direction: (n_frames, 2) degrees right and up, of the line of sight.
        head: (n_frames, 2) degrees that the head turns along.
        shifts: Frames at which large shifts begin.
    """

    direction: NDArray[np.float64]
    head: NDArray[np.float64]
    shifts: NDArray[np.int64]


def gaze_path(scene: Scene, rng: np.random.Generator) -> GazePath:
    """Returns where the eyes look during a clip."""
    times, targets = _fixations(scene, rng)
    targets += scene.gaze[np.minimum((times * FRAME_RATE).astype(int), scene.n_frames - 1)] * GAZE_RANGE
    sizes = np.linalg.norm(np.diff(targets, axis=0, prepend=targets[:1]), axis=1)
    durations = 0.021 + 0.0022 * sizes
    head_durations = rng.uniform(0.45, 0.7, len(times)) + 0.01 * sizes
    head_targets = _HEAD_SHARE * targets * np.minimum(1.0, np.linalg.norm(targets, axis=1, keepdims=True) / 6.0)
    direction, head = (np.zeros((scene.n_frames, 2)) for _ in range(2))
    head_times = (times + _HEAD_LATENCY).tolist()
    for axis in range(2):
        direction[:, axis] = steps(scene.n_frames, times.tolist(), targets[:, axis].tolist(), durations.tolist())
        head[:, axis] = steps(scene.n_frames, head_times, head_targets[:, axis].tolist(), head_durations.tolist())
    direction += _micro_saccades(scene.n_frames, rng)
    shifts = (times[sizes > _LARGE_SHIFT] * FRAME_RATE).astype(np.int64)
    return GazePath(direction, head, shifts)


def _fixations(scene: Scene, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the start time of each fixation and its target in degrees from where the eyes rest."""
    end = scene.n_frames / FRAME_RATE
    changes = scene.changes() / FRAME_RATE
    times, targets = [0.0], [rng.normal(0, 1.0, 2)]
    away = False
    time = 0.0
    while True:
        state = int(scene.states[min(int(time * FRAME_RATE), scene.n_frames - 1)])
        habit = _HABITS[state]
        time += float(habit.away_dwell if away else habit.dwell) * float(rng.lognormal(0, 0.45))
        waiting = changes[(changes > times[-1]) & (changes + 0.12 < time)]
        if len(waiting):
            time = float(waiting[0]) + float(rng.uniform(0.12, 0.4))
        if time >= end:
            return np.array(times), np.array(targets)
        state = int(scene.states[int(time * FRAME_RATE)])
        habit = _HABITS[state]
        turn_start = state == SPEAKING and len(waiting) > 0
        away = rng.random() < (0.35 if turn_start else habit.away) and not (away and state != THINKING)
        targets.append(_away(habit, state, rng) if away else rng.normal(0, habit.jitter, 2) * (1.0, 0.7))
        times.append(time)


def _away(habit: _Habit, state: int, rng: np.random.Generator) -> NDArray[np.float64]:
    distance = rng.uniform(*habit.distance)
    side = rng.choice((-1.0, 1.0))
    steepness = rng.uniform(0.2, 0.7) if rng.random() < (0.65 if state == THINKING else 0.3) else -rng.uniform(0.1, 0.6)
    return distance * np.array([side * np.cos(steepness), np.sin(steepness)])


def _micro_saccades(n_frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    n = int(rng.poisson(1.2 * n_frames / FRAME_RATE)) + 1
    times = np.sort(rng.uniform(0, n_frames / FRAME_RATE, n)).tolist()
    offsets = rng.lognormal(np.log(0.3), 0.4, (n, 1)) * rng.standard_normal((n, 2))
    wander = np.zeros((n_frames, 2))
    for axis in range(2):
        wander[:, axis] = steps(n_frames, times, offsets[:, axis].tolist(), [0.022] * n)
    return wander


def look(motion: NDArray[np.float32], direction: NDArray[np.float64], head: NDArray[np.float64]) -> None:
    """Sets the eyeLook units, in place, so that the line of sight has `direction` with the head turned by `head`.

    How the lids follow the eyes is the renderer's affair: it belongs to eyeLookUp and eyeLookDown.

    Args:
        motion: (n_frames, 58).
        direction: (n_frames, 2), degrees right and up.
        head: (n_frames, 2), the head's yaw and pitch in degrees.
    """
    eye = (direction - 0.95 * head) / FULL_LOOK
    right, left = np.clip(eye[:, 0], 0, 1), np.clip(-eye[:, 0], 0, 1)
    up, down = np.clip(eye[:, 1], 0, 1), np.clip(-eye[:, 1], 0, 1)
    for name, values in (
        ("eyeLookOutLeft", right),
        ("eyeLookInRight", right),
        ("eyeLookInLeft", left),
        ("eyeLookOutRight", left),
    ):
        motion[:, INDEX[name]] = values
    for side in ("Left", "Right"):
        motion[:, INDEX["eyeLookUp" + side]] = up
        motion[:, INDEX["eyeLookDown" + side]] = down
