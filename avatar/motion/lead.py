"""Lets the lips' opening run ahead of the sound, as people's does.

Tracked talkers open and close their mouths about two frames before the network's labels say so, while contacts and
rounding belong to their phones. So the network hears a little early, its openness is shown at once, and all else is
shown later by as much. That needs no more of its look-ahead and no more computing, and chunks join as they did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAD: Final = 1
"""Frames by which openness leads."""

OPENNESS: Final = [
    INDEX[name]
    for name in ("jawOpen", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight")
]
"""Columns that lead."""


def heard_early(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns features `LEAD` frames early, float32 like `values`; what isn't known yet is like the last frame.

    Args:
        values: float32 (n_frames, n_features).
    """
    return np.concatenate([values[LEAD:], np.repeat(values[-1:], LEAD, axis=0)])


def shown_in_time(made: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns channels of which openness alone leads, float32 like `made`.

    Args:
        made: float32 (n_frames, n_channels), all `LEAD` frames early.
        before: float32 (n, n_channels), made before.
    """
    shown = with_neighbours(made, before)[1:-1].copy()
    shown[:, OPENNESS] = made[:, OPENNESS]
    return shown


def with_neighbours(made: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the frames to show with the one before and the one after them, float32 (n_frames + 2, n_channels).

    Nothing leads. Where too few were made before, the first frame of all counts.

    Args:
        made: float32 (n_frames, n_channels), all `LEAD` frames early.
        before: float32 (n, n_channels), made before.
    """
    held = np.concatenate([before[-LEAD - 1 :], made])
    missing = len(made) + LEAD + 1 - len(held)
    return np.concatenate([np.repeat(held[:1], missing, axis=0), held])[: len(made) + 2]
