from __future__ import annotations

import io
from typing import TYPE_CHECKING

from agent.commands.progress import counted, stage

if TYPE_CHECKING:
    import pytest


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_line_tells_each_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(counted("animating", range(600), 600)) == list(range(600))
    assert capsys.readouterr().err.splitlines() == ["animating of about 24 s ...", "  10 s done", "  20 s done"]


def test_on_a_terminal_frames_pass_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert list(counted("animating", range(600), None)) == list(range(600))
    with stage("loading"):
        pass
    assert "animating" in terminal.getvalue()
