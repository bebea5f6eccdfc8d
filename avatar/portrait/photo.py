"""Reads a photo that anyone may have sent: any common format, turned upright, eight bits, no transparency.

A picture's size is read from its header first, so that a small file can't ask for a huge amount of memory.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from avatar.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFAULT_PHOTO: Final = Path(__file__).parent / "data/default.jpg"
"""The photo that comes with Visavis."""

MAX_PIXELS: Final = 80_000_000
"""Of a JPEG picture; others can't be decoded at half their size, so that of them only 50 megapixels are taken."""

_MAX_UNHALVED: Final = 50_000_000
_ENOUGH: Final = 12_000_000
"""A picture with more pixels is made smaller as soon as it is decoded: no portrait needs them."""

_HALVED: Final = 24_000_000
"""A JPEG picture with more pixels is decoded at half its size, which saves most of the time and memory."""

MAX_BYTES: Final = 200_000_000
FORMATS: Final = "a JPEG, PNG, WebP, AVIF, GIF or BMP picture"

_JPEG = b"\xff\xd8"
_PNG = b"\x89PNG\r\n\x1a\n"

_PNG_OPAQUE = (0, 2)
"""Colour types of grey and RGB pictures without alpha (ISO/IEC 15948, table 11.1)."""

_BEHIND = 225.0
"""Grey that shows through transparent pixels."""

_JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Start-of-frame markers; the three left out are tables (ITU-T T.81, table B.1)."""


def read_photo(path: Path, data: bytes | None = None) -> NDArray[np.uint8]:
    """Returns a photo as uint8 (height, width, 3), RGB, upright; the first frame if it moves.

    Args:
        path: The file; names it in errors.
        data: Its bytes, if they were read already.

    Raises:
        InputError: The file can't be read, is no picture that we know, is damaged, or is too large.
    """
    data = read_bytes(path) if data is None else data
    what = f"reading {path.name}"
    size = picture_size(data)
    if size is None:
        raise InputError(what, expected=FORMATS, got="something else", hint="save it as a JPEG or PNG picture")
    width, height = size
    jpeg = data.startswith(_JPEG)
    most = MAX_PIXELS if jpeg else _MAX_UNHALVED
    if width * height > most:
        raise InputError(
            what,
            expected=f"at most {most // 1_000_000} megapixels",
            got=f"{width} x {height} pixels",
            hint="make the picture smaller",
        )
    raw = np.frombuffer(data, np.uint8)
    cut_off = data.startswith(_PNG) and b"IEND" not in data  # libpng would complain on the terminal
    flags = cv2.IMREAD_REDUCED_COLOR_2 if jpeg and width * height > _HALVED else cv2.IMREAD_COLOR
    bgr = None if cut_off else _shrunk(_decode(raw, flags))
    if bgr is None:
        raise InputError(what, expected="a whole picture", got="a damaged or incomplete file")
    if not jpeg and not _opaque(data):
        bgr = _over_grey(bgr, _shrunk(_decode(raw, cv2.IMREAD_UNCHANGED)))
    return np.ascontiguousarray(bgr[..., ::-1])


def read_bytes(path: Path) -> bytes:
    """Returns a file's bytes.

    Raises:
        InputError: There is no such file, it can't be read, is empty, or is too large for a photo.
    """
    what = f"reading {path.name or path}"
    if not path.is_file():
        got = "a folder" if path.is_dir() else "no such file"
        raise InputError(what, expected="a photo", got=got)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(what, expected=f"at most {MAX_BYTES // 1_000_000} MB", got=f"{size // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(what, expected="a readable file", got=error.strerror or type(error).__name__) from error
    if not data:
        raise InputError(what, expected="a photo", got="an empty file")
    return data


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Returns width and height from a picture's header, or None if it is of no format that we read."""
    for reader in (_png_size, _jpeg_size, _webp_size, _gif_size, _bmp_size, _avif_size):
        try:
            size = reader(data)
        except (struct.error, IndexError):
            return None
        if size is not None:
            return size if min(size) > 0 else None
    return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    return struct.unpack_from(">II", data, 16) if data.startswith(_PNG) else None


def _gif_size(data: bytes) -> tuple[int, int] | None:
    return struct.unpack_from("<HH", data, 6) if data.startswith((b"GIF87a", b"GIF89a")) else None


def _bmp_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(b"BM"):
        return None
    if struct.unpack_from("<I", data, 14)[0] == 12:
        return struct.unpack_from("<HH", data, 18)
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height)  # rows may be stored from the top, with a negative height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    if not data.startswith(_JPEG):
        return None
    place = 2
    while True:
        while data[place] == 0xFF:
            place += 1
        marker = data[place]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", data, place + 4)
            return width, height
        place += 1 + struct.unpack_from(">H", data, place + 1)[0]


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _avif_size(data: bytes) -> tuple[int, int] | None:
    """The largest extent among the image's items (ISO/IEC 23008-12, `ispe`)."""
    if data[4:8] != b"ftyp" or b"avif" not in data[8:64]:
        return None
    sizes: list[tuple[int, int]] = []
    place = data.find(b"ispe")
    while place >= 0:
        sizes.append(struct.unpack_from(">II", data, place + 8))
        place = data.find(b"ispe", place + 4)
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _decode(raw: NDArray[np.uint8], flags: int) -> NDArray[Any] | None:
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # a damaged file is told in our own words
    try:
        decoded = cv2.imdecode(raw, flags)
    except cv2.error:
        return None
    finally:
        cv2.utils.logging.setLogLevel(before)
    return None if decoded is None else np.asarray(decoded)


def _shrunk(picture: NDArray[Any] | None) -> NDArray[Any] | None:
    """Returns a picture of at most 12 megapixels, or None if there is none."""
    if picture is None:
        return None
    scale = (_ENOUGH / (picture.shape[0] * picture.shape[1])) ** 0.5
    if scale >= 1:
        return picture
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _opaque(data: bytes) -> bool:
    """Returns whether a picture's header rules out transparent pixels, so that it needs no second decoding."""
    return data.startswith(_PNG) and data[25] in _PNG_OPAQUE and b"tRNS" not in data


def _over_grey(bgr: NDArray[Any], unchanged: NDArray[Any] | None) -> NDArray[np.uint8]:
    """Returns the picture on grey where the file's own version, eight or sixteen bits, says it is transparent."""
    if unchanged is None or unchanged.ndim != 3 or unchanged.shape[2] != 4 or unchanged.shape[:2] != bgr.shape[:2]:
        return bgr
    opacity = unchanged[..., 3:].astype(np.float32) / np.iinfo(unchanged.dtype).max
    return np.round(bgr * opacity + _BEHIND * (1 - opacity)).astype(np.uint8)
