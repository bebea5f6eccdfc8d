"""The picture as a webcam."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from skimage.data import astronaut

from avatar.errors import InputError, OutputError
from avatar.publish.camera import Canvas, VirtualCamera
from tests.camera.memory_camera import NAME

if TYPE_CHECKING:
    from tests.camera.memory_camera import MemoryCamera


def test_a_square_picture_stands_whole_in_the_middle_of_a_wide_canvas():
    picture = astronaut()
    fitted = Canvas(1280, 512).fit(picture)
    assert fitted.shape == (512, 1280, 3)
    assert np.array_equal(fitted[:, 384:896], picture)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 480), (480, 640)])
def test_no_seam_shows_where_the_picture_ends(width: int, height: int):
    picture = astronaut()
    fitted = Canvas(width, height).fit(picture).astype(int)
    side = min(width, height)
    top, left = (height - side) // 2, (width - side) // 2
    if left:
        steps = np.abs(np.diff(fitted, axis=1)).mean(axis=(0, 2))
        seams = steps[[left - 1, left + side - 1]]
    else:
        steps = np.abs(np.diff(fitted, axis=0)).mean(axis=(1, 2))
        seams = steps[[top - 1, top + side - 1]]
    assert seams.max() <= steps.max() / 2


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (480, 640)])
def test_no_second_head_stands_beside_the_picture(width: int, height: int):
    picture = np.full((512, 512, 3), 128, np.uint8)
    picture[40:-40, 40:-40] = 255, 0, 0
    fitted = Canvas(width, height).fit(picture)
    side = min(width, height)
    top, left = (height - side) // 2, (width - side) // 2
    outside = np.ones((height, width), bool)
    outside[top : top + side, left : left + side] = False
    assert np.abs(fitted[outside].astype(int) - 128).max() < 40


def test_the_sides_stay_still_while_the_picture_moves():
    canvas = Canvas(1280, 720)
    first = canvas.fit(astronaut()).copy()
    second = canvas.fit(np.ascontiguousarray(astronaut()[::-1]))
    assert np.array_equal(first[:, :280], second[:, :280])
    assert not np.array_equal(first[:, 280:1000], second[:, 280:1000])


@pytest.mark.parametrize(("width", "height"), [(0, 720), (1281, 720), (1280, 5000)])
def test_a_format_that_no_camera_has_is_refused(width: int, height: int):
    with pytest.raises(InputError, match=f"an even width and height from 64 to 4096, got {width}x{height}"):
        Canvas(width, height)


async def test_other_programs_see_the_pictures(memory_camera: type[MemoryCamera]):
    with VirtualCamera(1280, 720, backend="memory") as camera:
        assert camera.name == NAME
        for index in range(3):
            await camera.send(np.full((512, 512, 3), 40 * index, np.uint8))
        opened = memory_camera.opened
        assert opened is not None
        assert opened.fps == 25
        assert [int(picture[360, 640, 0]) for picture in opened.pictures] == [0, 40, 80]
    assert memory_camera.opened is None


def test_a_camera_that_another_program_uses_is_refused_in_one_line(memory_camera: type[MemoryCamera]):
    with (
        VirtualCamera(640, 480, backend="memory"),
        pytest.raises(OutputError, match="opening the camera: expected .*, got .*in use") as refused,
        VirtualCamera(640, 480, backend="memory"),
    ):
        pass
    assert refused.value.hint


def test_an_unknown_backend_is_named_with_those_there_are(memory_camera: type[MemoryCamera]):
    with (
        pytest.raises(InputError, match="a backend of .*memory.*, got holographic"),
        VirtualCamera(640, 480, backend="holographic"),
    ):
        pass


async def test_a_camera_that_is_unplugged_says_so(memory_camera: type[MemoryCamera]):
    with VirtualCamera(640, 480, backend="memory") as camera:
        memory_camera.unplugged = True
        with pytest.raises(OutputError, match="expected the camera to stay, got the device is gone"):
            await camera.send(np.zeros((512, 512, 3), np.uint8))
