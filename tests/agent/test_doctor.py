"""What the machine has and lacks."""

from __future__ import annotations

import socket
from pathlib import Path
from types import ModuleType

import pytest

import run_agent
from agent import doctor
from agent.config import load_config
from agent.doctor import Check, Verdict, declared_files, examine
from avatar.assets import PackageFile

ROOT = Path(run_agent.__file__).parent


@pytest.fixture(scope="module")
def checks() -> dict[str, Check]:
    """What the machine that runs the tests has, with a port that is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = {check.name: check for check in examine(load_config(), taken.getsockname()[1])}
        found["port"] = found[f"port {taken.getsockname()[1]}"]
    return found


def test_every_committed_model_file_is_there_by_its_hash(checks: dict[str, Check]):
    listed = {line.split()[1] for line in (ROOT / "avatar" / "checksums.txt").read_text().splitlines()}
    there = {
        str(path.relative_to(ROOT / "avatar"))
        for path in (ROOT / "avatar").glob("*/data/*")
        if path.suffix not in (".md", ".py") and path.is_file()
    }
    assert listed == there
    for name in listed:
        parts = Path(name)
        assert checks[f"{parts.parent.parent.name}/{parts.name}"].verdict is Verdict.GOOD


def test_the_models_of_packages_are_there_by_their_hashes(checks: dict[str, Check]):
    models = [name for name in checks if name.endswith((".gguf", ".onnx", "model.bin.part1"))]
    assert "hibari/hibari.onnx" in models  # the default voice
    assert len(models) >= 6
    assert {checks[name].verdict for name in models} == {Verdict.GOOD}


def test_a_port_that_is_taken_is_bad_and_says_what_helps(checks: dict[str, Check]):
    assert checks["port"].verdict is Verdict.BAD
    assert "--port 0" in checks["port"].fix


def test_what_is_not_good_says_what_helps(checks: dict[str, Check]):
    assert all(check.fix for check in checks.values() if check.verdict is not Verdict.GOOD)


def test_a_damaged_file_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "motion" / "data").mkdir(parents=True)
    (tmp_path / "motion" / "data" / "denoiser.onnx").write_bytes(b"half a mod")
    sums = tmp_path / "checksums.txt"
    sums.write_text(f"{'0' * 64}  motion/data/denoiser.onnx\n{'1' * 64}  motion/data/conditioner.onnx\n")
    monkeypatch.setattr(doctor, "_OWN_FILES", sums)
    monkeypatch.setattr(doctor, "MODEL_MODULES", ())
    found = {check.name: check for check in doctor._model_files()}
    assert found["motion/denoiser.onnx"].verdict is Verdict.BAD
    assert "sha256" in found["motion/denoiser.onnx"].found
    assert found["motion/conditioner.onnx"].found == "no such file"


def test_a_missing_key_and_a_deaf_service_are_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        path = tmp_path / "config.yaml"
        path.write_text(
            "llm:\n  class: livekit.plugins.openai.LLM\n  key_env: NO_SUCH_KEY\n"
            f"  args: {{model: x, base_url: '{url}'}}\n"
        )
        monkeypatch.setenv("LIVEKIT_URL", "ws://127.0.0.1:1")
        monkeypatch.delenv("LIVEKIT_API_KEY", raising=False)
        found = {check.name: check for check in doctor._services(load_config(path))}
    assert found["key of llm"].verdict is Verdict.BAD
    assert "NO_SUCH_KEY" in found["key of llm"].found
    assert found["service of llm"].verdict is Verdict.BAD
    assert found["LiveKit"].verdict is Verdict.BAD
    assert "LIVEKIT_API_KEY" in found["LiveKit keys"].found


def test_files_are_found_alone_in_tuples_and_in_tables():
    one, two, three = (PackageFile("package", name, "0" * 64) for name in "abc")
    module = ModuleType("voices")
    vars(module).update(_ONE=one, _SOME=(two, one), TABLE={"joe": (three, "text")}, lower=one)
    assert declared_files(module) == [one, two, three]


def test_the_command_prints_a_line_for_each_check(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LIVEKIT_URL", raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert run_agent.main(["doctor", "--port", str(port)]) == 0
    out = capsys.readouterr().out
    assert "  ok  motion/denoiser.onnx" in out
    assert "0 bad" in out.splitlines()[-1]
