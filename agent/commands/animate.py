"""`animate`: a speech file to a talking video, to motion as CSV, or to a moving 3D head as glTF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.commands.face import open_generator, open_head, open_renderer
from agent.commands.progress import Stopwatch, counted
from avatar.audio import decode_audio, duration, require_speech
from avatar.motion.gltf import write_gltf
from avatar.motion.livelink import write_livelink
from avatar.publish.file import VideoFileWriter, check_output
from avatar.stream import FILES, AvatarStream, MotionStream, speaking_frames
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from agent.manner import MotionConfig
    from avatar.motion.types import MotionGenerator
    from avatar.types import AudioChunk


def run(args: argparse.Namespace) -> int:
    """Animates ``args.speech`` into ``args.output`` (MP4, CSV, GLB or GLTF), with ``args.portrait`` and ``args.seed``.

    Raises:
        VisavisError: The input can't be used, or the output can't be written.
    """
    output = check_output(args.output, (".mp4", ".csv", ".glb", ".gltf"), inputs=[args.speech, args.portrait])
    require_speech(args.speech)
    n_expected = round(duration(args.speech) * FRAME_RATE)
    if output.suffix.lower() == ".csv":
        write_motion(output, decode_audio(args.speech), n_expected, args.seed)
    elif output.suffix.lower() in {".glb", ".gltf"}:
        write_head(output, decode_audio(args.speech), n_expected, args.portrait, args.seed)
    else:
        write_video(output, decode_audio(args.speech), n_expected, args.portrait, args.seed)
    return 0


def write_motion(output: Path, speech: Iterable[AudioChunk], n_expected: int | None, seed: int) -> None:
    """Writes the motion of speech as Live Link Face CSV."""
    generator = open_generator(seed)
    watch = Stopwatch()
    motion = _motion(generator, speech, n_expected)
    write_livelink(output, motion)
    watch.report(output, len(motion))


def write_head(
    output: Path, speech: Iterable[AudioChunk], n_expected: int | None, portrait: Path | None, seed: int
) -> None:
    """Writes the head of a portrait, moved by speech, as glTF."""
    head = open_head(portrait)
    generator = open_generator(seed)
    watch = Stopwatch()
    motion = _motion(generator, speech, n_expected)
    write_gltf(output, head, motion)
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


def _motion(generator: MotionGenerator, speech: Iterable[AudioChunk], n_expected: int | None) -> NDArray[np.float32]:
    stream = MotionStream(generator, FILES)
    frames = speaking_frames(stream, speech, stream.next_motion)
    return np.stack(list(counted("making motion", frames, n_expected)))
