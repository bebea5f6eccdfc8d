"""Writes files whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes compressed arrays under a scratch name in the same folder, then renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    try:
        np.savez_compressed(scratch, allow_pickle=False, **arrays)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text under a scratch name in the same folder, then renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_text(text, "utf-8")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
