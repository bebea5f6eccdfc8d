"""Finds model files that installed packages carry, and checks them by hash.

Data-only packages are vouched for by nobody but their authors, so every file's SHA-256 is written down here or beside
the caller. A file that passed is remembered by size and modification time, so a start does not hash 100 MB again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from avatar.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A data file inside an installed package.

    Attributes:
        package: Import name of the package; it is located, never imported.
        path: Path of the file below the package's folder.
        sha256: Expected digest, in hexadecimal.
    """

    package: str
    path: str
    sha256: str


def cache_dir() -> Path:
    """Returns the folder for derived model files, ``$VISAVIS_CACHE`` or the platform's own; creates it."""
    folder = Path(os.environ.get("VISAVIS_CACHE") or platformdirs.user_cache_dir("visavis"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def locate(file: PackageFile) -> Path:
    """Returns where a package's data file lies, after checking it.

    Raises:
        ModelError: The package or the file is missing, or the file is not the one expected.
    """
    spec = find_spec(file.package)
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        path = Path(place) / file.path
        if path.is_file():
            _check(path, file.sha256)
            return path
    raise ModelError(
        f"loading {file.path}",
        expected=f"it in the package {file.package}",
        got="no such file" if places else "no such package",
        hint="run `uv sync` in the project's folder",
    )


def joined(name: str, parts: Sequence[PackageFile], sha256: str) -> Path:
    """Returns one file in the cache made of the parts in order; builds it once, whole or not at all.

    Raises:
        ModelError: A part is missing or damaged, or the whole has another digest.
    """
    target = cache_dir() / name
    if target.is_file() and _known(target, sha256):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    try:
        digest = hashlib.sha256()
        with os.fdopen(handle, "wb") as out:
            for part in parts:
                with locate(part).open("rb") as source:
                    while block := source.read(_BLOCK):
                        digest.update(block)
                        out.write(block)
        _compare(target, digest.hexdigest(), sha256)
        Path(scratch).replace(target)
    finally:
        Path(scratch).unlink(missing_ok=True)
    _remember(target, sha256)
    return target


def _check(path: Path, sha256: str) -> None:
    if _known(path, sha256):
        return
    with path.open("rb") as file:
        _compare(path, hashlib.file_digest(file, "sha256").hexdigest(), sha256)
    _remember(path, sha256)


def _compare(path: Path, got: str, expected: str) -> None:
    if got != expected:
        raise ModelError(
            f"checking {path.name}",
            expected=f"SHA-256 {expected[:12]}…",
            got=f"{got[:12]}…",
            hint="the file is damaged or another version; reinstall its package with `uv sync --reinstall`",
        )


def _stamp_file(path: Path, sha256: str) -> Path:
    key = hashlib.sha256(f"{path}\0{sha256}".encode()).hexdigest()[:24]
    return cache_dir() / "checked" / f"{key}.json"


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _known(path: Path, sha256: str) -> bool:
    try:
        return json.loads(_stamp_file(path, sha256).read_text()) == _stamp(path)
    except (OSError, ValueError):
        return False


def _remember(path: Path, sha256: str) -> None:
    stamp = _stamp_file(path, sha256)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=stamp.parent)
    with os.fdopen(handle, "w") as file:
        json.dump(_stamp(path), file)
    Path(scratch).replace(stamp)
