from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from avatar.errors import InputError
from avatar.portrait import photo
from avatar.portrait.photo import picture_size, read_photo

ORIENTATION = 0x0112


def scene():
    """A smooth picture, (60, 100, 3), that looks different from every side."""
    rows, columns = np.mgrid[:60, :100]
    return np.stack([rows * 4, columns * 2, 128 + 0 * rows], axis=-1).astype(np.uint8)


def encode(ending, bgr, *options):
    done, data = cv2.imencode(ending, bgr, options)
    assert done
    return data.tobytes()


def written(tmp_path, data, name="photo"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def with_exif(jpeg, orientation):
    """A JPEG with an EXIF block that says how it lies."""
    entry = struct.pack("<HHIHH", ORIENTATION, 3, 1, orientation, 0)
    tiff = b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 0)
    block = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def png_header(width, height):
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".gif", ".avif"])
def test_common_formats_are_read_and_their_size_is_known_beforehand(tmp_path, ending):
    data = encode(ending, scene()[..., ::-1])
    assert picture_size(data) == (100, 60)
    rgb = read_photo(written(tmp_path, data))
    assert rgb.shape == (60, 100, 3)
    assert rgb.dtype == np.uint8
    assert np.abs(rgb.astype(float) - scene()).mean() < (25 if ending == ".gif" else 4)


@pytest.mark.parametrize("quality", [50, 101])
def test_lossy_and_lossless_webp_tell_their_size(quality):
    assert picture_size(encode(".webp", scene(), cv2.IMWRITE_WEBP_QUALITY, quality)) == (100, 60)


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, 3), (8, 1)])
def test_a_picture_that_lies_on_its_side_is_set_upright(tmp_path, orientation, turns):
    lying = np.ascontiguousarray(np.rot90(scene(), -turns))
    data = with_exif(encode(".jpg", lying[..., ::-1], cv2.IMWRITE_JPEG_QUALITY, 98), orientation)
    rgb = read_photo(written(tmp_path, data))
    assert rgb.shape == (60, 100, 3)
    assert np.abs(rgb.astype(float) - scene()).mean() < 3


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = scene()[..., 0]
    rgb = read_photo(written(tmp_path, encode(".png", grey)))
    np.testing.assert_array_equal(rgb, np.repeat(grey[..., None], 3, axis=2))


def test_sixteen_bits_become_eight(tmp_path):
    data = encode(".png", scene()[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_photo(written(tmp_path, data)), scene())


def test_transparent_pixels_show_grey_instead_of_what_hides_below(tmp_path):
    bgra = np.dstack([scene()[..., ::-1], np.full((60, 100), 255, np.uint8)])
    bgra[:30, :, 3] = 0
    for depth in (bgra, bgra.astype(np.uint16) * 257):
        rgb = read_photo(written(tmp_path, encode(".png", depth)))
        assert (rgb[:30] == 225).all()
        np.testing.assert_array_equal(rgb[30:], scene()[30:])


def test_cmyk_is_read(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="only Pillow writes CMYK")
    path = tmp_path / "print.jpg"
    image.fromarray(scene()).convert("CMYK").save(path, quality=97)
    assert np.abs(read_photo(path).astype(float) - scene()).mean() < 6


def test_of_an_animation_the_first_frame_is_read(tmp_path):
    animation = cv2.Animation()
    animation.frames = [scene()[..., ::-1].copy(), 255 - scene()]
    animation.durations = np.array([100, 100])
    done, data = cv2.imencodeanimation(".webp", animation)
    assert done
    rgb = read_photo(written(tmp_path, data.tobytes()))
    assert np.abs(rgb.astype(float) - scene()).mean() < 6


def refusal(path):
    with pytest.raises(InputError) as caught:
        read_photo(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_picture_is_refused_in_one_line(tmp_path):
    assert refusal(tmp_path / "none.jpg") == "reading none.jpg: expected a photo, got no such file"
    assert refusal(tmp_path).endswith("expected a photo, got a folder")
    assert refusal(written(tmp_path, b"")).endswith("got an empty file")
    assert refusal(written(tmp_path, b"hello, world")).endswith("got something else")
    assert refusal(written(tmp_path, b"\xff\xd8\xff")).endswith("got something else")


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".gif"])
def test_a_picture_that_was_cut_off_is_refused(tmp_path, ending, capfd):
    noise = np.random.default_rng(0).integers(0, 255, (80, 90, 3), np.uint8)
    data = encode(ending, noise)
    assert "damaged" in refusal(written(tmp_path, data[: len(data) // 2]))
    assert capfd.readouterr().err == ""


def test_a_very_large_jpeg_is_read_at_half_its_size(tmp_path):
    rgb = read_photo(written(tmp_path, encode(".jpg", np.full((5000, 6000), 90, np.uint8))))
    assert rgb.shape == (2500, 3000, 3)
    assert (rgb == 90).all()


def test_a_large_picture_is_made_smaller_before_anything_else_is_done_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(photo, "_ENOUGH", 30_000)
    bgra = np.full((320, 400, 4), 90, np.uint8)
    bgra[..., 3] = np.where(np.arange(400) < 200, 255, 0)
    rgb = read_photo(written(tmp_path, encode(".png", bgra)))
    assert rgb.shape == (155, 194, 3)
    assert (rgb[:, :95] == 90).all()
    assert (rgb[:, 99:] == 225).all()


def test_a_small_file_that_claims_a_huge_picture_is_never_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", None)
    side = 7100
    assert f"{side} x {side} pixels" in refusal(written(tmp_path, png_header(side, side) + b"\x00" * 100))


@pytest.mark.parametrize("length", range(0, 64, 3))
def test_no_header_makes_the_size_reader_stumble(length):
    for ending in (".jpg", ".png", ".webp", ".bmp", ".gif", ".avif"):
        assert picture_size(encode(ending, scene())[:length]) in (None, (100, 60))
