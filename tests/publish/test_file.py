from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from avatar.errors import InputError, OutputError
from avatar.publish.file import VideoFileWriter, check_output, scratch_file, write_error
from avatar.stream import AvatarStream
from avatar.sync import OUTPUT_SAMPLES
from avatar.types import AvatarState, SyncedFrame
from tests.fakes import FlashRenderer, LoudnessGenerator, chunk

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

SIZE = (64, 96)


def frame(index: int, level: int = 128, *, noisy: bool = False) -> SyncedFrame:
    rgb = np.full((*SIZE, 3), level, np.uint8)
    if noisy:
        rgb = np.random.default_rng(index).integers(0, 255, (*SIZE, 3), np.uint8)
    return SyncedFrame(rgb, np.zeros(OUTPUT_SAMPLES, np.float32), index, AvatarState.IDLE)


def decoded(path: Path) -> tuple[list[NDArray[np.uint8]], NDArray[np.float32]]:
    """Returns the pictures, and the sound from time 0 on."""
    with av.open(path) as container:
        pictures = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]
        container.seek(0)
        parts = list(container.decode(audio=0))
        assert parts[0].pts == 0
        return pictures, np.concatenate([part.to_ndarray()[0] for part in parts])


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_all(path: Path, frames: Iterable[SyncedFrame]) -> None:
    with VideoFileWriter(path, SIZE) as writer:
        for each in frames:
            writer.write(each)


@contextmanager
def small_disk() -> Generator[None]:
    """Lets no file of this process grow beyond 16 kB, as a full disk would.

    No fixture: pytest's own report may be such a file, and it is written to before fixtures end.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_click_and_its_flash_stay_together_through_stream_and_file(tmp_path: Path) -> None:
    samples = np.zeros(4 * 48_000, np.float32)
    clicks = [0.5, 1.24, 2.02, 3.9]
    for moment in clicks:
        at = round(moment * 48_000)
        samples[at : at + 48] = np.hanning(48)
    stream = AvatarStream(LoudnessGenerator(), FlashRenderer(SIZE))
    stream.push_audio(chunk(samples))
    stream.end_segment()
    with VideoFileWriter(tmp_path / "out.mp4", SIZE) as writer:
        for _ in range(100):
            writer.write(stream.next_frame())
    pictures, sound = decoded(tmp_path / "out.mp4")
    assert len(pictures) == 100
    assert 0 <= len(sound) - 100 * OUTPUT_SAMPLES < 1024
    flashes = [index for index, picture in enumerate(pictures) if picture.mean() > 100]
    assert flashes == [round(25 * moment - 0.4999) for moment in clicks]
    for moment in clicks:
        around = sound[round(moment * 48_000) - 1000 :][:2000]
        assert abs(int(np.argmax(np.abs(around))) - 1024) <= 48, "heard more than 1 ms from where it was"


def test_colours_are_tagged_and_survive(tmp_path: Path) -> None:
    picture = np.zeros((*SIZE, 3), np.uint8)
    picture[:] = (200, 60, 30)
    still = SyncedFrame(picture, np.zeros(OUTPUT_SAMPLES, np.float32), 0, AvatarState.IDLE)
    with VideoFileWriter(tmp_path / "out.mp4", SIZE) as writer:
        for _ in range(5):
            writer.write(still)
    with av.open(tmp_path / "out.mp4") as container:
        context = container.streams.video[0].codec_context
        tags = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
        assert tags == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"
        assert container.streams.video[0].average_rate == 25
    np.testing.assert_allclose(decoded(tmp_path / "out.mp4")[0][2].mean(axis=(0, 1)), (200, 60, 30), atol=4)


def test_the_index_stands_in_front_so_that_playing_starts_at_once(tmp_path: Path) -> None:
    with VideoFileWriter(tmp_path / "out.mp4", SIZE) as writer:
        for index in range(10):
            writer.write(frame(index))
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_file_appears_whole_and_replaces_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("older")
    with VideoFileWriter(tmp_path / "out.mp4", SIZE) as writer:
        for index in range(40):
            writer.write(frame(index))
        assert (tmp_path / "out.mp4").read_text() == "older"
    assert entries(tmp_path) == ["out.mp4"]
    assert writer.n_written == len(decoded(tmp_path / "out.mp4")[0]) == 40


@pytest.mark.parametrize("n_frames", [0, 5, 60])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_after_an_exception(tmp_path: Path, error: type[BaseException], n_frames: int) -> None:
    def interrupted() -> None:
        with VideoFileWriter(tmp_path / "out.mp4", SIZE) as writer:
            for index in range(n_frames):
                writer.write(frame(index))
            raise error

    with pytest.raises(error):
        interrupted()
    assert entries(tmp_path) == []


@pytest.mark.parametrize("n_frames", [8, 500])
def test_a_disk_that_fills_gives_one_clear_error_and_leaves_nothing(tmp_path: Path, n_frames: int) -> None:
    noise = (frame(index, noisy=True) for index in range(n_frames))
    too_large = pytest.raises(OutputError, match=r"writing .*out\.mp4: expected .*, got file too large")
    with small_disk(), too_large:
        write_all(tmp_path / "out.mp4", noise)
    assert entries(tmp_path) == []


def test_a_full_disk_is_named_with_what_to_do() -> None:
    with pytest.raises(OSError, match="No space left") as caught, open("/dev/full", "w") as file:  # noqa: PTH123
        file.write("x")
    error = write_error(check_output("out.mp4"), caught.value)
    assert str(error) == "writing out.mp4: expected space for the file, got no space left on device"
    assert error.hint == "free some space, or choose another folder"


def test_what_is_no_picture_fails_cleanly(tmp_path: Path) -> None:
    wrong = SyncedFrame(np.zeros((64, 96), np.uint8), np.zeros(1920, np.float32), 0, AvatarState.IDLE)
    with pytest.raises(ValueError, match="ndim"):
        write_all(tmp_path / "out.mp4", [wrong] * 100)
    assert entries(tmp_path) == []


def test_a_missing_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"expected the folder .*missing, got no such folder") as caught:
        check_output(tmp_path / "missing" / "out.mp4")
    assert caught.value.hint == "create the folder first"


def test_a_folder_or_another_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken.mp4").mkdir()
    with pytest.raises(OutputError, match="got a folder"):
        check_output(tmp_path / "taken.mp4")
    with pytest.raises(InputError, match=r"expected a name that ends in \.mp4, got \.avi"):
        check_output(tmp_path / "out.avi")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="got a file"):
        check_output(tmp_path / "file" / "out.mp4")


def test_a_scratch_file_is_as_readable_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    assert scratch_file(tmp_path / "out.mp4").stat().st_mode == (tmp_path / "plain").stat().st_mode
