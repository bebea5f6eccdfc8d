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
    (tmp_path / "kernels.py").write_text("x = 1")
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


@pytest.mark.parametrize("source", ["render/one.py", "portrait/one.py", "kernels.py"])
def test_a_change_in_any_source_leaves_all_stale_kernels_behind(
    sources: Path, monkeypatch: pytest.MonkeyPatch, source: str
):
    first = kept(monkeypatch)
    (sources / source).write_text("x = 2")
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


class FakeProcess:
    """Stands in for a process that compiles; remembers what was asked of it."""

    started: list[FakeProcess]

    def __init__(self, command: list[str], env: dict[str, str], **_: object) -> None:
        self.command, self.env, self.patience, self.hangs, self.killed = command, env, 0.0, False, False
        FakeProcess.started.append(self)

    def poll(self) -> int | None:
        return 0 if self.patience and not self.hangs else None

    def wait(self, timeout: float = 0.0) -> None:
        self.patience = timeout
        if self.hangs and not self.killed:
            raise subprocess.TimeoutExpired(self.command, timeout)

    def kill(self) -> None:
        self.killed = True


@pytest.fixture
def processes(sources: Path, monkeypatch: pytest.MonkeyPatch) -> list[FakeProcess]:
    """The processes that are started, on a machine with two cores and nothing compiled yet."""
    kept(monkeypatch)
    FakeProcess.started = []
    monkeypatch.setattr(kernels.subprocess, "Popen", FakeProcess)
    monkeypatch.setattr(kernels.atexit, "register", lambda _: None)
    monkeypatch.setattr(kernels.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(kernels, "_compiling", [])
    return FakeProcess.started


def test_the_first_start_compiles_in_processes(processes: list[FakeProcess]):
    assert not kernels.compiling()
    kernels.begin()
    assert [process.command[1:] for process in processes] == [
        ["-m", "avatar.render.compiled", "0", "2"],
        ["-m", "avatar.render.compiled", "1", "2"],
    ]
    kernels.begin()
    assert len(processes) == 2
    assert kernels.compiling()
    kernels.wait()
    assert not kernels.compiling()
    assert all(process.patience > 60 for process in processes)
    assert not any(process.killed for process in processes)


def test_only_what_is_missing_is_compiled_and_then_nothing(processes: list[FakeProcess]):
    kernels.mark_compiled(0, 2)
    kernels.begin()
    assert [process.command[-2:] for process in processes] == [["1", "2"]]
    kernels.mark_compiled(1, 2)
    kernels._compiling.clear()
    kernels.begin()
    assert len(processes) == 1


def test_a_change_of_the_sources_compiles_again(
    processes: list[FakeProcess], sources: Path, monkeypatch: pytest.MonkeyPatch
):
    kernels.mark_compiled(0, 2)
    kernels.mark_compiled(1, 2)
    (sources / "render" / "one.py").write_text("x = 2")
    kernels.begin()
    assert len(processes) == 2


def test_a_process_that_hangs_is_given_up(processes: list[FakeProcess]):
    kernels.begin()
    processes[0].hangs = True
    kernels.wait()
    assert [process.killed for process in processes] == [True, False]
