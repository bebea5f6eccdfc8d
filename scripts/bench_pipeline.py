"""Measures the pipeline from speech to video file, stage by stage.

    python -m scripts.bench_pipeline --seconds 20

prints frames a second of motion, rendering, encoding and all together, how soon the first speaking frame follows the
first speech, and the peak memory. It uses the real models and needs about a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import resource
import tempfile
import time
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from agent.commands.face import open_generator, open_renderer
from agent.options import PiperOptions
from agent.tts import PiperEngine
from avatar.audio import from_int16
from avatar.publish.file import VideoFileWriter
from avatar.stream import FILES, LIVE, AvatarStream, LiveStream, MotionStream, speaking_frames
from avatar.types import FRAME_RATE, AudioChunk, AvatarState, SyncedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from avatar.motion.types import MotionGenerator
    from avatar.render.types import Renderer

T = TypeVar("T")

_TEXT = (
    "The north wind and the sun were disputing which was the stronger, when a traveller came along, wrapped in a warm "
    "cloak. They agreed that the one who first succeeded in making the traveller take his cloak off should be "
    "considered stronger than the other. "
)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the speech")
    parser.add_argument("--portrait", type=Path, help="photo (default: ours)")
    parser.add_argument("--trials", type=int, default=20, help="replies whose first frame is timed")
    parser.add_argument("--threads", type=int, default=1, help="of motion and rendering")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{_processor()}, {os.cpu_count()} CPUs, load {load:.1f} at the start, Python {platform.python_version()}")

    speech = _speech(options.seconds)
    renderer = _timed("portrait and renderer ready", lambda: open_renderer(options.portrait, options.threads))
    generator = _timed("motion model ready", lambda: open_generator(0, options.threads))
    motion = _rate("motion", lambda: _motion(MotionStream(generator, FILES), speech))
    pictures = _rate("rendering", lambda: [renderer.render(frame) for frame in motion[:100]])
    with tempfile.TemporaryDirectory() as folder:
        _rate("encoding", lambda: _encode(Path(folder), pictures, len(motion)))
        generator.truncate(0)
        _rate("all together, to a file", lambda: _file(Path(folder), AvatarStream(generator, renderer, FILES), speech))
    generator.truncate(0)
    asyncio.run(_first_frames(generator, renderer, speech, options.trials))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory':<28} {peak:7.0f} MB (speech synthesis included)")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _speech(seconds: float) -> list[AudioChunk]:
    engine = PiperEngine(PiperOptions())
    chunks: list[AudioChunk] = []
    while sum(len(chunk.samples) for chunk in chunks) < seconds * engine.sample_rate:
        chunks += [
            AudioChunk(from_int16(np.frombuffer(part, np.int16)), engine.sample_rate) for part in engine.say(_TEXT)
        ]
    whole = np.concatenate([chunk.samples for chunk in chunks])[: round(seconds * engine.sample_rate)]
    return [AudioChunk(part, engine.sample_rate) for part in np.array_split(whole, max(1, round(seconds / 4)))]


def _timed(name: str, make: Callable[[], T]) -> T:
    start = time.perf_counter()
    made = make()
    print(f"{name:<28} {time.perf_counter() - start:7.2f} s")
    return made


def _rate(name: str, make: Callable[[], Sequence[T]]) -> Sequence[T]:
    start, burnt = time.perf_counter(), time.process_time()
    made = make()
    spent, burnt = time.perf_counter() - start, time.process_time() - burnt
    rate = len(made) / spent
    print(
        f"{name:<28} {rate:7.0f} frames/s, {rate / FRAME_RATE:5.1f} x real time, {1000 * burnt / len(made):5.1f} ms CPU"
    )
    return made


def _motion(stream: MotionStream, speech: list[AudioChunk]) -> Sequence[np.ndarray]:
    return list(speaking_frames(stream, speech, stream.next_motion))


def _encode(folder: Path, pictures: Sequence[np.ndarray], n_frames: int) -> Sequence[int]:
    silence = np.zeros(1920, np.float32)
    with VideoFileWriter(folder / "encoded.mp4", pictures[0].shape[:2]) as writer:
        for index in range(n_frames):
            back_and_forth = abs(index % (2 * len(pictures) - 1) - len(pictures) + 1)
            writer.write(SyncedFrame(pictures[back_and_forth], silence, index, AvatarState.SPEAKING))
    return range(writer.n_written)


def _file(folder: Path, stream: AvatarStream, speech: list[AudioChunk]) -> Sequence[int]:
    with VideoFileWriter(folder / "whole.mp4", stream.size) as writer:
        for frame in speaking_frames(stream, speech, stream.next_frame):
            writer.write(frame)
    return range(writer.n_written)


async def _first_frames(
    generator: MotionGenerator, renderer: Renderer, speech: list[AudioChunk], n_trials: int
) -> None:
    """Times, in a live stream, from the first speech pushed to the frame in which it is heard and its own picture."""
    stream = AvatarStream(generator, renderer, LIVE)
    heard: list[float] = []
    seen: list[float] = []
    random = np.random.default_rng(0)
    with LiveStream(stream) as live:
        async with aclosing(live.frames()) as frames:
            for _ in range(n_trials):
                for _ in range(10):
                    await anext(frames)
                await asyncio.sleep(random.uniform(0, 1 / FRAME_RATE))
                start = time.perf_counter()
                stream.push_audio(speech[0])
                n_late = stream.n_late
                while (await anext(frames)).state is not AvatarState.SPEAKING:
                    n_late = stream.n_late
                heard.append(time.perf_counter() - start)
                while stream.n_late != n_late:
                    n_late = stream.n_late
                    await anext(frames)
                seen.append(time.perf_counter() - start)
                stream.interrupt()
        n_shown, n_late = stream.n_shown, stream.n_late
    for name, times in (("first speech heard", heard), ("first speaking picture", seen)):
        middle, high = (1000 * float(np.percentile(times, share)) for share in (50, 95))
        print(f"{name + ' after':<28} {middle:7.0f} ms (p95 {high:.0f} ms) from the first speech pushed, live")
    print(f"{'late pictures, live':<28} {n_late:7d} of {n_shown}")


if __name__ == "__main__":
    main()
