"""Blinks: log-normal intervals, about 17 a minute, fast to close and slow to open.

Rates by state follow Bentivoglio et al. (1997): rest 17 a minute, conversation more, concentration less. Lids close in
70-100 ms and open in 130-200 ms (Guitton et al. 1991); about one blink in ten is incomplete. Blinks gather at the ends
of phrases and at gaze shifts (Nakano & Kitazawa 2010; Evinger et al. 1994): a due blink waits for one or hastens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.training.corpus.scene import add_pulse
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.corpus.scene import Scene

_RATE: Final = np.array([16.0, 17.5, 15.0, 18.5])
"""Blinks a minute when idle, listening, thinking, speaking."""

_RATE_OF_EMOTION: Final = np.array([1.0, 1.0, 0.9, 0.85, 1.2, 1.0, 0.75, 1.0])
_SPREAD: Final = 0.5
"""Standard deviation of the logarithm of the intervals."""

_SHORTEST: Final = 0.45
_SNAP: Final = 0.8
_SNAP_CHANCE: Final = 0.4


def blink_times(scene: Scene, shifts: NDArray[np.int64], rng: np.random.Generator) -> list[float]:
    """Returns the seconds at which blinks begin.

    Args:
        scene: The clip.
        shifts: Frames of large gaze shifts.
        rng: Source of chance.
    """
    events = np.sort(np.concatenate([scene.agent_phrase_ends, scene.user_phrase_ends, shifts])) / FRAME_RATE
    mean_log = -(_SPREAD**2) / 2
    times: list[float] = []
    end = scene.n_frames / FRAME_RATE
    time = -float(rng.uniform(8.0, 12.0))
    while True:
        frame = min(max(int(time * FRAME_RATE), 0), scene.n_frames - 1)
        weight = scene.emotion[frame].clip(0, 1)
        rate = _RATE[scene.states[frame]] * (1 + float(weight @ (_RATE_OF_EMOTION - 1)))
        time += float(max(_SHORTEST, 60 / rate * rng.lognormal(mean_log, _SPREAD)))
        if time >= end:
            return times
        near = events[np.abs(events - time) < _SNAP]
        if len(near) and rng.random() < _SNAP_CHANCE:
            wished = float(near[int(np.abs(near - time).argmin())]) + float(rng.uniform(-0.04, 0.12))
            if not times or wished > times[-1] + _SHORTEST:
                time = wished
        if 0.0 <= time < end:
            times.append(time)


def blink_curve(times: list[float], n_frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Returns how far blinks close the lids, (n_frames,) in [0, 1]; a complete one shows at least one closed frame."""
    curve = np.zeros(n_frames)
    for time in times:
        complete = rng.random() > 0.1
        height = float(rng.uniform(0.95, 1.0)) if complete else float(rng.uniform(0.5, 0.8))
        one = np.zeros(n_frames)
        add_pulse(one, time, float(rng.uniform(0.07, 0.1)), 0.04, float(rng.uniform(0.12, 0.19)), height)
        np.maximum(curve, one, out=curve)
    return curve
