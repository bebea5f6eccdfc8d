"""A person's motion is read off a video and written as curves that `render` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from skimage import data

import run_agent
from avatar.errors import InputError
from avatar.motion.layout import INDEX, motion_from, neutral
from avatar.motion.livelink import HEADER, read_livelink
from avatar.portrait import track as tracking
from avatar.portrait.track import TrackedMotion
from avatar.types import MotionChunk
from tests.fakes import write_wav
from tests.portrait.test_video import written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.commands.conftest import Faces

N_FRAMES = 48
HIDDEN = slice(30, 34)


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for the landmark models: 500 frames, of which 20 show no face."""

    def track_video(path: Path, *, progress: Callable[[int], None]) -> TrackedMotion:
        for count in range(1, 501):
            progress(count)
        motion, face = neutral(500), np.ones(500, bool)
        motion[:, INDEX["jawOpen"]] = 0.5
        face[100:120] = False
        motion[~face] = 0
        return TrackedMotion(MotionChunk(motion, 0), face, np.full(500, 0.01, np.float32))

    monkeypatch.setattr(tracking, "track_video", track_video)


@pytest.mark.usefixtures("followed")
def test_motion_is_written_with_its_gaps_marked_and_drawn_through_them(
    tmp_path: Path, faces: Faces, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "motion.csv"
    assert run_agent.main(["track", str(tmp_path / "me.mp4"), "-o", str(out)]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "tracking me.mp4 ...",
        "  10 s done",
        "  20 s done",
        "20 of 500 frames show no face; they are marked",
    ]
    assert said.out.startswith(f"{out}: 20.0 s, 500 frames in ")
    assert "fit 1.00 % of the face's width" in said.out
    lines = out.read_text().splitlines()
    assert lines[0].split(",") == [*HEADER, "FacePresent"]
    assert sum(line.endswith(",0") for line in lines[1:]) == 20
    assert run_agent.main(["render", str(out), "-o", str(tmp_path / "out.mp4")]) == 0
    np.testing.assert_allclose(read_livelink(out)[:, INDEX["jawOpen"]], 0.5, atol=1e-5)


def refused(capsys: pytest.CaptureFixture[str], *line: str) -> str:
    assert run_agent.main(["track", *line]) == 2
    said = [text for text in capsys.readouterr().err.splitlines() if not text.endswith("...")]
    assert len(said) == 1
    return said[0]


def test_what_can_not_be_tracked_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "motion.csv")
    write_wav(tmp_path / "speech.wav", np.zeros(16_000, np.float32))
    (tmp_path / "letter.mp4").write_text("Dear Sir")
    assert "speech.wav: expected a video, got a file without pictures" in refused(
        capsys, str(tmp_path / "speech.wav"), "-o", out
    )
    assert "reading letter.mp4: expected a video, got" in refused(capsys, str(tmp_path / "letter.mp4"), "-o", out)
    assert "reading none.mp4: expected a video, got no such file" in refused(capsys, "none.mp4", "-o", out)
    assert "ends in .csv, got .txt" in refused(capsys, "none.mp4", "-o", str(tmp_path / "motion.txt"))
    assert not (tmp_path / "motion.csv").exists()


@pytest.mark.model
def test_a_video_without_a_face_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = written(tmp_path / "grey.avi", [90] * 5, 25)
    said = refused(capsys, str(video), "-o", str(tmp_path / "motion.csv"))
    assert said == "error: tracking grey.avi: expected a video that shows a face, got no frame with one"
    assert [path.name for path in tmp_path.iterdir()] == ["grey.avi"]


@pytest.fixture(scope="module")
def driven() -> np.ndarray:
    """Motion with speech-like jaw, two blinks and a head that turns, (48, 58)."""
    time = np.arange(N_FRAMES)
    motion = np.stack([motion_from({})] * N_FRAMES)
    motion[:, INDEX["jawOpen"]] = 0.25 - 0.25 * np.cos(2 * np.pi * time / 12)
    motion[:, INDEX["yaw"]] = 0.2 * np.sin(2 * np.pi * time / N_FRAMES)
    blink = np.exp(-(((time - 8) / 1.6) ** 2)) + np.exp(-(((time - 40) / 1.6) ** 2))
    motion[:, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = blink[:, None]
    return motion


@pytest.mark.model
def test_motion_that_was_drawn_is_read_back(tmp_path: Path, driven: np.ndarray) -> None:
    from avatar.portrait.setup import load_portrait  # noqa: PLC0415 - the other tests need no models
    from avatar.render.renderer import PortraitRenderer  # noqa: PLC0415

    photo, video, out = tmp_path / "astronaut.png", tmp_path / "talking.avi", tmp_path / "motion.csv"
    cv2.imwrite(str(photo), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    renderer = PortraitRenderer(load_portrait(photo, note=print, store=tmp_path / "portrait.npz"), 320)
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 320))
    for number, coefficients in enumerate(driven):
        picture = renderer.render(coefficients)
        hidden = HIDDEN.start <= number < HIDDEN.stop
        writer.write(np.full_like(picture, 90) if hidden else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()

    assert run_agent.main(["track", str(video), "-o", str(out)]) == 0
    marks = [line.rpartition(",")[2] for line in out.read_text().splitlines()[1:]]
    assert marks == ["0" if HIDDEN.start <= number < HIDDEN.stop else "1" for number in range(N_FRAMES)]
    tracked = read_livelink(out)
    seen = np.array(marks) == "1"

    def likeness(name: str) -> float:
        return float(np.corrcoef(tracked[seen, INDEX[name]], driven[seen, INDEX[name]])[0, 1])

    assert likeness("jawOpen") > 0.85
    assert likeness("eyeBlinkLeft") > 0.7
    assert likeness("eyeBlinkRight") > 0.7
    assert likeness("yaw") > 0.95


def test_a_tracker_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, *, progress: Callable[[int], None]) -> TrackedMotion:
        raise InputError("tracking", expected="a face", got="none")

    monkeypatch.setattr(tracking, "track_video", fail)
    assert run_agent.main(["track", "me.mp4", "-o", str(tmp_path / "motion.csv")]) == 2
    assert list(tmp_path.iterdir()) == []
