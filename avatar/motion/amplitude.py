"""The amplitude of a person's mouth, laid on the network's lips.

The network learned a careful speaker: labels are means over many people, and a flow of few steps shrinks what is left.
Each channel is widened to the span that was tracked on talking people, the drawn and tracked-again motion judged
beside them; not what rounds, for it parts the lips, and people's rounded lips hardly part. Small values keep their
size, so a mouth at rest stays at rest, quiet speech stays quiet and a tremble is not made larger; large ones bend
towards a bound, so nothing gapes. Contacts are laid on afterwards (`articulation`). Rounded lips draw their corners in,
whatever the face wears, and part less. In quiet moments of speech (pauses between words, consonants) people close
their mouths less than the labels do. What is done to a frame depends on it and on the sound around it only, so chunks
join.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD
from avatar.motion.layout import INDEX, N_BLENDSHAPES, N_MOTION
from avatar.motion.relative import LOWEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACHES: Final[dict[str, tuple[float, float, float, float]]] = {
    "jawOpen": (1.4, 0.04, 0.14, 0.75),
    "mouthStretch": (1.6, 0.03, 0.12, 0.6),
    "mouthLowerDown": (1.4, 0.04, 0.12, 0.6),
    "mouthUpperUp": (1.4, 0.04, 0.12, 0.5),
}
"""Gain of a large movement, the value up to which nothing is gained, that from which all is, and the bound."""

_GAIN: Final = np.ones(N_MOTION, np.float32)
_FROM, _FULL, _BOUND = (np.full(N_MOTION, value, np.float32) for value in (0, 1, 1))
for _name, _reach in REACHES.items():
    for _side in ("",) if _name in INDEX else ("Left", "Right"):
        _column = INDEX[_name + _side]
        _GAIN[_column], _FROM[_column], _FULL[_column], _BOUND[_column] = _reach

_WIDENED: Final = np.flatnonzero(_GAIN != 1)
_KNEE: Final = 0.5
"""Share of the bound up to which a channel is not bent."""

_JAW: Final = INDEX["jawOpen"]
_NARROWED: Final = 0.7
_HOLE: Final = 0.1
"""Share that fully rounded lips take off a wide jaw, and the opening that they leave: their hole is small."""

_HELD: Final = 1.5
"""How much further the jaw opens for each unit of log energy (80 dB) that a frame is below the speech around it."""

_FAINT, _LOUD = 0.4, 0.85
"""Log energies (-48 and -12 dB) that silence counts as, and that nothing is louder than."""

_TRACE: Final = 0.05
_CORNERS: Final = (("mouthStretch", 0.5), ("mouthSmile", 0.15))
"""What fully rounded lips take off: a pucker alone stays flat on a face that smiles or whose mouth is wide."""


def rounding_of(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns how far the lips are rounded, in [0, 1], float32 (n_frames,); a trace of rounding is none."""
    rounding = motion[:, INDEX["mouthPucker"]] + motion[:, INDEX["mouthFunnel"]]
    return np.clip((rounding - _TRACE) / (1 - _TRACE), 0, 1)


def drawn_in(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion whose rounded lips have their corners drawn in and their hole small, float32 (n_frames, 58).

    Below 0, stretch and smile take off what the photo wears.

    Args:
        motion: float32 (n_frames, 58).
    """
    rounding = rounding_of(motion)
    result = motion.copy()
    for name, share in _CORNERS:
        for side in ("Left", "Right"):
            result[:, INDEX[name + side]] -= share * rounding
    result[:, _JAW] -= _NARROWED * rounding * np.maximum(motion[:, _JAW] - _HOLE, 0)
    result[:, :N_BLENDSHAPES] = np.maximum(result[:, :N_BLENDSHAPES], LOWEST)
    return result


def widened(motion: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion whose mouth moves as far as a person's, float32 (n_frames, 58).

    Args:
        motion: float32 (n_frames, 58), the network's, with coefficients in [0, 1].
    """
    values = motion[:, _WIDENED]
    start, full, bound = _FROM[_WIDENED], _FULL[_WIDENED], _BOUND[_WIDENED]
    share = np.clip((values - start) / (full - start), 0, 1)
    wide = values * (1 + (_GAIN[_WIDENED] - 1) * share * share * (3 - 2 * share))
    knee = _KNEE * bound
    bent = knee + (bound - knee) * np.tanh((wide - knee) / (bound - knee))
    result = motion.copy()
    result[:, _WIDENED] = np.where(wide > knee, bent, wide)
    return result


def held_open(motion: NDArray[np.float32], energy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion whose jaw closes less where speech is quieter than around it, float32 (n_frames, 58).

    Args:
        motion: float32 (n_frames, 58).
        energy: float32 (CONDITION_PAST + n_frames + LOOK_AHEAD,), log energy of the frames and those around them.
    """
    level = energy.clip(_FAINT, _LOUD)
    around = np.lib.stride_tricks.sliding_window_view(level, CONDITION_PAST + 1 + LOOK_AHEAD).mean(axis=1)
    # Three frames, for a level that jumps from frame to frame would make the jaw tremble.
    near = np.convolve(level, (0.25, 0.5, 0.25), "same")[CONDITION_PAST:-LOOK_AHEAD]
    below = np.maximum(around - near, 0).astype(np.float32)
    result = motion.copy()
    result[:, _JAW] *= 1 + _HELD * below
    return result
