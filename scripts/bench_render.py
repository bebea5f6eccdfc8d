"""Times the portrait renderer by stage and size: ``python -m scripts.bench_render [PHOTO] [--sizes 256 512]``.

Prints milliseconds a frame of one thread's processor time by stage, and of the wall clock for 1 and 2 threads; then the
frames a second of two renderers side by side. ``--soak 100000`` draws as many frames instead and prints the memory
that the process holds as it goes.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.layout import N_BLENDSHAPES, N_MOTION
from avatar.portrait.setup import default_portrait_path, load_portrait
from avatar.render.renderer import PortraitRenderer

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_FRAMES = 250


def talking(n_frames: int, seed: int = 0) -> NDArray[np.float32]:
    """Returns busy motion (n_frames, 58): every unit and the pose wander smoothly."""
    noise = np.random.default_rng(seed).normal(size=(n_frames + 24, N_MOTION))
    window = np.hanning(25) / np.sqrt((np.hanning(25) ** 2).sum())
    smooth = np.apply_along_axis(lambda column: np.convolve(column, window, "valid"), 0, noise)
    motion = np.clip(0.15 + 0.2 * smooth, 0, 1)
    motion[:, N_BLENDSHAPES:] = 0.08 * smooth[:, N_BLENDSHAPES:]
    return motion.astype(np.float32)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, default=default_portrait_path())
    parser.add_argument("--sizes", nargs="+", type=int, default=[256, 384, 512, 768, 1024])
    parser.add_argument("--frames", type=int, default=N_FRAMES)
    parser.add_argument("--soak", type=int, metavar="FRAMES", help="draw so many frames and watch the memory")
    options = parser.parse_args()
    portrait = load_portrait(options.photo, note=print)
    motion = talking(options.frames)
    if options.soak:
        _soak(PortraitRenderer(portrait, options.sizes[0]), motion, options.soak)
        return
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {load}; {options.frames} frames")
    print(" size   set-up  1 thread: p50    p95  2 threads: p50    p95  side by side  processor ms by stage")
    for size in options.sizes:
        began = time.perf_counter()
        single = PortraitRenderer(portrait, size)
        set_up = time.perf_counter() - began
        one, stages = _measure(single, motion)
        two, _ = _measure(PortraitRenderer(portrait, size, threads=2), motion)
        both = _side_by_side([single, PortraitRenderer(portrait, size)], motion)
        parts = "  ".join(f"{name} {value:.2f}" for name, value in stages.items())
        walls = f"{one[0]:>14.2f} {one[1]:>6.2f} {two[0]:>15.2f} {two[1]:>6.2f}"
        print(f"{size:>5} {set_up:>7.2f}s {walls} {both:>10.0f}/s  {parts}")


def _measure(renderer: PortraitRenderer, motion: NDArray[np.float32]) -> tuple[NDArray[np.float64], dict[str, float]]:
    """Returns p50 and p95 in milliseconds, and each stage's median processor time."""
    walls: list[float] = []
    stages: dict[str, list[float]] = {}
    for frame in motion:
        began = time.perf_counter()
        renderer.render(frame)
        walls.append(time.perf_counter() - began)
        for name, seconds in renderer.timed(frame).items():
            stages.setdefault(name, []).append(1000 * seconds)
    return np.percentile(1000 * np.array(walls), [50, 95]), {name: float(np.median(v)) for name, v in stages.items()}


def _side_by_side(renderers: list[PortraitRenderer], motion: NDArray[np.float32]) -> float:
    """Returns frames a second of renderers that draw at the same time, each in a thread."""

    def draw(renderer: PortraitRenderer) -> None:
        for frame in motion:
            renderer.render(frame)

    began = time.perf_counter()
    with ThreadPoolExecutor(len(renderers)) as pool:
        list(pool.map(draw, renderers))
    return len(renderers) * len(motion) / (time.perf_counter() - began)


def _soak(renderer: PortraitRenderer, motion: NDArray[np.float32], n_frames: int) -> None:
    """Draws many frames and prints the memory that the process holds at twenty moments."""
    for k in range(n_frames + 1):
        if k % max(1, n_frames // 20) == 0:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            print(f"{k:>8} frames  {pages * resource.getpagesize() / 2**20:7.1f} MiB", flush=True)
        renderer.render(motion[k % len(motion)])


if __name__ == "__main__":
    main()
