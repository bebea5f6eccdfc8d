"""Copies of a clip that sound otherwise and move alike: another voice, recording and coding of the same speech.

What is common to a clip and its copies is what was said, so a network can't tell a clip by its sound and recall the
motion that went with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.training.corpus.audio import RATE
from avatar.training.corpus.augment import change_voice, record
from avatar.training.corpus.coding import coded
from avatar.training.corpus.voices import Utterance

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGER: Final = (0.8, 0.94)
_SMALLER: Final = (1.06, 1.26)
"""Factors of pitch and formants."""

_CODED_SHARE: Final = 0.5
_QUALITY: Final = 0.65
_BENDS: Final = np.array([0.0, 300.0, 900.0, 2200.0, 4500.0, 8000.0])
_BEND_DB: Final = 6.0


def copied(sound: NDArray[np.int16], number: int, seed: int, index: int) -> NDArray[np.int16]:
    """Returns the agent's track of copy `number` (from 1) of training clip `index`.

    Voice size and level change, the spectrum is bent, by chance it is coded, in a room, band-limited or in noise. Its
    timing stays within 10 ms, so the clip's motion is the copy's. The same numbers always give the same copy.
    """
    rng = np.random.default_rng([seed, index, 3, number])
    samples = _resized((sound / 32767).astype(np.float32), rng)
    if rng.random() < _CODED_SHARE:
        samples = coded(samples, order=int(rng.integers(12, 21)), noise=float(rng.uniform(0.1, 0.6)), rng=rng)
    samples = record(equalised(samples, rng), rng, quality=_QUALITY)
    return np.round(samples * 32767).astype(np.int16)


def _resized(samples: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns a track of the same length by a smaller or larger speaker."""
    smaller = rng.random() < 0.5
    size = float(rng.uniform(*(_LARGER, _SMALLER)[smaller]))
    changed = change_voice(Utterance(samples, ()), size, 1.0).samples
    return np.pad(changed, (0, max(0, len(samples) - len(changed))))[: len(samples)]


def equalised(samples: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns sound with a random smooth curve of a few decibels laid on its spectrum."""
    if not len(samples):
        return samples
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    decibels = np.interp(frequencies, _BENDS, rng.normal(0.0, _BEND_DB, len(_BENDS)))
    return np.fft.irfft(np.fft.rfft(samples) * 10 ** (decibels / 20), len(samples)).astype(np.float32)
