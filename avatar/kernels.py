"""Where compiled kernels are kept.

Numba compiles a kernel at its first call and keeps the result, but looks only at the file that the kernel stands in: it
misses a change to a kernel of another file that was inlined into it. So the folder is named after the sources of them
all, and what any change made stale is never found again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from avatar.assets import cache_dir

_SOURCES: Final = ("portrait", "render")
_KEPT: Final = 3
"""Folders of earlier sources that stay, for whoever goes back and forth."""


def keep_kernels() -> None:
    """Has Numba keep what it compiles in Visavis' cache; called before Numba is imported.

    A folder that the user named in ``NUMBA_CACHE_DIR`` is left as it is.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    digest = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((Path(__file__).parent / folder).glob("*.py")):
            digest.update(path.read_bytes())
    target = cache_dir() / "kernels" / digest.hexdigest()[:16]
    if not target.exists():
        target.mkdir(parents=True, exist_ok=True)
        earlier = sorted(target.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in earlier[_KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = str(target)
