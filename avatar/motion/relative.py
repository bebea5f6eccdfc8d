"""Motion of a person on the photo that it started from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import BLENDSHAPES, INDEX, N_BLENDSHAPES

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORN: Final = tuple(
    name + side
    for name in (
        *("mouthSmile", "mouthDimple", "mouthStretch", "mouthFrown", "mouthPress"),
        *("cheekSquint", "browDown", "noseSneer", "eyeSquint"),
    )
    for side in ("Left", "Right")
)
"""Expressions that a photo goes on wearing: of these a renderer adds the coefficient's share of what is left to 1."""

LOWEST: Final = np.array([-1.0 if name in WORN else 0.0 for name in BLENDSHAPES], np.float32)
"""Least value of each blendshape: those that a photo wears can be taken off."""

_WORN_COLUMNS: Final = [INDEX[name] for name in WORN]
_CLOSED: Final = 0.05
_OPEN: Final = 0.15
"""Lips whose jaw is open by less than the first more than they are pressed together are closed in the photo; by more
than the second, open."""


def relative_to(motion: NDArray[np.float32], first: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion (n_frames, 58) whose expressions are what they add to those of one frame (58,), in [-1, 1].

    That frame is the one that the photo shows: the photo wears its expression already, and what is below 0 takes it
    off. Renderers rest with closed lips; a mouthClose of -1 gives lips back that are open in the photo, and down to -2
    it takes off what presses them together there.
    """
    relative = motion.copy()
    added = motion[:, :N_BLENDSHAPES] - first[:N_BLENDSHAPES]
    more = added[:, _WORN_COLUMNS]
    added[:, _WORN_COLUMNS] = np.where(more > 0, more / np.maximum(1 - first[_WORN_COLUMNS], 0.05), more)
    opened = float(first[INDEX["jawOpen"]] - first[INDEX["mouthClose"]])
    low = np.full(N_BLENDSHAPES, -1.0, np.float32)
    given_back = np.clip((opened - _CLOSED) / (_OPEN - _CLOSED), 0, 1)
    added[:, INDEX["mouthClose"]] -= given_back
    low[INDEX["mouthClose"]] -= given_back
    relative[:, :N_BLENDSHAPES] = np.clip(added, low, 1)
    return relative
