"""Motion of a person on the photo that it started from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.layout import N_BLENDSHAPES

if TYPE_CHECKING:
    from numpy.typing import NDArray


def relative_to(motion: NDArray[np.float32], first: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion (n_frames, 58) whose expressions are what they add to those of one frame (58,).

    That frame is the one that the photo shows: the photo wears its expression already.
    """
    relative = motion.copy()
    relative[:, :N_BLENDSHAPES] = np.clip(motion[:, :N_BLENDSHAPES] - first[:N_BLENDSHAPES], 0, 1)
    return relative
