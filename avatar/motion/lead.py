"""Lets the lips' opening and closing run ahead of the sound, as people's does.

Tracked talkers open and close their mouths about two frames before the network's labels say so, while rounding belongs
to its phones. So the network hears a little early, its openness and its contacts are shown at once, and all else is
shown later by as much. That needs no more of its look-ahead and no more computing, and chunks join as they did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.articulation import LIP_CHANNELS
from avatar.motion.layout import INDEX, N_MOTION

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAD: Final = 1
"""Frames by which openness and contacts lead."""

_OPENNESS: Final = ("jawOpen", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight")
LEADING: Final = [*(INDEX[name] for name in _OPENNESS), *range(N_MOTION, N_MOTION + len(LIP_CHANNELS))]
"""Channels that lead."""


def heard_early(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns features `LEAD` frames early, float32 like `values`; what isn't known yet is like the last frame.

    Args:
        values: float32 (n_frames, n_features).
    """
    return np.concatenate([values[LEAD:], np.repeat(values[-1:], LEAD, axis=0)])


def shown_in_time(made: NDArray[np.float32], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns channels of which openness and contacts alone lead, float32 like `made`.

    Args:
        made: float32 (n_frames, n_channels), all `LEAD` frames early.
        before: float32 (n, n_channels), made before; where it is too short, the first frame of all counts.
    """
    held = np.concatenate([before[-LEAD:], made])
    missing = len(made) + LEAD - len(held)
    shown = np.concatenate([np.repeat(held[:1], missing, axis=0), held])[: len(made)].copy()
    shown[:, LEADING] = made[:, LEADING]
    return shown
