from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import run_agent
from agent.commands import web
from tests.fakes import spoken, write_wav

if TYPE_CHECKING:
    import argparse

ROOT = Path(run_agent.__file__).parent


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fails(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Runs a command that must fail before any work; returns its one line."""
    assert run_agent.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    error, *hints = said.err.splitlines()
    assert error.startswith("error: ")
    assert all(hint.startswith("hint: ") for hint in hints)
    assert len(hints) <= 1
    return error.removeprefix("error: ")


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "speech.wav", spoken(1.0))


def test_help_is_light() -> None:
    modules = ["numpy", "av", "livekit", "onnxruntime", "yaml", "pydantic", "rich"]
    program = f"""
import sys, run_agent
try:
    run_agent.main(["--help"])
finally:
    heavy = [name for name in {modules} if name in sys.modules]
    assert not heavy, heavy
"""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "converse" in done.stdout


def test_without_a_command_the_conversation_opens_in_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[argparse.Namespace] = []
    monkeypatch.setattr(web, "run", lambda args: started.append(args) or 0)
    assert run_agent.main([]) == 0
    assert run_agent.main(["--no-open", "--port", "0"]) == 0
    assert [(args.host, args.port, args.open) for args in started] == [
        ("127.0.0.1", 8765, True),
        ("127.0.0.1", 0, False),
    ]


@pytest.mark.parametrize("command", ["web", "converse", "animate", "render", "speak"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run_agent.main([command, "--help"])
    assert caught.value.code == 0
    assert "--portrait" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["animate", "a.wav"], ["dance"], ["speak", "hi", "-o", "a.mp4", "--seed", "x"], ["render"]]
)
def test_a_wrong_command_line_is_told_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run_agent.main(arguments)
    assert caught.value.code == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: ")
    assert hint.endswith("--help")


def test_a_missing_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = fails(["animate", str(tmp_path / "no.wav"), "-o", str(tmp_path / "a.mp4")], capsys)
    assert said == "reading no.wav: expected an audio or video file, got no such file"
    assert entries(tmp_path) == []


def test_an_empty_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.wav").touch()
    said = fails(["animate", str(tmp_path / "a.wav"), "-o", str(tmp_path / "a.mp4")], capsys)
    assert said.endswith("got an empty file")


def test_an_unreadable_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.wav").write_text("no sound" * 1000)
    said = fails(["animate", str(tmp_path / "a.wav"), "-o", str(tmp_path / "a.mp4")], capsys)
    assert said.startswith("reading a.wav: expected an audio or video file, got invalid data")
    assert entries(tmp_path) == ["a.wav"]


def test_a_recording_without_speech(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(tmp_path / "a.wav", np.zeros(48_000, np.float32))
    said = fails(["animate", str(tmp_path / "a.wav"), "-o", str(tmp_path / "a.mp4")], capsys)
    assert said == "reading a.wav: expected speech in it, got no speech"
    assert entries(tmp_path) == ["a.wav"]


@pytest.mark.parametrize("command", ["animate", "render", "speak"])
def test_an_output_folder_that_does_not_exist(
    command: str, speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails([command, str(speech), "-o", str(tmp_path / "no" / "a.mp4")], capsys)
    assert said.endswith(f"expected the folder {tmp_path / 'no'}, got no such folder")
    assert entries(tmp_path) == ["speech.wav"]


def test_an_output_of_an_unknown_kind(speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = fails(["animate", str(speech), "-o", str(tmp_path / "a.avi")], capsys)
    assert said.endswith("expected a name that ends in .mp4 or .csv or .glb or .gltf, got .avi")


def test_an_output_that_would_replace_the_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_wav(tmp_path / "speech.mp4", spoken(1.0))
    said = fails(["animate", str(path), "-o", str(path)], capsys)
    assert said.endswith("expected another name than the input's, got the same file")


def test_motion_that_is_no_csv(speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = fails(["render", str(speech), "-o", str(tmp_path / "a.mp4")], capsys)
    assert said.startswith("reading speech.wav: expected ")
    assert entries(tmp_path) == ["speech.wav"]


_FACELESS = """
import signal, sys, time, agent.commands.animate as animate, run_agent
from tests.fakes import FlashRenderer, LoudnessGenerator

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs, and their children, ignore it

class Stuck(FlashRenderer):
    def render(self, coefficients):
        if self.n_drawn == 100:
            print("busy", flush=True)
            while True:  # not signal.pause(), which would sleep through a signal that is already here
                time.sleep(0.01)
        return super().render(coefficients)

animate.open_renderer = lambda portrait: Stuck()
animate.open_generator = lambda seed: LoudnessGenerator()
sys.exit(run_agent.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing_behind(tmp_path: Path, kind: signal.Signals) -> None:
    write_wav(tmp_path / "speech.wav", spoken(10.0))
    command = [sys.executable, "-c", _FACELESS, "animate", str(tmp_path / "speech.wav"), "-o", str(tmp_path / "a.mp4")]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "busy\n"
        assert len(entries(tmp_path)) == 2, "the scratch file is there while it works"
        process.send_signal(kind)
        said = process.stderr.read()
        assert process.wait(timeout=30) == 2
    assert said.splitlines()[-1] == "error: interrupted"
    assert "Traceback" not in said
    assert entries(tmp_path) == ["speech.wav"]
