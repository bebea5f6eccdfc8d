"""Where compiled kernels are kept, and how they are compiled in the background at the first start.

Numba compiles a kernel at its first call and keeps the result, but looks only at the file that the kernel stands in: it
misses a change to a kernel of another file that was inlined into it. So the folder is named after the sources of them
all, and what any change made stale is never found again.

Compiling takes some twenty seconds of processor time, and one process compiles one kernel at a time. So at the first
start a few processes do it (`begin`) while the command loads its models, and the renderer waits for them (`wait`).
"""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from avatar.assets import cache_dir

PART: Final[dict[str, Any]] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}
"""Numba's options for functions that only kernels call: no way to call them from Python is compiled."""

_SOURCES: Final = ("portrait", "render")
_KEPT: Final = 3
"""Folders of earlier sources that stay, for whoever goes back and forth."""
_MOST_PROCESSES: Final = 4
_PATIENCE: Final = 180.0
"""Seconds after which the renderer compiles by itself what it still lacks."""

_compiling: list[subprocess.Popen[bytes]] = []


def keep_kernels() -> None:
    """Has Numba keep what it compiles in Visavis' cache; called before Numba is imported.

    A folder that the user named in ``NUMBA_CACHE_DIR`` is left as it is.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    target = cache_dir() / "kernels" / _digest()
    if not target.exists():
        target.mkdir(parents=True, exist_ok=True)
        earlier = sorted(target.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in earlier[_KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = str(target)


def begin() -> None:
    """Starts compiling the renderer's kernels in processes of their own, unless they are there already."""
    keep_kernels()
    n_parts = min(os.cpu_count() or 1, _MOST_PROCESSES)
    missing = [part for part in range(n_parts) if not _mark(part, n_parts).exists()]
    if not missing or _compiling:
        return
    here = str(Path(__file__).parent.parent)
    paths = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    for part in missing:
        command = [sys.executable, "-m", "avatar.render.compiled", str(part), str(n_parts)]
        _compiling.append(
            subprocess.Popen(  # noqa: S603 - our own module
                command,
                env=os.environ | {"PYTHONPATH": paths},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
    atexit.register(_stop)


def compiling() -> bool:
    """Returns whether any of the processes that `begin` started still works."""
    return any(process.poll() is None for process in _compiling)


def wait() -> None:
    """Waits for what `begin` started. If that failed, kernels are compiled when they are called, one after another."""
    for process in _compiling:
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()


def mark_compiled(part: int, n_parts: int) -> None:
    """Notes that a part of the kernels is compiled, for the next start."""
    mark = _mark(part, n_parts)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _mark(part: int, n_parts: int) -> Path:
    return Path(os.environ["NUMBA_CACHE_DIR"]) / f"compiled-{_digest()}-{part}-of-{n_parts}"


def _digest() -> str:
    """Returns a name for all that compiled kernels depend on."""
    digest = hashlib.sha256(f"{sys.version} {platform.machine()}".encode())
    here = Path(__file__)
    for path in (here, *(path for folder in _SOURCES for path in sorted((here.parent / folder).glob("*.py")))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _stop() -> None:
    for process in _compiling:
        process.kill()
        process.wait()
