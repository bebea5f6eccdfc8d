"""Joins chunks: slow motion goes on from where it was, and lids blink in one piece.

The network decides where the face goes and when it blinks; a few sampler steps leave a small step at a chunk's first
frame and ragged lids. Both are repaired here without looking ahead, so that chunks of any size join alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import COLUMNS, INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLINK_CURVE: Final = np.array([0.30, 0.85, 1.0, 0.90, 0.62, 0.33, 0.12], np.float32)
"""Lids of a blink frame by frame: closed within 90 ms, open again 160-200 ms later (Guitton et al. 1991)."""

LIDS: Final = (INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"])

_BLINK_FROM: Final = 0.40
_REFRACTORY: Final = 25
"""Least frames from one blink's start to the next (1 s); the network alone repeats them too soon."""

_RESTING_LIDS: Final = 0.15

_SLOW: Final = 6.0
_EXPRESSION: Final = 3.0
_EYES: Final = 0.7
_MOMENTUM: Final = 0.6


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


def blinking(motion: NDArray[np.float32], since: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Returns motion whose lids follow a blink's curve from where the network's lids fall, and frames since it began.

    Args:
        motion: float32 (n_frames, 58).
        since: Frames since the last blink began, at the frame before the first.
    """
    result = motion.copy()
    counts = np.empty(len(motion), np.int64)
    falling = motion[:, LIDS].min(axis=1) > _BLINK_FROM
    for index, starts in enumerate(falling):
        since = 0 if starts and since + 1 >= _REFRACTORY else since + 1
        counts[index] = since
    lids = np.where(counts < len(BLINK_CURVE), BLINK_CURVE[np.minimum(counts, len(BLINK_CURVE) - 1)], 0)
    result[:, LIDS] = np.maximum(np.minimum(motion[:, LIDS], _RESTING_LIDS), lids[:, None])
    return result, counts
