"""Where the eyes look, frame by frame: fixations, glances away, micro-saccades.

A fixation lasts log-normally long; how long, and how often and how far the eyes leave the viewer, depends on the state:
mostly on the viewer while listening, less while speaking, up and aside while thinking (Argyle & Cook 1976; Glenberg et
al. 1998). Eyes jump, 21 ms and 2.2 ms a degree (Bahill et al. 1975), the head follows with a third of it (Goossens &
Van Opstal 1997), and about once a second the fixating eye jumps by a third of a degree (Engbert & Kliegl 2003). The
network's own gaze drifts and trembles; this takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.types import FRAME_RATE, AvatarState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class _Habit(NamedTuple):
    """Median seconds on the viewer and away, the chance that the next fixation is away, and how far in degrees."""

    dwell: float
    away_dwell: float
    away: float
    nearest: float
    farthest: float
    upwards: float


_HABITS: Final[dict[AvatarState, _Habit]] = {
    AvatarState.IDLE: _Habit(2.4, 1.1, 0.35, 4.0, 11.0, 0.3),
    AvatarState.LISTENING: _Habit(2.6, 0.6, 0.12, 3.0, 8.0, 0.3),
    AvatarState.THINKING: _Habit(0.7, 1.4, 0.85, 10.0, 18.0, 0.7),
    AvatarState.SPEAKING: _Habit(2.0, 0.8, 0.25, 4.0, 10.0, 0.35),
}
_ON_FACE: Final = (1.1, 0.8)
"""Deviation in degrees of fixations on the viewer: between the eyes and the mouth of a face at 0.7 m."""

_SPREAD: Final = 0.45
_NOTICES: Final = (3, 9)
"""Frames after a change of state in which the eyes take it up."""

_MICRO_CHANCE: Final = 1.2 / FRAME_RATE
_MICRO: Final = float(np.radians(0.25))
_HEAD_SHARE: Final = 0.3
_HEAD_STEP: Final = 1 - float(np.exp(-1 / (0.16 * FRAME_RATE)))


class Glance(NamedTuple):
    """The eyes at one frame; pairs are radians to the picture's right and up.

    Attributes:
        aim: Where they are going to, or rest.
        gaze: Where they are.
        n_left: Frames until they are there.
        due: Frames until the next fixation.
        away: Whether they have left the viewer.
        micro: Offset by micro-saccades.
        follow: How far the head has followed; two poles.
        state: The state that they know of.
    """

    aim: tuple[float, float] = (0.0, 0.0)
    gaze: tuple[float, float] = (0.0, 0.0)
    n_left: int = 0
    due: int = 20
    away: bool = False
    micro: tuple[float, float] = (0.0, 0.0)
    follow: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    state: AvatarState = AvatarState.IDLE

    @property
    def direction(self) -> tuple[float, float]:
        """Line of sight."""
        return self.gaze[0] + self.micro[0], self.gaze[1] + self.micro[1]

    @property
    def head(self) -> tuple[float, float]:
        """What the head adds to its yaw and pitch."""
        return self.follow[2], self.follow[3]


def glances(before: Glance, states: Sequence[AvatarState], random: np.random.Generator) -> list[Glance]:
    """Returns the eyes at each frame.

    Args:
        before: At the frame before the first.
        states: The dialogue state of each frame.
        random: Source of the variety.
    """
    result: list[Glance] = []
    glance = before
    for state in states:
        glance = _moved(_decided(glance, state, random), random)
        result.append(glance)
    return result


def sight(seen: Sequence[Glance]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the line of sight and the head's part in it, float64 (n_frames, 2) each, in radians right and up."""
    return np.array([one.direction for one in seen]), np.array([one.head for one in seen])


def _decided(glance: Glance, state: AvatarState, random: np.random.Generator) -> Glance:
    due = glance.due - 1
    if state != glance.state:
        due = min(due, int(random.integers(*_NOTICES)))
    if due > 0:
        return glance._replace(due=due, state=state)
    habit = _HABITS[state]
    away = random.random() < habit.away and not (glance.away and state != AvatarState.THINKING)
    x, y = _aside(habit, random) if away else random.normal(0, _ON_FACE)
    aim = (float(np.radians(x)), float(np.radians(y)))
    degrees = float(np.degrees(np.hypot(aim[0] - glance.gaze[0], aim[1] - glance.gaze[1])))
    n_left = max(1, round((0.021 + 0.0022 * degrees) * FRAME_RATE))
    median = habit.away_dwell if away else habit.dwell
    lasts = max(6, round(median * random.lognormal(0, _SPREAD) * FRAME_RATE))
    return glance._replace(aim=aim, n_left=n_left, due=lasts, away=away, state=state)


def _aside(habit: _Habit, random: np.random.Generator) -> tuple[float, float]:
    distance = random.uniform(habit.nearest, habit.farthest)
    side = 1.0 if random.random() < 0.5 else -1.0
    rise = random.uniform(0.15, 0.6) if random.random() < habit.upwards else -random.uniform(0.1, 0.5)
    return distance * side * float(np.cos(rise)), distance * float(np.sin(rise))


def _moved(glance: Glance, random: np.random.Generator) -> Glance:
    gaze, n_left = glance.gaze, glance.n_left
    if n_left:
        gaze = (gaze[0] + (glance.aim[0] - gaze[0]) / n_left, gaze[1] + (glance.aim[1] - gaze[1]) / n_left)
    micro = glance.micro
    if random.random() < _MICRO_CHANCE:
        micro = (float(random.normal(0, _MICRO)), float(random.normal(0, 0.6 * _MICRO)))
    first_x, first_y, second_x, second_y = glance.follow
    first_x += _HEAD_STEP * (_HEAD_SHARE * glance.aim[0] - first_x)
    first_y += _HEAD_STEP * (_HEAD_SHARE * glance.aim[1] - first_y)
    second_x += _HEAD_STEP * (first_x - second_x)
    second_y += _HEAD_STEP * (first_y - second_y)
    follow = (first_x, first_y, second_x, second_y)
    return glance._replace(gaze=gaze, n_left=max(0, n_left - 1), micro=micro, follow=follow)
