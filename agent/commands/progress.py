"""What a command says while it works, and at its end."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

T = TypeVar("T")


def note(text: str) -> None:
    """Says something worth knowing on stderr."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def stage(text: str) -> Generator[None]:
    """Says on stderr what goes on during the block: with a spinner on a terminal, as a line otherwise."""
    if not sys.stderr.isatty():
        note(f"{text} ...")
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - 0.1 s

    with Console(stderr=True).status(f"{text} ..."):
        yield


def counted(text: str, frames: Iterable[T], n_expected: int | None) -> Iterator[T]:
    """Passes frames on and shows how many there were: a bar on a terminal, a line every 10 s of video otherwise.

    Args:
        text: What is made.
        frames: The frames.
        n_expected: About how many there will be, if known.
    """
    if not sys.stderr.isatty():
        yield from _counted_in_lines(text, frames, n_expected)
        return
    from rich.console import Console  # noqa: PLC0415 - 0.1 s
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=n_expected)
        for frame in frames:
            yield frame
            bar.advance(task)


def _counted_in_lines(text: str, frames: Iterable[T], n_expected: int | None) -> Iterator[T]:
    total = f" of about {n_expected / FRAME_RATE:.0f} s" if n_expected else ""
    note(f"{text}{total} ...")
    for count, frame in enumerate(frames, 1):
        yield frame
        if count % (10 * FRAME_RATE) == 0:
            note(f"  {count / FRAME_RATE:.0f} s done")


class Stopwatch:
    """Says how fast frames were made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def report(self, path: Path, n_frames: int) -> None:
        """Prints what was made, where, and how fast."""
        spent, length = time.monotonic() - self._start, n_frames / FRAME_RATE
        print(
            f"{path}: {length:.1f} s, {n_frames} frames in {spent:.1f} s"
            f" ({n_frames / spent:.0f} frames a second, {length / spent:.1f} x real time)"
        )
