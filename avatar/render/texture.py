"""Kernels that look the portrait's picture up, a row of the output at a time.

The steps of a row are loops of their own, so that all but the look-up itself run on several pixels at once: together
2.5 times faster than one loop over whole pixels.
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


class Rows(NamedTuple):
    """Scratch for one row of the output.

    Attributes:
        where: int32 (size,), places in the texture.
        share: uint32 (size,), shares of the right and the lower texels, 8 bits each, 16 apart.
        texels: uint32 (4, size), the four around each place.
        colour: uint32 (size,), packed.
    """

    where: NDArray[np.int32]
    share: NDArray[np.uint32]
    texels: NDArray[np.uint32]
    colour: NDArray[np.uint32]


def scratch_rows(size: int) -> Rows:
    """Returns scratch for rows of `size` pixels."""
    n = np.uint32
    return Rows(np.zeros(size, np.int32), np.zeros(size, n), np.zeros((4, size), n), np.zeros(size, n))


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
    fine, nothing, stride = np.float32(256.0), np.float32(0.0), np.int32(sheet.shape[1])
    eight, low, sixteen = np.int32(8), np.int32(255), np.int32(16)
    for x in range(n):
        column = np.int32(min(max(source[x, 0], nothing), widest) * fine)
        row = np.int32(min(max(source[x, 1], nothing), tallest) * fine)
        rows.where[x] = (row >> eight) * stride + (column >> eight)
        rows.share[x] = np.uint32((column & low) | ((row & low) << sixteen))


@njit(**PART, fastmath=True, error_model="numpy")
def _fetch(sheet: NDArray[np.uint32], n: int, rows: Rows) -> None:
    # Unsigned indices spare the test for negative ones.
    flat, below, one = sheet.reshape(-1), np.uintp(sheet.shape[1]), np.uintp(1)
    for x in range(n):
        place = np.uintp(np.uint32(rows.where[x]))
        rows.texels[0, x] = flat[place]
        rows.texels[1, x] = flat[place + one]
        rows.texels[2, x] = flat[place + below]
        rows.texels[3, x] = flat[place + below + one]


@njit(**PART, fastmath=True, error_model="numpy")
def _mix(source: NDArray[np.float32], n: int, rows: Rows) -> None:
    """Bilinear interpolation in fixed point; two channels share a word, each with 8 bits to spare."""
    pair, halves = np.uint32(0x00FF00FF), np.uint32(0x00800080)
    low, half, full, top = np.uint32(0xFF), np.uint32(128), np.uint32(256), np.uint32(24)
    eight, sixteen = np.uint32(8), np.uint32(16)
    fine, rounding, nothing = np.float32(256.0), np.float32(0.5), np.float32(0.0)
    for x in range(n):
        fu, fv = rows.share[x] & low, rows.share[x] >> sixteen
        w11 = (fu * fv) >> eight
        w01, w10 = fu - w11, fv - w11
        w00 = full - fu - w10
        a, b, c, d = rows.texels[0, x], rows.texels[1, x], rows.texels[2, x], rows.texels[3, x]
        even = ((a & pair) * w00 + (b & pair) * w01 + (c & pair) * w10 + (d & pair) * w11 + halves) >> eight
        a, b, c, d = a >> eight, b >> eight, c >> eight, d >> eight
        odd = ((a & pair) * w00 + (b & pair) * w01 + (c & pair) * w10 + (d & pair) * w11 + halves) >> eight
        scale = np.uint32(np.int32(max(source[x, 2], nothing) * fine + rounding))
        red = min(((even & low) * scale + half) >> eight, low)
        green = min(((odd & low) * scale + half) >> eight, low)
        blue = min((((even >> sixteen) & low) * scale + half) >> eight, low)
        rows.colour[x] = red | (green << eight) | (blue << sixteen) | (((odd >> sixteen) & low) << top)


@njit(**PART, fastmath=True, error_model="numpy")
def _put(depth: NDArray[np.float32], out: NDArray[np.uint8], n: int, rows: Rows) -> None:
    low, half, full = np.uint32(0xFF), np.uint32(128), np.uint32(255)
    eight, sixteen, top = np.uint32(8), np.uint32(16), np.uint32(24)
    for x in range(n):
        if depth[x] <= FAR:
            continue
        colour = rows.colour[x]
        red, green, blue, opacity = colour & low, (colour >> eight) & low, (colour >> sixteen) & low, colour >> top
        if opacity < full:
            through = full - opacity
            through += through >> np.uint32(7)
            red = min(red + ((np.uint32(out[x, 0]) * through + half) >> eight), low)
            green = min(green + ((np.uint32(out[x, 1]) * through + half) >> eight), low)
            blue = min(blue + ((np.uint32(out[x, 2]) * through + half) >> eight), low)
        out[x, 0] = np.uint8(red)
        out[x, 1] = np.uint8(green)
        out[x, 2] = np.uint8(blue)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def show(sheet: NDArray[np.uint32], canvas: Canvas, out: NDArray[np.uint8], rows: Rows, first: int, last: int) -> None:
    """Lays rows `first` to `last` of the sheet over the picture.

    A kernel apart from the one that fills the canvas: compiled into one, neither is as fast.

    Args:
        sheet: (side, side), the portrait, see `pack`.
        canvas: What each pixel shows.
        out: (size, size, 3), the picture; holds what is behind the sheet.
        rows: Scratch.
        first: The first row.
        last: One past the last row.
    """
    for y in range(first, last):
        left, right = canvas.span[y, 0], canvas.span[y, 1]
        if left < right:
            # Loops that count from zero spare the test for negative indices, and so run on several pixels at once.
            n, source = int(right - left), canvas.source[y, left:right]
            _find(sheet, source, n, rows)
            _fetch(sheet, n, rows)
            _mix(source, n, rows)
            _put(canvas.depth[y, left:right], out[y, left:right], n, rows)
