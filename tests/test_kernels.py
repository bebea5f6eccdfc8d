from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from avatar import kernels
from avatar.kernels import keep_kernels


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of sources, with a cache of its own."""
    for folder in ("portrait", "render"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.py").write_text("x = 1")
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "kernels.py"))
    monkeypatch.setenv("VISAVIS_CACHE", str(tmp_path / "cache"))
    return tmp_path


def kept(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    keep_kernels()
    return os.environ["NUMBA_CACHE_DIR"]


def test_the_same_sources_find_their_kernels_again(sources: Path, monkeypatch: pytest.MonkeyPatch):
    first = kept(monkeypatch)
    assert Path(first).is_dir()
    assert kept(monkeypatch) == first


def test_a_change_in_any_source_leaves_all_stale_kernels_behind(sources: Path, monkeypatch: pytest.MonkeyPatch):
    first = kept(monkeypatch)
    (sources / "render" / "one.py").write_text("x = 2")
    assert kept(monkeypatch) != first


def test_few_earlier_folders_stay(sources: Path, monkeypatch: pytest.MonkeyPatch):
    for number in range(8):
        (sources / "render" / "one.py").write_text(f"x = {number}")
        last = kept(monkeypatch)
    left = list(Path(last).parent.iterdir())
    assert len(left) <= 4
    assert Path(last) in left


def test_a_folder_that_the_user_named_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    keep_kernels()
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path)


def test_numba_keeps_the_renderers_kernels_there(tmp_path: Path):
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    said = subprocess.run(
        [sys.executable, "-c", "import avatar.render.texture, numba; print(numba.config.CACHE_DIR)"],
        env={**environment, "VISAVIS_CACHE": str(tmp_path)},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(said.stdout.strip()).parent == tmp_path / "kernels"
