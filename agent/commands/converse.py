"""`converse`: a recorded question in, the video of the avatar's spoken answer out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.commands.face import open_generator, open_renderer
from agent.commands.progress import Stopwatch, counted, note, stage
from agent.config import load_config
from avatar.audio import duration, read_audio, require_speech
from avatar.clock import MonotonicClock
from avatar.publish.file import VideoFileWriter, check_output
from avatar.stream import AvatarStream
from avatar.types import OUTPUT_RATE, SPEECH_RATE

if TYPE_CHECKING:
    import argparse

    from agent.config import Config
    from agent.latency import LatencyReport
    from agent.parts import Parts
    from agent.recording import Recording
    from agent.replay import FirstFrame, Question


def run(args: argparse.Namespace) -> int:
    """Answers ``args.question`` in ``args.output``.

    Of `args` it also reads ``config``, ``portrait``, ``seed`` and ``mute_user``.

    Raises:
        VisavisError: The input can't be used, a service fails, or the output can't be written.
    """
    output = check_output(args.output, inputs=[args.question, args.portrait])
    config = load_config(args.config, portrait=args.portrait)
    require_speech(args.question)
    seed = config.avatar.seed if args.seed is None else args.seed
    renderer = open_renderer(config.avatar.portrait, config.avatar.threads)

    from agent.replay import Question, Replay, TimedGenerator  # noqa: PLC0415 - after what may be wrong

    question = Question(read_audio(args.question, SPEECH_RATE), read_audio(args.question, OUTPUT_RATE))
    parts = _load(config)
    with stage(f"talking, in real time: {duration(args.question):.0f} s of question, and the answer"):
        recording = asyncio.run(_talk(parts, config, question))
    print(f"you:    {' '.join(recording.transcripts)}")
    print(f"avatar: {' '.join(recording.replies)}")
    generator = TimedGenerator(open_generator(seed, config.avatar.threads))
    stream = AvatarStream(generator, renderer)
    config.motion.set_on(stream)
    replay = Replay(recording, question, stream, generator, mute_user=args.mute_user)
    watch = Stopwatch()
    with VideoFileWriter(output, renderer.size) as writer:
        for frame in counted("drawing", replay.frames(), replay.n_frames - replay.first_shown):
            writer.write(frame)
    print_latencies(recording.latencies, replay.first_frame)
    watch.report(output, writer.n_written)
    return 0


def _load(config: Config) -> Parts:
    from agent.parts import load_parts  # noqa: PLC0415 - loads livekit-agents

    with stage("loading the voice loop"):
        parts = load_parts(config)
    note("loaded " + ", ".join(f"{kind} in {seconds:.1f} s" for kind, seconds in sorted(parts.load_seconds.items())))
    return parts


async def _talk(parts: Parts, config: Config, question: Question) -> Recording:
    from agent.recording import hold_conversation  # noqa: PLC0415 - loads livekit-agents

    try:
        return await hold_conversation(parts, config, question.speech, MonotonicClock())
    finally:
        await parts.aclose()


def print_latencies(latencies: list[LatencyReport], first_frame: FirstFrame | None) -> None:
    """Prints how long each stage of each answer took."""
    for number, latency in enumerate(latencies):
        print("seconds after the end of your speech" + (f", answer {number + 1}" if number else ""))
        for name, seconds in with_picture(latency, first_frame if number == 0 else None).rows():
            print(f"  {name:<22} {seconds:6.2f}")


def with_picture(latency: LatencyReport, first_frame: FirstFrame | None) -> LatencyReport:
    """Returns a report with the stages of the picture, which was drawn afterwards, as if it had been drawn at once."""
    if first_frame is None or latency.tts_first_audio is None:
        return latency
    heard = latency.tts_first_audio
    return replace(latency, motion_first_chunk=heard + first_frame.motion, first_frame=heard + first_frame.picture)
