"""`render`: motion from a Live Link Face CSV to a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.commands.face import open_renderer
from agent.commands.progress import Stopwatch, counted, note
from avatar.audio import read_audio
from avatar.motion.livelink import read_livelink
from avatar.publish.file import VideoFileWriter, check_output
from avatar.types import FRAME_RATE, OUTPUT_RATE, AvatarState, SyncedFrame

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from avatar.render.types import Renderer

_SAMPLES = OUTPUT_RATE // FRAME_RATE


def run(args: argparse.Namespace) -> int:
    """Renders ``args.motion`` with the sound ``args.audio`` and the face ``args.portrait`` into ``args.output``.

    With ``args.relative`` expressions add to the photo's own what they add to the motion's first frame.

    Raises:
        VisavisError: The input can't be used, or the output can't be written.
    """
    output = check_output(args.output, inputs=[args.motion, args.audio, args.portrait])
    motion = read_livelink(args.motion, relative=args.relative)
    sound = sound_for(args.audio, len(motion))
    renderer = open_renderer(args.portrait, relaxed=not args.relative)
    watch = Stopwatch()
    with VideoFileWriter(output, renderer.size) as writer:
        for frame in counted("rendering", rendered(renderer, motion, sound), len(motion)):
            writer.write(frame)
    watch.report(output, writer.n_written)
    return 0


def sound_for(path: Path | None, n_frames: int) -> NDArray[np.float32]:
    """Returns a file's sound, as long as the frames: cut, or filled up with silence; says so if it is cut.

    Raises:
        InputError: The file can't be used.
    """
    sound = np.zeros(n_frames * _SAMPLES, np.float32)
    if path is not None:
        read = read_audio(path, OUTPUT_RATE)
        if len(read) - len(sound) >= OUTPUT_RATE // 2:
            note(
                f"{path.name}: its last {(len(read) - len(sound)) / OUTPUT_RATE:.1f} s have no motion and are left out"
            )
        read = read[: len(sound)]
        sound[: len(read)] = read
    return sound


def rendered(renderer: Renderer, motion: NDArray[np.float32], sound: NDArray[np.float32]) -> Iterator[SyncedFrame]:
    """Yields each frame of motion, float32 (n_frames, 58), with its share of the sound, float32 (n_frames * 1920,)."""
    for index, (coefficients, samples) in enumerate(zip(motion, sound.reshape(len(motion), _SAMPLES), strict=True)):
        yield SyncedFrame(renderer.render(coefficients), samples, index, AvatarState.SPEAKING)
