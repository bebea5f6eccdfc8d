"""Watches the memory over long runs: ``python -m scripts.soak pictures`` and ``python -m scripts.soak stream``.

``pictures`` draws 100 000 frames of motion that never repeats, with renderers of one size after another. ``stream``
runs the whole pipeline with the real models, as fast as it can, through every state, emotion, gesture and interruption.
Both print the memory held, threads and open files as they go, and fail if the memory grows in the second half.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import platform
import resource
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from agent.commands.face import open_generator
from avatar.motion.types import Controls
from avatar.portrait.folder import load_face
from avatar.render.renderer import PortraitRenderer
from avatar.stream import LIVE, AvatarStream
from avatar.types import FRAME_RATE, OUTPUT_RATE, AudioChunk, AvatarState, Cue, Emotion, Gesture
from scripts.bench_render import talking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from avatar.portrait.types import Portrait

_ALLOWED_MIB: Final = 8.0
"""How much more memory may be held at the end than half-way: the allocator's own unrest."""
_RUN: Final = 250
"""Frames that are drawn by one renderer before the next takes its turn, and that one behaviour of a stream lasts."""


class Watch:
    """Prints what the process holds, and remembers it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._held: list[float] = []
        print("  frames  minutes  memory MiB  threads  open files", flush=True)

    def look(self, n_frames: int) -> None:
        """Prints the memory, threads and files that are held after so many frames."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        self._held.append(pages * resource.getpagesize() / 2**20)
        n_files = len(list(Path("/proc/self/fd").iterdir()))
        minutes = (time.monotonic() - self._began) / 60
        print(
            f"{n_frames:>8} {minutes:>8.1f} {self._held[-1]:>11.1f} {threading.active_count():>8} {n_files:>11}",
            flush=True,
        )

    def growth(self) -> float:
        """Returns how much more is held now than in the middle, MiB."""
        return self._held[-1] - self._held[len(self._held) // 2]


def main() -> None:
    """Runs the soak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pictures", "stream"))
    parser.add_argument("--portrait", type=Path, help="photo or avatar (default: ours)")
    parser.add_argument("--sizes", nargs="+", type=int, default=[256, 384, 512])
    parser.add_argument("--frames", type=int, default=100_000, help="how many (default: 100 000, 67 minutes of video)")
    options = parser.parse_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {load}")
    portrait = load_face(options.portrait, note=print)
    run = _pictures if options.what == "pictures" else _stream
    grown = run(portrait, options.sizes, options.frames)
    print(f"{grown:+.1f} MiB in the second half; allowed are {_ALLOWED_MIB:.0f}")
    if grown > _ALLOWED_MIB:
        sys.exit(1)


def _pictures(portrait: Portrait, sizes: list[int], n_frames: int) -> float:
    """Draws motion that never repeats; a renderer is made afresh each time its size has its turn."""
    watch, drawn = Watch(), 0
    for turn, size in enumerate(itertools.cycle(sizes)):
        renderer = PortraitRenderer(portrait, size, threads=1 + turn // len(sizes) % 2)
        for frame in talking(_RUN, seed=turn):
            if drawn % (n_frames // 10) == 0:
                watch.look(drawn)
            if drawn == n_frames:
                return watch.growth()
            renderer.render(frame)
            drawn += 1
    return watch.growth()


def _stream(portrait: Portrait, sizes: list[int], n_frames: int) -> float:
    """Takes a stream through all that it can do, again and again."""
    stream = AvatarStream(open_generator(seed=0), PortraitRenderer(portrait, sizes[0]), LIVE)
    watch, doing = Watch(), _behaviour(stream)
    for shown in range(n_frames):
        if shown % (n_frames // 10) == 0:
            watch.look(shown)
        if shown % _RUN == 0:
            next(doing)
        stream.next_frame()
    watch.look(n_frames)
    return watch.growth()


def _behaviour(stream: AvatarStream) -> Iterator[None]:
    """Has a stream idle, listen, think and speak in turn; it yields when the next is begun."""
    random = np.random.default_rng(0)
    moods = itertools.cycle(Emotion)
    gestures = itertools.cycle(Gesture)
    for turn in itertools.count():
        stream.set_emotion(next(moods), float(random.uniform(0.3, 1)))
        stream.set_controls(Controls(float(random.uniform(0.5, 1.5)), gaze=(float(random.uniform(-1, 1)), 0.0)))
        for state in (AvatarState.IDLE, AvatarState.LISTENING, AvatarState.THINKING):
            stream.set_state(state)
            if state is AvatarState.LISTENING:
                stream.push_user_audio(AudioChunk(_voice(_RUN, random), OUTPUT_RATE))
            stream.perform(Cue(gesture=next(gestures)))
            yield
        stream.set_state(AvatarState.IDLE)
        stream.push_audio(AudioChunk(_voice(_RUN, random), OUTPUT_RATE), f"segment {turn}")
        stream.end_segment(f"segment {turn}")
        yield
        if turn % 2:
            stream.push_audio(AudioChunk(_voice(2 * _RUN, random), OUTPUT_RATE), f"broken off {turn}")
            yield
            stream.interrupt()


def _voice(n_frames: int, random: np.random.Generator) -> np.ndarray:
    """Returns something like speech, float32 (n_frames * 1920,): a buzz with syllables."""
    t = np.arange(n_frames * OUTPUT_RATE // FRAME_RATE) / OUTPUT_RATE
    pitch = 120 + 30 * np.sin(2 * np.pi * random.uniform(0.2, 0.6) * t)
    buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / OUTPUT_RATE)) + random.normal(0, 0.3, len(t))
    return (0.1 * buzz * np.clip(np.sin(2 * np.pi * random.uniform(2, 4) * t), 0, 1)).astype(np.float32)


if __name__ == "__main__":
    main()
