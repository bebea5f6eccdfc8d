"""`track`: motion of the person in a video, as Live Link Face CSV."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.commands.progress import note
from avatar.motion.livelink import write_livelink
from avatar.publish.file import check_output
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator


def run(args: argparse.Namespace) -> int:
    """Writes the motion in ``args.video`` to ``args.output``.

    Raises:
        VisavisError: The video can't be read or shows no face, or the output can't be written.
    """
    output = check_output(args.output, (".csv",), inputs=[args.video])
    from avatar.portrait.track import track_video  # noqa: PLC0415 - heavy

    began = time.monotonic()
    with _progress(f"tracking {args.video.name}") as progress:
        tracked = track_video(args.video, progress=progress)
    motion, face = tracked.motion.coefficients, tracked.face
    write_livelink(output, motion, face)
    spent, fit = time.monotonic() - began, 100 * float(tracked.residual[face].mean())
    unseen = len(face) - int(face.sum())
    if unseen:
        note(f"{unseen} of {len(face)} frames show no face; they are marked")
    print(
        f"{output}: {len(face) / FRAME_RATE:.1f} s, {len(face)} frames in {spent:.1f} s"
        f" ({len(face) / spent:.0f} frames a second), fit {fit:.2f} % of the face's width"
    )
    return 0


@contextmanager
def _progress(text: str) -> Generator[Callable[[int], None]]:
    """Gives what shows how many frames were looked at."""
    if not sys.stderr.isatty():
        note(f"{text} ...")
        yield _in_lines
        return
    from rich.console import Console  # noqa: PLC0415 - 0.1 s

    with Console(stderr=True).status(f"{text} ...") as status:
        yield lambda count: status.update(f"{text}: {count / FRAME_RATE:.1f} s")


def _in_lines(count: int) -> None:
    if count % (10 * FRAME_RATE) == 0:
        note(f"  {count // FRAME_RATE} s done")
