"""Kernels that look the portrait's picture up, a row of the output at a time.

The steps of a row are loops of their own without any branch, over flat slices that are counted from zero and in floats:
so all but the look-up itself run on eight pixels at once. (Numba widens whole numbers to 64 bits, which are four.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from avatar.kernels import PART
from avatar.render.raster import FAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.raster import Canvas

    _Texels = tuple[np.uint32, np.uint32, np.uint32, np.uint32]


class Rows(NamedTuple):
    """Scratch for one row of the output.

    Attributes:
        where: int32 (size,), places in the texture.
        right: float32 (size,), shares of the texels to the right.
        down: float32 (size,), shares of the texels below.
        light: float32 (size,), brightness; less than 0 where there is no sheet.
        texels: uint32 (4 size,), those at the places, to their right, below, and below to the right.
    """

    where: NDArray[np.int32]
    right: NDArray[np.float32]
    down: NDArray[np.float32]
    light: NDArray[np.float32]
    texels: NDArray[np.uint32]


def scratch_rows(size: int) -> Rows:
    """Returns scratch for rows of `size` pixels."""
    right, down, light = np.zeros((3, size), np.float32)
    return Rows(np.zeros(size, np.int32), right, down, light, np.zeros(4 * size, np.uint32))


def pack(rgb: NDArray[np.uint8], opacity: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Returns a picture with one word a pixel (h, w): red in the lowest byte, opacity in the highest.

    Args:
        rgb: uint8 (h, w, 3), colours times opacity.
        opacity: uint8 (h, w), 255 hides what is behind.
    """
    red, green, blue = (rgb[..., channel].astype(np.uint32) for channel in range(3))
    return red | (green << np.uint32(8)) | (blue << np.uint32(16)) | (opacity.astype(np.uint32) << np.uint32(24))


@njit(**PART, fastmath=True, error_model="numpy")
def _find(sheet: NDArray[np.uint32], source: NDArray[np.float32], n: int, rows: Rows) -> None:
    widest, tallest = np.float32(sheet.shape[1] - 1.01), np.float32(sheet.shape[0] - 1.01)
    nothing, none, stride = np.float32(0.0), np.float32(-1.0), np.int32(sheet.shape[1])
    for x in range(n):
        u = min(max(source[4 * x], nothing), widest)
        v = min(max(source[4 * x + 1], nothing), tallest)
        light, depth = max(source[4 * x + 2], nothing), source[4 * x + 3]
        column, row = np.int32(u), np.int32(v)
        rows.where[x] = row * stride + column
        rows.right[x] = u - np.float32(column)
        rows.down[x] = v - np.float32(row)
        rows.light[x] = light if depth > FAR else none


@njit(**PART, fastmath=True, error_model="numpy")
def _fetch(sheet: NDArray[np.uint32], n: int, rows: Rows) -> None:
    # Unsigned indices spare the test for negative ones.
    flat, below, one, size = sheet.reshape(-1), np.uintp(sheet.shape[1]), np.uintp(1), np.uintp(len(rows.where))
    for x in range(n):
        place, to = np.uintp(np.uint32(rows.where[x])), np.uintp(x)
        rows.texels[to] = flat[place]
        rows.texels[to + size] = flat[place + one]
        rows.texels[to + size + size] = flat[place + below]
        rows.texels[to + size + size + size] = flat[place + below + one]


@njit(**PART, fastmath=True, error_model="numpy")
def _byte(word: np.uint32, shift: np.uint32) -> np.float32:
    return np.float32(np.int32((word >> shift) & np.uint32(0xFF)))


@njit(**PART, fastmath=True, error_model="numpy")
def _mixed(four: _Texels, shift: np.uint32, right: np.float32, down: np.float32) -> np.float32:
    """Returns one channel of four texels (see `Rows`), interpolated."""
    a, b, c, d = _byte(four[0], shift), _byte(four[1], shift), _byte(four[2], shift), _byte(four[3], shift)
    above, below = a + right * (b - a), c + right * (d - c)
    return above + down * (below - above)


@njit(**PART, fastmath=True, error_model="numpy")
def _put(behind: NDArray[np.uint32], out: NDArray[np.uint8], n: int, rows: Rows) -> None:
    red, green, blue, opacity = np.uint32(0), np.uint32(8), np.uint32(16), np.uint32(24)
    nothing, one, most, half, share = (
        np.float32(0),
        np.float32(1),
        np.float32(255),
        np.float32(0.5),
        np.float32(1 / 255),
    )
    size = len(rows.where)
    here, right, below, beside = (
        rows.texels[:n],
        rows.texels[size : size + n],
        rows.texels[2 * size : 2 * size + n],
        rows.texels[3 * size : 3 * size + n],
    )
    for x in range(n):
        four, u, v, under = (here[x], right[x], below[x], beside[x]), rows.right[x], rows.down[x], behind[x]
        shown = rows.light[x] >= nothing
        light = rows.light[x] if shown else nothing
        through = one - (share * _mixed(four, opacity, u, v) if shown else nothing)
        r = min(light * _mixed(four, red, u, v), most) + through * _byte(under, red)
        g = min(light * _mixed(four, green, u, v), most) + through * _byte(under, green)
        b = min(light * _mixed(four, blue, u, v), most) + through * _byte(under, blue)
        out[3 * x] = np.uint8(np.int32(min(r + half, most)))
        out[3 * x + 1] = np.uint8(np.int32(min(g + half, most)))
        out[3 * x + 2] = np.uint8(np.int32(min(b + half, most)))


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def show(
    sheet: NDArray[np.uint32],
    canvas: Canvas,
    behind: NDArray[np.uint32],
    out: NDArray[np.uint8],
    rows: Rows,
    first: int,
    last: int,
) -> None:
    """Lays rows `first` to `last` of the sheet over what is behind it.

    A kernel apart from the one that fills the canvas: compiled into one, neither is as fast.

    Args:
        sheet: (side, side), the portrait, see `pack`.
        canvas: What each pixel shows.
        behind: (size, size), what is behind the sheet, packed too.
        out: (size, size, 3), the picture; filled where the sheet is.
        rows: Scratch.
        first: The first row.
        last: One past the last row.
    """
    source, room, picture = canvas.source.reshape(-1), behind.reshape(-1), out.reshape(-1)
    for y in range(first, last):
        left, right = canvas.span[y, 0], canvas.span[y, 1]
        if left < right:
            n, at = int(right - left), y * out.shape[1] + int(left)
            _find(sheet, source[4 * at : 4 * (at + n)], n, rows)
            _fetch(sheet, n, rows)
            _put(room[at : at + n], picture[3 * at : 3 * (at + n)], n, rows)
