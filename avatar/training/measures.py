"""Figures of merit of motion, from its coefficients alone.

Lips are judged by `articulation.lip_gap`, a proxy that the renderer's pictures can later be measured against. Frame f
lies at (f + 0.5) / 25 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.articulation import CLOSED_GAP
from avatar.motion.layout import INDEX
from avatar.training.corpus.phones import BILABIALS, LABIODENTALS, PAUSE
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    TimedPhone = tuple[str, float, float]

TOLERANCE: Final = 0.06
"""Seconds by which a contact may miss its phone."""

_TUCKED: Final = 0.25
_ROUNDED: Final = frozenset("uow")
_SPREAD: Final = frozenset("ie")
_ROUNDING: Final = np.zeros(len(INDEX), np.float32)
for _name, _share in {"mouthPucker": 1, "mouthFunnel": 1, "mouthStretch": -0.5, "mouthSmile": -0.17}.items():
    for _side in ("",) if _name in INDEX else ("Left", "Right"):
        _ROUNDING[INDEX[_name + _side]] = _share
_BLINK_CLOSED: Final = 0.5
_CONTACT: Final = 0.08


def closure_recall(gap: NDArray[np.float32], phones: Sequence[TimedPhone]) -> tuple[int, int]:
    """Returns how many of /p b m/ have closed lips within 60 ms of their contact, and how many there are.

    Args:
        gap: float32 (n_frames,), see `lip_gap`.
        phones: Name, start and end in seconds.
    """
    return _contacts(gap < CLOSED_GAP, phones, BILABIALS)


def tuck_recall(motion: NDArray[np.float32], phones: Sequence[TimedPhone]) -> tuple[int, int]:
    """Returns how many of /f v/ have the lower lip rolled in within 60 ms of their contact, and how many there are."""
    return _contacts(motion[:, INDEX["mouthRollLower"]] > _TUCKED, phones, LABIODENTALS)


def false_tucks(motion: NDArray[np.float32], phones: Sequence[TimedPhone]) -> tuple[int, int]:
    """Returns how many runs of a tucked lower lip have no /f v/ within 100 ms, and how many runs there are."""
    starts, ends = _runs(motion[:, INDEX["mouthRollLower"]] > _TUCKED)
    spans = [(start - 0.1, end + 0.1) for name, start, end in phones if name in LABIODENTALS]
    runs = [(start / FRAME_RATE, end / FRAME_RATE) for start, end in zip(starts, ends, strict=True)]
    false = sum(not any(start < late and end > early for early, late in spans) for start, end in runs)
    return false, len(runs)


def roundings(motion: NDArray[np.float32], phones: Sequence[TimedPhone]) -> tuple[list[float], list[float]]:
    """Returns how rounded the lips are in the middle of each /u o w/, and of each /i e/.

    Rounding is pucker and funnel less stretch and a third of the smile.
    """
    rounded: list[float] = []
    spread: list[float] = []
    for name, start, end in phones:
        kept = rounded if name in _ROUNDED else spread if name in _SPREAD else None
        frame = int((start + end) / 2 * FRAME_RATE)
        if kept is not None and frame < len(motion):
            kept.append(float(motion[frame] @ _ROUNDING))
    return rounded, spread


def separation(high: Sequence[float], low: Sequence[float]) -> float:
    """Returns the chance that one of `high` exceeds one of `low` (area under the ROC curve)."""
    first, second = np.asarray(high)[:, None], np.asarray(low)[None]
    return float(((first > second) + 0.5 * (first == second)).mean()) if first.size and second.size else float("nan")


def false_closures(gap: NDArray[np.float32], wanted_gap: NDArray[np.float32]) -> tuple[int, int]:
    """Returns how many runs of closed lips have no wanted closure within two frames, and how many runs there are."""
    starts, ends = _runs(gap < CLOSED_GAP)
    wanted = np.flatnonzero(wanted_gap < CLOSED_GAP)
    false = sum(not np.any((wanted >= start - 2) & (wanted < end + 2)) for start, end in zip(starts, ends, strict=True))
    return false, len(starts)


def rest_frames(
    speaking: NDArray[np.bool_], phones: Sequence[TimedPhone], *, silence: float = 0.7
) -> NDArray[np.bool_]:
    """Returns where lips should be closed, bool (n_frames,).

    That is where the state hasn't been speaking for 0.3 s, or no phone sounded for longer than `silence`. The quarter
    second before a phone belongs to its preparation.

    Args:
        speaking: bool (n_frames,), whether the state is speaking.
        phones: Name, start and end in seconds.
        silence: Seconds.
    """
    times = (np.arange(len(speaking)) + 0.5) / FRAME_RATE
    since = np.full(len(speaking), np.inf)
    until = np.full(len(speaking), np.inf)
    for name, start, end in phones:
        if name == PAUSE:
            continue
        since = np.where(times >= start, np.minimum(since, np.maximum(times - end, 0)), since)
        until = np.where(times < end, np.minimum(until, np.maximum(start - times, 0)), until)
    last_spoken = np.maximum.accumulate(np.where(speaking, times, -np.inf))
    return ((since > silence) | ((times - last_spoken > 0.3) & (since > 0.3))) & (until > 0.25)


def correlation(first: NDArray[np.float32], second: NDArray[np.float32], reach: int = 6) -> tuple[float, int]:
    """Returns the highest correlation within `reach` frames of lag, and the lag, positive if `first` is late."""
    best = (-1.0, 0)
    n = len(first)
    for lag in range(-reach, reach + 1):
        late, early = first[max(lag, 0) : n + min(lag, 0)], second[max(-lag, 0) : n - max(lag, 0)]
        if late.std() > 1e-6 and early.std() > 1e-6:
            best = max(best, (float(np.corrcoef(late, early)[0, 1]), lag))
    return best


def blink_starts(motion: NDArray[np.float32]) -> NDArray[np.intp]:
    """Returns the frames at which both lids pass half way down."""
    lids = np.minimum(motion[:, INDEX["eyeBlinkLeft"]], motion[:, INDEX["eyeBlinkRight"]])
    return _runs(lids > _BLINK_CLOSED)[0]


def seam_speeds(motion: NDArray[np.float32], frames: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the speed into each of the frames given, and the speed everywhere else.

    Each column's speed counts relative to its own mean, columns that hardly move don't count.

    Args:
        motion: float32 (n_frames, n_columns).
        frames: First frames of chunks or states.
    """
    speed = np.abs(np.diff(motion, axis=0))
    moving = speed.mean(axis=0) > 1e-4
    relative = (speed[:, moving] / speed[:, moving].mean(axis=0)).mean(axis=1)
    seam = np.zeros(len(speed), bool)
    seam[np.array([frame - 1 for frame in frames if 0 < frame < len(motion)], np.intp)] = True
    return relative[seam], relative[~seam]


def boundary_ratio(motion: NDArray[np.float32], boundaries: Sequence[int]) -> float:
    """Returns the speed at the seams of chunks over the speed elsewhere; 1 means that no seam shows."""
    seam, inside = seam_speeds(motion, boundaries)
    return float(seam.mean() / inside.mean())


def _contacts(made: NDArray[np.bool_], phones: Sequence[TimedPhone], names: frozenset[str]) -> tuple[int, int]:
    times = (np.flatnonzero(made) + 0.5) / FRAME_RATE
    total = found = 0
    for name, start, end in phones:
        if name not in names:
            continue
        held = start + min(_CONTACT, 0.75 * (end - start))
        total += 1
        found += bool(np.any((times >= start - TOLERANCE) & (times <= held + TOLERANCE)))
    return found, total


def _runs(values: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns the first frames of runs of True, and the frames after their last."""
    steps = np.diff(values.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(steps > 0), np.flatnonzero(steps < 0)
