"""Reads and writes motion as Live Link Face records it: one CSV row a frame, 52 ARKit coefficients and head pose.

Columns are ``Timecode``, ``BlendshapeCount``, the ARKit names capitalised, ``HeadYaw HeadPitch HeadRoll``,
``LeftEyeYaw LeftEyePitch LeftEyeRoll`` and the same for the right eye, as in Epic's app, and then ours: ``HeadX HeadY
HeadZ``. Motion tracked in a video has one more column, ``FacePresent``, 0 in the rows where no face was seen; programs
that read columns by name pass over it. Angles are radians with the signs of `avatar.motion.layout`. A timecode is
``HH:MM:SS:FF.mmm``: FF counts frames within the second, mmm thousandths of a frame.
"""

from __future__ import annotations

import csv
import os
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.errors import InputError, OutputError
from avatar.motion.gaps import bridge_gaps
from avatar.motion.layout import BLENDSHAPES, INDEX, N_BLENDSHAPES, N_MOTION, POSE
from avatar.motion.relative import relative_to
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

_HEAD: Final = ("HeadYaw", "HeadPitch", "HeadRoll")
_PLACE: Final = ("HeadX", "HeadY", "HeadZ")
_EYES: Final = tuple(f"{side}Eye{axis}" for side in ("Left", "Right") for axis in ("Yaw", "Pitch", "Roll"))
_NAMES: Final = tuple(name[0].upper() + name[1:] for name in BLENDSHAPES)

_PRESENT: Final = "FacePresent"

HEADER: Final = ("Timecode", "BlendshapeCount", *_NAMES, *_HEAD, *_EYES, *_PLACE)

_N_LIVE_LINK: Final = len(_NAMES) + len(_HEAD) + len(_EYES)
_COLUMN_OF: Final[dict[str, str]] = {
    **{name.lower(): own for name, own in zip(_NAMES, BLENDSHAPES, strict=True)},
    **{name.lower(): own for name, own in zip((*_HEAD, *_PLACE), POSE, strict=True)},
}
_EYE_REACH: Final = 0.6
"""Rotation in radians of an eye whose look coefficient is 1."""

_RATES: Final = (25, 30, 60, 120, 240)


def write_livelink(path: Path, motion: NDArray[np.float32], present: NDArray[np.bool_] | None = None) -> None:
    """Writes motion as CSV, whole or not at all.

    Args:
        path: The file to write.
        motion: float32 (n_frames, 58) at 25 frames a second.
        present: bool (n_frames,), which frames show a face; if given, the column ``FacePresent`` is written.

    Raises:
        OutputError: The file can't be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with scratch.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(HEADER if present is None else (*HEADER, _PRESENT))
            for index, frame in enumerate(motion):
                mark = () if present is None else (str(int(present[index])),)
                rows.writerow((*_row(index, frame), *mark))
        scratch.replace(path)
    except OSError as error:
        raise OutputError(
            f"writing {path.name}", expected="a folder that can be written to", got=error.strerror or str(error)
        ) from error
    finally:
        scratch.unlink(missing_ok=True)


def read_livelink(path: Path, *, relative: bool = False) -> NDArray[np.float32]:
    """Returns motion from a Live Link Face CSV, float32 (n_frames, 58) at 25 frames a second.

    Another frame rate is found from the timecodes and resampled linearly. Head columns may be missing (a head at rest);
    other columns are ignored. Frames that are marked to show no face are eased through (`bridge_gaps`).

    Args:
        path: The file.
        relative: Return what expressions add to those of the first frame that shows a face (`relative_to`).

    Raises:
        InputError: The file can't be read, misses a coefficient, or has a malformed row.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        got = error.strerror if isinstance(error, OSError) and error.strerror else "bytes that are no CSV text"
        raise InputError(f"reading {path.name}", expected="a Live Link Face CSV", got=got) from error
    if len(lines) < 2:
        raise InputError(f"reading {path.name}", expected="a header and at least one row", got=f"{len(lines)} lines")
    header, rows = [name.strip().lower() for name in lines[0]], lines[1:]
    missing = [name for name in ("Timecode", *_NAMES) if name.lower() not in header]
    if missing:
        raise InputError(
            f"reading {path.name}", expected="a column for each of the 52 coefficients", got=f"no column {missing[0]}"
        )
    motion = np.zeros((len(rows), N_MOTION), np.float32)
    for index, row in enumerate(rows):
        motion[index] = _frame(path, index + 2, header, row)
    times = _times(path, [row[header.index("timecode")] for row in rows])
    present = np.ones((len(rows), 1), np.float32)
    if _PRESENT.lower() in header:
        place = header.index(_PRESENT.lower())
        present[[row[place].strip() in {"0", "0.0", "0.000000"} for row in rows]] = 0.0
    steady = _at_frame_rate(np.hstack([motion, present]), times)
    motion, known = steady[:, :N_MOTION], steady[:, N_MOTION] > 0.999
    if relative and known.any():
        motion = relative_to(motion, motion[known.argmax()])
    return bridge_gaps(motion, known)


