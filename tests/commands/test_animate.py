from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

import run_agent
from avatar.audio import read_audio
from avatar.motion.layout import INDEX
from avatar.motion.livelink import read_livelink
from tests.fakes import spoken, write_wav

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Faces


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "speech.wav", spoken(2.0))


def n_pictures(path: Path) -> int:
    with av.open(path) as container:
        return sum(1 for _ in container.decode(video=0))


def test_a_recording_becomes_a_video_with_its_sound(
    speech: Path, tmp_path: Path, faces: Faces, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    assert run_agent.main(["animate", str(speech), "-o", str(out), "--seed", "7"]) == 0
    assert n_pictures(out) == 60
    sound = read_audio(out, 16_000)
    original = spoken(2.0)
    assert np.corrcoef(sound[: len(original)], original)[0, 1] > 0.99
    assert faces.seeds == [7]
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}: 2.4 s, 60 frames in ")
    assert "x real time" in said.out
    assert "animating of about 2 s ..." in said.err


def test_a_recording_becomes_motion_that_follows_it(speech: Path, tmp_path: Path, faces: Faces) -> None:
    out = tmp_path / "out.csv"
    assert run_agent.main(["animate", str(speech), "-o", str(out)]) == 0
    motion = read_livelink(out)
    assert motion.shape == (60, 58)
    loudness = np.abs(spoken(2.0).reshape(50, 640)).max(axis=1)
    np.testing.assert_allclose(motion[:50, INDEX["jawOpen"]], loudness, atol=1e-3)
    assert faces.seeds == [0]
    assert faces.portraits == []


@pytest.mark.usefixtures("faces")
def test_video_and_motion_of_a_recording_are_the_same(speech: Path, tmp_path: Path) -> None:
    run_agent.main(["animate", str(speech), "-o", str(tmp_path / "a.csv")])
    run_agent.main(["animate", str(speech), "-o", str(tmp_path / "a.mp4")])
    jaw = read_livelink(tmp_path / "a.csv")[:, INDEX["jawOpen"]]
    with av.open(tmp_path / "a.mp4") as container:
        light = [frame.to_ndarray(format="rgb24").mean() / 255 for frame in container.decode(video=0)]
    np.testing.assert_allclose(light, jaw, atol=0.03)


def test_a_portrait_is_used(speech: Path, tmp_path: Path, faces: Faces) -> None:
    run_agent.main(["animate", str(speech), "-o", str(tmp_path / "a.mp4"), "--portrait", str(tmp_path / "me.jpg")])
    assert faces.portraits == [tmp_path / "me.jpg"]


@pytest.mark.parametrize("ending", ["glb", "gltf"])
def test_a_recording_becomes_a_moving_head(speech: Path, tmp_path: Path, faces: Faces, ending: str) -> None:
    out = tmp_path / f"head.{ending}"
    assert run_agent.main(["animate", str(speech), "-o", str(out), "--portrait", "me.jpg"]) == 0
    raw = out.read_bytes()
    document = json.loads(raw if ending == "gltf" else raw[20 : 20 + int.from_bytes(raw[12:16], "little")])
    times = document["accessors"][document["animations"][0]["samplers"][0]["input"]]
    assert times["count"] == 60
    assert times["max"] == [pytest.approx(59 / 25)]
    assert [path.name for path in faces.portraits if path] == ["me.jpg"]


def test_another_ending_is_refused(speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_agent.main(["animate", str(speech), "-o", str(tmp_path / "head.fbx")]) == 2
    assert ".mp4 or .csv or .glb or .gltf" in capsys.readouterr().err
