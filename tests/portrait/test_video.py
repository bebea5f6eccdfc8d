from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from avatar.errors import InputError
from avatar.portrait.video import read_frames


def written(path, values, rate):
    """A video whose n-th picture is one grey value."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number, value in enumerate(values):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), value, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, 1 / Fraction(rate)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def greys(path):
    return np.array([frame.mean() for frame in read_frames(path)])


def test_every_picture_of_a_25_fps_video_is_read_once(tmp_path):
    values = np.arange(20, 220, 10)
    np.testing.assert_allclose(greys(written(tmp_path / "a.mp4", values, 25)), values, atol=4)


def test_a_50_fps_video_gives_every_second_picture(tmp_path):
    values = np.arange(20, 220, 5)
    found = greys(written(tmp_path / "a.mp4", values, 50))
    assert len(found) in (20, 21)
    np.testing.assert_allclose(found[:19], values[:38:2], atol=7)


def test_a_12_5_fps_video_shows_its_pictures_twice(tmp_path):
    values = [40, 80, 120, 160]
    found = greys(written(tmp_path / "a.mp4", np.repeat(values, 2)[::2], Fraction(25, 2)))
    assert len(found) in (7, 8)
    np.testing.assert_allclose(found[:7], np.repeat(values, 2)[:7], atol=4)


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_what_is_no_video_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "talk.mp4"
    with pytest.raises(InputError, match=r"reading talk\.mp4: expected a video, got no such file"):
        list(read_frames(path))
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"reading talk\.mp4: expected a video, got "):
        list(read_frames(path))