def _row(index: int, frame: NDArray[np.float32]) -> Iterable[str]:
    seconds, part = divmod(index, FRAME_RATE)
    yield f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{part:02}.000"
    yield str(_N_LIVE_LINK)
    pose = frame[N_BLENDSHAPES:]
    for value in (*frame[:N_BLENDSHAPES].clip(0, 1), *pose[:3], *_eye_angles(frame), *pose[3:]):
        yield f"{value:.6f}"


def _eye_angles(frame: NDArray[np.float32]) -> list[float]:
    """Returns yaw, pitch and roll of the left and the right eye; yaw is positive to the avatar's own left."""
    angles: list[float] = []
    for side, outward in (("Left", 1), ("Right", -1)):
        out, inwards, up, down = (frame[INDEX[f"eyeLook{way}{side}"]] for way in ("Out", "In", "Up", "Down"))
        angles += [_EYE_REACH * outward * float(out - inwards), _EYE_REACH * float(up - down), 0.0]
    return angles


def _frame(path: Path, line: int, header: list[str], row: list[str]) -> NDArray[np.float32]:
    if len(row) != len(header):
        raise InputError(f"reading {path.name}, line {line}", expected=f"{len(header)} values", got=str(len(row)))
    frame = np.zeros(N_MOTION, np.float32)
    for name, text in zip(header, row, strict=True):
        own = _COLUMN_OF.get(name)
        if own is None:
            continue
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            raise InputError(f"reading {path.name}, line {line}", expected=f"a number for {own}", got=repr(text))
        frame[INDEX[own]] = value
    np.clip(frame[:N_BLENDSHAPES], 0, 1, out=frame[:N_BLENDSHAPES])
    return frame


def _times(path: Path, codes: list[str]) -> NDArray[np.float64]:
    """Returns seconds since the first row; the frame rate is the least usual one above every frame number."""
    parts = np.empty((len(codes), 4))
    for index, code in enumerate(codes):
        try:
            parts[index] = [float(part) for part in code.split(":")]
        except ValueError:
            raise InputError(
                f"reading {path.name}, line {index + 2}", expected="a timecode HH:MM:SS:FF.mmm", got=repr(code)
            ) from None
    rate = next((rate for rate in _RATES if parts[:, 3].max() < rate), _RATES[-1])
    seconds = parts[:, :3] @ np.array([3600, 60, 1]) + parts[:, 3] / rate
    backwards = np.flatnonzero(np.diff(seconds) <= 0)
    if len(backwards):
        line = int(backwards[0]) + 3
        raise InputError(f"reading {path.name}, line {line}", expected="a later timecode", got=repr(codes[line - 2]))
    return seconds - seconds[0]


def _at_frame_rate(motion: NDArray[np.float32], times: NDArray[np.float64]) -> NDArray[np.float32]:
    n_frames = int(np.floor(times[-1] * FRAME_RATE + 1e-6)) + 1
    if n_frames == len(motion) and np.allclose(times * FRAME_RATE, np.arange(n_frames), atol=1e-3):
        return motion
    wanted = np.arange(n_frames) / FRAME_RATE
    columns = [np.interp(wanted, times, column) for column in motion.T]
    return np.stack(columns, axis=1).astype(np.float32)
