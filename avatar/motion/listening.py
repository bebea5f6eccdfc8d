"""A listener's nods: at the ends of the user's phrases (Dittmann & Llewellyn 1968), once to three times at 2-3 Hz.

The network hears the user too, but never learned to nod in time (half a second of its own past is all it sees), so nods
are laid on its motion: where the user has spoken for half a second and then fallen silent for a quarter, the head nods
in most cases. The user's sound may not be known up to the frames being made; what isn't is zero, and is judged once it
is past.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.motion.layout import INDEX
from avatar.types import FRAME_RATE, AvatarState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ATTENTIVE: Final = frozenset({AvatarState.LISTENING, AvatarState.THINKING})
_SPOKEN: Final = 12
"""Frames of speech that make a phrase."""

_SILENT: Final = 6
"""Frames of silence that end it."""

_QUIET: Final = 0.45
"""Log energy (see `features.prosody`) below which nothing is speech: -44 dB."""

_BELOW_LOUDEST: Final = 0.25
"""So far below the recent loudest frame lies silence (20 dB)."""

_FORGETTING: Final = 0.001
"""By so much a frame the loudest is forgotten."""

_SETTLED: Final = 8
"""Frames before the chunk from which on digital silence may mean that the sound isn't known yet."""

_CHANCE: Final = 0.6
_APART: Final = FRAME_RATE
_PITCH: Final = INDEX["pitch"]


class Nod(NamedTuple):
    """One nod: its first frame, frames a cycle, how many cycles, and the depth of the first in radians."""

    start: int
    period: float
    cycles: int
    depth: float


class Listener:
    """Follows the user's speech and nods; one for each timeline.

    Args:
        random: Source of the variety.
    """

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._heard = 0
        self._loudest = 0.0
        self._spoken = 0
        self._silent = 0
        self._nods: list[Nod] = []

    def nod(
        self, motion: NDArray[np.float32], start: int, energy: NDArray[np.float32], states: Sequence[AvatarState]
    ) -> NDArray[np.float32]:
        """Returns the motion with the nods that fall into it.

        Args:
            motion: float32 (n_frames, 58).
            start: Index of its first frame.
            energy: float32 (n_past + n_frames,), log energy of the user's sound, zero where it isn't known.
            states: The dialogue state of each frame of the motion.
        """
        first = start + len(motion) - len(energy)
        for frame in range(max(self._heard, first), start + len(motion)):
            level = float(energy[frame - first])
            if level == 0 and frame >= start - _SETTLED:
                break
            self._heard = frame + 1
            if self._phrase_ends(level):
                self._plan(max(frame + 1, start), states[min(max(frame + 1 - start, 0), len(states) - 1)])
        self._nods = [nod for nod in self._nods if nod.start + nod.cycles * nod.period > start - FRAME_RATE]
        result = motion.copy()
        times = start + np.arange(len(motion))
        for nod in self._nods:
            result[:, _PITCH] += _curve(nod, times)
        return result

    def _phrase_ends(self, level: float) -> bool:
        self._loudest = max(level, self._loudest - _FORGETTING)
        if level > max(_QUIET, self._loudest - _BELOW_LOUDEST):
            self._spoken, self._silent = self._spoken + 1, 0
            return False
        self._silent += 1
        if self._silent != _SILENT:
            return False
        long_enough, self._spoken = self._spoken >= _SPOKEN, 0
        return long_enough

    def _plan(self, earliest: int, state: AvatarState) -> None:
        waits = int(self._random.integers(0, 3))
        period = FRAME_RATE / float(self._random.uniform(1.9, 2.7))
        cycles = 1 + int(self._random.choice(3, p=(0.35, 0.45, 0.2)))
        depth = float(np.radians(self._random.uniform(3.0, 6.5)))
        likely = self._random.random() < _CHANCE
        after = not self._nods or earliest > self._nods[-1].start + _APART
        if likely and after and state in _ATTENTIVE:
            self._nods.append(Nod(earliest + waits, period, cycles, depth))


def _curve(nod: Nod, frames: NDArray[np.int_]) -> NDArray[np.float64]:
    phase = (frames - nod.start) / nod.period
    inside = (phase >= 0) & (phase < nod.cycles)
    cycle = np.clip(np.floor(phase), 0, nod.cycles)
    return np.where(inside, -nod.depth * 0.65**cycle * np.sin(np.pi * phase) ** 2, 0.0)
