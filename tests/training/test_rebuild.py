# ruff: noqa: PLC0415 - torch is imported by the tests that need it, so that the others run without
from __future__ import annotations

import pytest

pytestmark = pytest.mark.train


@pytest.fixture
def steps(monkeypatch):
    """Replaces every step by one that notes how it was called; the codes say how each ends."""
    from avatar.training import evaluate, export, train
    from avatar.training.corpus import build

    calls, codes = [], {}

    def recorder(module):
        def main(arguments):
            calls.append((module.__name__.rpartition(".")[2], arguments))
            return codes.get(module, 0)

        return main

    for module in (build, train, export, evaluate):
        monkeypatch.setattr(module, "main", recorder(module))
    return calls, codes


def test_one_command_runs_every_step_on_the_files_of_the_one_before(steps, tmp_path):
    from avatar.training import rebuild

    calls, _ = steps
    assert rebuild.main(["--work", str(tmp_path), "--out", str(tmp_path / "data"), "--seed", "3"]) == 0
    assert [name for name, _ in calls] == ["build", "train", "export", "evaluate"]
    arguments = [dict(zip(given[::2], given[1::2], strict=True)) for _, given in calls]
    assert arguments[0]["--out"] == arguments[1]["--corpus"] == arguments[3]["--corpus"]
    assert arguments[2]["--checkpoint"].startswith(arguments[1]["--out"])
    assert arguments[2]["--out"] == arguments[3]["--model"] == str(tmp_path / "data")
    assert {given["--seed"] for given in arguments if "--seed" in given} == {"3"}


def test_a_step_that_fails_ends_the_rebuild(steps, tmp_path):
    from avatar.training import rebuild, train

    calls, codes = steps
    codes[train] = 2
    assert rebuild.main(["--work", str(tmp_path)]) == 2
    assert [name for name, _ in calls] == ["build", "train"]
