"""How many rooms this machine carries, measured."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.types import FRAME_RATE, OUTPUT_RATE, AudioChunk

if TYPE_CHECKING:
    from avatar.stream import AvatarStream

_WARM_UP: Final = 2 * FRAME_RATE
_MEASURED: Final = 2 * FRAME_RATE
_USABLE: Final = 0.85
"""Share of the cores that conversations may take; the rest is for what is not measured."""

_TRACKS: Final = 0.2
"""Cores that a room's tracks take (encoding, network, hearing), which the calibration does not run."""


def measure_capacity(face: AvatarStream, cores: int | None = None) -> int:
    """Returns how many rooms fit at 25 pictures a second each, at least 1.

    It lets the face speak for four seconds as fast as it can and counts the processor time of the second half, which
    other processes don't change, as they would the speed.

    Args:
        face: A face of its own; it has spoken afterwards.
        cores: Cores that may be used; None is all there are for this process.
    """
    face.push_audio(AudioChunk(_babble((_WARM_UP + _MEASURED) / FRAME_RATE), OUTPUT_RATE))
    face.end_segment()
    for _ in range(_WARM_UP):
        face.next_frame()
    before = time.process_time()
    for _ in range(_MEASURED):
        face.next_frame()
    cost = (time.process_time() - before) / _MEASURED * FRAME_RATE + _TRACKS
    return max(1, int(_USABLE * (cores or usable_cores()) / cost))


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _babble(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Returns noise that swells four times a second, as syllables do."""
    moments = np.arange(round(seconds * OUTPUT_RATE)) / OUTPUT_RATE
    noise = np.random.default_rng(0).standard_normal(len(moments))
    return (0.1 * noise * np.abs(np.sin(4 * np.pi * moments))).astype(np.float32)
