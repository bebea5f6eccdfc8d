from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

import pytest

from avatar.assets import PackageFile, joined, locate
from avatar.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that would fail if anything imported it."""
    folder = tmp_path / "site" / "weights_of_a_test"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('data only')")
    monkeypatch.setattr(sys, "path", [str(folder.parent), *sys.path])
    return folder


def _file(package: Path, name: str, content: bytes) -> PackageFile:
    (package / name).write_bytes(content)
    return PackageFile(package.name, name, hashlib.sha256(content).hexdigest())


def test_a_package_file_is_found_without_importing_its_package(package: Path, cache: Path) -> None:
    file = _file(package, "a.bin", b"abc")
    assert locate(file) == package / "a.bin"


def test_a_changed_file_is_refused_even_after_it_passed_once(package: Path, cache: Path) -> None:
    file = _file(package, "a.bin", b"abc")
    locate(file)
    (package / "a.bin").write_bytes(b"abcd")
    with pytest.raises(ModelError, match=r"checking a.bin: expected SHA-256 ba7816bf8f01…, got 88d4266fd4e6…"):
        locate(file)


def test_a_missing_package_and_a_missing_file_say_which(package: Path, cache: Path) -> None:
    with pytest.raises(ModelError, match="expected it in the package no_such_package_here, got no such package"):
        locate(PackageFile("no_such_package_here", "a.bin", ""))
    with pytest.raises(ModelError, match=f"expected it in the package {package.name}, got no such file"):
        locate(PackageFile(package.name, "b.bin", ""))


def test_parts_are_joined_once_into_the_cache(package: Path, cache: Path) -> None:
    parts = [_file(package, "p1", b"ab"), _file(package, "p2", b"cd")]
    digest = hashlib.sha256(b"abcd").hexdigest()
    target = joined("whole/model.bin", parts, digest)
    assert target.read_bytes() == b"abcd"
    (package / "p1").unlink()
    assert joined("whole/model.bin", parts, digest) == target


def test_a_joined_file_with_another_digest_leaves_nothing_behind(package: Path, cache: Path) -> None:
    parts = [_file(package, "p1", b"ab")]
    with pytest.raises(ModelError, match="checking model.bin"):
        joined("whole/model.bin", parts, "0" * 64)
    assert list((cache / "whole").iterdir()) == []
