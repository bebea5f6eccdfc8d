"""`animate`: a speech file to a talking video, or to motion as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.commands.face import open_generator, open_renderer
from agent.commands.progress import Stopwatch, counted
from avatar.audio import decode_audio, duration, require_speech
from avatar.motion.livelink import write_livelink
from avatar.publish.file import VideoFileWriter, check_output
from avatar.stream import FILES, AvatarStream, MotionStream, speaking_frames
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

    from agent.manner import MotionConfig
    from avatar.types import AudioChunk


def run(args: argparse.Namespace) -> int:
    """Animates ``args.speech`` into ``args.output`` (MP4 or CSV), with ``args.portrait`` and ``args.seed``.

    Raises:
        VisavisError: The input can't be used, or the output can't be written.
    """
    output = check_output(args.output, (".mp4", ".csv"), inputs=[args.speech, args.portrait])
    require_speech(args.speech)
    n_expected = round(duration(args.speech) * FRAME_RATE)
    if output.suffix.lower() == ".csv":
        write_motion(output, decode_audio(args.speech), n_expected, args.seed)
    else:
        write_video(output, decode_audio(args.speech), n_expected, args.portrait, args.seed)
    return 0


def write_motion(output: Path, speech: Iterable[AudioChunk], n_expected: int | None, seed: int) -> None:
    """Writes the motion of speech as Live Link Face CSV."""
    stream = MotionStream(open_generator(seed), FILES)
    watch = Stopwatch()
    frames = speaking_frames(stream, speech, stream.next_motion)
    motion = np.stack(list(counted("making motion", frames, n_expected)))
    write_livelink(output, motion)
    watch.report(output, len(motion))


def write_video(
    output: Path,
    speech: Iterable[AudioChunk],
    n_expected: int | None,
    portrait: Path | None,
    seed: int,
    motion: MotionConfig | None = None,
) -> None:
    """Writes the video of a portrait that says speech, with the motion's configuration where there is one."""
    renderer = open_renderer(portrait)
    stream = AvatarStream(open_generator(seed), renderer, FILES)
    if motion is not None:
        motion.set_on(stream)
    watch = Stopwatch()
    with VideoFileWriter(output, renderer.size) as writer:
        for frame in counted("animating", speaking_frames(stream, speech, stream.next_frame), n_expected):
            writer.write(frame)
    watch.report(output, writer.n_written)
