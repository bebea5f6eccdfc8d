"""Joins chunks: slow motion goes on from where it was, and lids blink in one piece.

The network decides where the face goes; a few sampler steps leave a small step at a chunk's first frame. It sees half a
second of its past, too little to know when the last blink was, so blinks keep a clock of their own. Nothing here looks
ahead, so that chunks of any size join alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.motion.layout import COLUMNS, INDEX, N_BLENDSHAPES
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BLINK_CURVE: Final = np.array([0.30, 0.85, 1.0, 0.90, 0.62, 0.33, 0.12], np.float32)
"""Lids of a blink frame by frame: closed within 90 ms, open again 160-200 ms later (Guitton et al. 1991)."""

RESTED: Final = len(BLINK_CURVE)
"""Frames since the last blink at which it is over."""

LIDS: Final = (INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"])

_BLINK_FROM: Final = 0.40
_REFRACTORY: Final = 18
"""Least frames from one blink's start to the next (0.7 s)."""

_EARLY: Final = 0.7
"""Share of the interval after which the network may hasten a blink."""

_BLINKS_A_MINUTE: Final = 15.5
"""Rate that intervals are drawn for; the network's haste makes it about 17."""

_SPREAD: Final = 0.5
"""Standard deviation of the logarithm of the intervals, as in the corpus."""

_RESTING_LIDS: Final = 0.15

_SLOW: Final = 6.0
_EXPRESSION: Final = 3.0
_EYES: Final = 0.7
_MOMENTUM: Final = 0.6


_STEADIED: Final = np.array(
    [index for index, name in enumerate(COLUMNS) if index >= N_BLENDSHAPES or name.startswith("brow")]
)
_WINDOW: Final = (0.0625, 0.25, 0.375, 0.25, 0.0625)
_AFTER: Final = np.array([[1.0], [2.0]], np.float32)


class BlinkClock(NamedTuple):
    """How long ago the last blink began, and how long after it the next one is due, both in frames."""

    since: int
    due: int


def _fading(name: str) -> float:
    """Returns in how many frames a column's step at a seam fades; 0 where sound leads and nothing may lag."""
    if name.startswith("eyeLook"):
        return _EYES
    if name.startswith("eyeBlink"):
        return 0.0
    if name.startswith(("mouthSmile", "mouthFrown", "mouthDimple", "mouthPress")):
        return _EXPRESSION
    return 0.0 if name.startswith(("jaw", "mouth", "tongue")) else _SLOW


_FADING: Final = np.array([_fading(name) for name in COLUMNS], np.float32)
_CONTINUED: Final = np.flatnonzero(_FADING)


def continued(motion: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion that begins where the motion before it would have gone; the difference fades (Bollo 2018).

    Args:
        motion: float32 (n_frames, 58).
        before: float32 (n, 58), the frames made before; with fewer than two, motion is returned as it is.
    """
    if len(before) < 2:
        return motion
    last, previous = before[-1, _CONTINUED], before[-2, _CONTINUED]
    step = last + _MOMENTUM * (last - previous) - motion[0, _CONTINUED]
    result = motion.copy()
    result[:, _CONTINUED] += step * np.exp(-np.arange(len(motion))[:, None] / _FADING[_CONTINUED])
    return result


def steadied(motion: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion without the tremble that a few sampler steps leave in head and brows.

    A binomial window of five frames (deviation one frame) takes 18 % of a nod at 2.5 Hz and nearly all above 8 Hz. It
    rests on the frames before the chunk, and on the way its last two frames go at its end.

    Args:
        motion: float32 (n_frames, 58), at least two frames.
        before: float32 (n, 58), the frames made before.
    """
    columns = motion[:, _STEADIED]
    first = before[-2:, _STEADIED] if len(before) >= 2 else np.repeat(columns[:1], 2, axis=0)
    slope = columns[-1] - columns[-2]
    padded = np.concatenate([first, columns, columns[-1] + slope * _AFTER])
    result = motion.copy()
    result[:, _STEADIED] = sum(share * padded[lag : lag + len(motion)] for lag, share in enumerate(_WINDOW))
    return result


def blink_interval(random: np.random.Generator) -> int:
    """Returns frames from one blink's start to the next: log-normal, 17 a minute (Bentivoglio et al. 1997)."""
    seconds = 60 / _BLINKS_A_MINUTE * random.lognormal(-(_SPREAD**2) / 2, _SPREAD)
    return max(_REFRACTORY, round(seconds * FRAME_RATE))


def blinking(
    motion: NDArray[np.float32], clock: BlinkClock, next_interval: Callable[[], int]
) -> tuple[NDArray[np.float32], list[BlinkClock]]:
    """Returns motion whose lids follow a blink's curve, and the clock at each frame.

    A blink comes when it is due; where the network's own lids fall in the last stretch before that (it blinks with
    phrases and shifts of gaze), it comes then.

    Args:
        motion: float32 (n_frames, 58).
        clock: At the frame before the first.
        next_interval: Draws how many frames after a blink the next one is due.
    """
    result = motion.copy()
    clocks: list[BlinkClock] = []
    falling = motion[:, LIDS].min(axis=1) > _BLINK_FROM
    since, due = clock
    for starts in falling:
        since += 1
        if since >= due or (starts and since >= max(_REFRACTORY, _EARLY * due)):
            since, due = 0, next_interval()
        clocks.append(BlinkClock(since, due))
    counts = np.array([now.since for now in clocks])
    lids = np.where(counts < len(BLINK_CURVE), BLINK_CURVE[np.minimum(counts, len(BLINK_CURVE) - 1)], 0)
    result[:, LIDS] = np.maximum(np.minimum(motion[:, LIDS], _RESTING_LIDS), lids[:, None])
    return result, clocks
