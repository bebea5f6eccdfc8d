"""Motion of a person on the photo that it started from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX, N_BLENDSHAPES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PARTING: Final = {"mouthLowerDown": 2.0, "mouthUpperUp": 1.0}
"""How far lips part for each part of an opening jaw; chosen by `scripts/evaluate_reenactment.py`'s measures."""


def relative_to(motion: NDArray[np.float32], first: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion (n_frames, 58) whose expressions are what they add to those of one frame (58,).

    That frame is the one that the photo shows: the photo wears its expression already. But renderers rest with closed
    lips, so lips that are open in the photo are parted again, without the jaw, which is down in the photo.
    """
    relative = motion.copy()
    relative[:, :N_BLENDSHAPES] -= first[:N_BLENDSHAPES]
    opened = max(0.0, float(first[INDEX["jawOpen"]] - first[INDEX["mouthClose"]]))
    relative[:, :N_BLENDSHAPES] = np.clip(relative[:, :N_BLENDSHAPES], 0, 1)
    for name, share in _PARTING.items():
        columns = [INDEX[name + side] for side in ("Left", "Right")]
        relative[:, columns] = np.minimum(relative[:, columns] + share * opened, 1)
    return relative
