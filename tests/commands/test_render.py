from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

import run_agent
from avatar.audio import read_audio
from avatar.motion.layout import INDEX, neutral
from avatar.motion.livelink import write_livelink
from tests.fakes import voice, write_wav

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Faces

pytestmark = pytest.mark.usefixtures("faces")


@pytest.fixture
def motion(tmp_path: Path) -> Path:
    values = neutral(50)
    values[20, INDEX["jawOpen"]] = 1.0
    write_livelink(tmp_path / "motion.csv", values)
    return tmp_path / "motion.csv"


def brightest(path: Path) -> tuple[int, int]:
    """Returns the number of pictures and the index of the brightest."""
    with av.open(path) as container:
        light = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
    return len(light), int(np.argmax(light))


def test_given_motion_is_drawn_frame_by_frame(motion: Path, tmp_path: Path) -> None:
    assert run_agent.main(["render", str(motion), "-o", str(tmp_path / "a.mp4")]) == 0
    assert brightest(tmp_path / "a.mp4") == (50, 20)
    assert not np.any(read_audio(tmp_path / "a.mp4", 48_000) > 1e-3)


def test_only_motion_that_is_relative_to_the_photo_keeps_its_smile(motion: Path, tmp_path: Path, faces: Faces) -> None:
    run_agent.main(["render", str(motion), "-o", str(tmp_path / "a.mp4")])
    run_agent.main(["render", str(motion), "--relative", "-o", str(tmp_path / "b.mp4")])
    assert faces.relaxed == [True, False]


@pytest.mark.parametrize("seconds", [0.5, 2.0, 2.2])
def test_the_sound_starts_with_the_motion_and_ends_with_it(motion: Path, tmp_path: Path, seconds: float) -> None:
    sound = voice(seconds, 48_000)
    write_wav(tmp_path / "a.wav", sound, 48_000)
    out = tmp_path / "a.mp4"
    assert run_agent.main(["render", str(motion), "--audio", str(tmp_path / "a.wav"), "-o", str(out)]) == 0
    heard = read_audio(out, 48_000)
    n_common = min(len(sound), 96_000)
    assert np.corrcoef(heard[:n_common], sound[:n_common])[0, 1] > 0.7
    assert len(heard) == pytest.approx(96_000, abs=1024)


def test_sound_that_is_left_out_is_mentioned(motion: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(tmp_path / "a.wav", voice(5.0, 16_000))
    run_agent.main(["render", str(motion), "--audio", str(tmp_path / "a.wav"), "-o", str(tmp_path / "a.mp4")])
    assert "a.wav: its last 3.0 s have no motion and are left out" in capsys.readouterr().err
