"""Reads a video's pictures at a steady rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.errors import InputError
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def read_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Yields a video's pictures, uint8 (height, width, 3), upright, at 25 frames a second.

    Each moment shows the last picture that had appeared by then, whatever the file's own rate.

    Raises:
        InputError: There is no such file, or nothing in it can be decoded as video.
    """
    import av  # noqa: PLC0415 - heavy, and only tracking reads videos
    from av.error import FFmpegError  # noqa: PLC0415

    what = f"reading {path.name}"
    if not path.is_file():
        raise InputError(what, expected="a video", got="no such file")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(what, expected="a video", got="a file without pictures")
            yield from _steady(container.decode(container.streams.video[0]))
    except FFmpegError as error:
        raise InputError(what, expected="a video", got=error.strerror or type(error).__name__) from error


def _steady(frames: Iterator[object]) -> Iterator[NDArray[np.uint8]]:
    tick, start = 0, None
    shown: NDArray[np.uint8] | None = None
    for frame in frames:
        time: float | None = getattr(frame, "time", None)
        if time is None:
            continue
        start = time if start is None else start
        # half a tick of tolerance: at 25 frames a second, rounded time stamps must not repeat or drop a picture
        while shown is not None and (tick + 0.5) / FRAME_RATE < time - start:
            yield shown
            tick += 1
        shown = _upright(frame)
    if shown is not None:
        yield shown


def _upright(frame: object) -> NDArray[np.uint8]:
    picture: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")  # pyright: ignore[reportAttributeAccessIssue] - PyAV's VideoFrame, which is not imported at load
    turns = round(float(getattr(frame, "rotation", 0)) / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, turns))
