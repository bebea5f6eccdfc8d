"""The pictures that a frame is put together from: the portrait on the sheet, and the room behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from avatar.render.texture import pack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Portrait

_CLEAR, _SOLID = 0.03, 0.97
"""The matte is spread between these, so that the person is quite solid and the room quite clear."""


class Plates(NamedTuple):
    """Pictures of one portrait.

    Attributes:
        sheet: uint32 (side, side), the portrait as it lies on the sheet, see `avatar.render.texture.pack`; all of it is
            solid if nothing is known of the room behind.
        resting: uint8 (size, size, 3), the portrait at the output's size.
        behind: uint8 (size, size, 3), the room without the person, or None.
        person: float32 (size, size), the matte; before a room, all that the sheet shows of the person.
    """

    sheet: NDArray[np.uint32]
    resting: NDArray[np.uint8]
    behind: NDArray[np.uint8] | None
    person: NDArray[np.float32]


def plates_of(portrait: Portrait, size: int) -> Plates:
    """Returns the pictures for an output of `size` pixels.

    Laid over the room at rest, the sheet gives the photo back: where the photo differs from the room, the person is at
    least so solid that some colour makes the mixture. So nothing of the head's edge stays behind in the room.
    """
    rgb = portrait.rgb
    resting = at_rest(rgb, size)
    if portrait.behind is None:
        return Plates(pack(rgb, np.full(rgb.shape[:2], 255, np.uint8)), resting, None, _at_size(portrait.person, size))
    seen, room = rgb.astype(np.float32), portrait.behind.astype(np.float32)
    darker, lighter = (room - seen) / np.maximum(room, 1), (seen - room) / np.maximum(255 - room, 1)
    least = np.maximum(darker, lighter).max(-1)
    matte = np.maximum(np.clip((portrait.person - _CLEAR) / (_SOLID - _CLEAR), 0, 1), least)
    opacity = np.ceil(np.clip(matte, 0, 1) * 255).astype(np.uint8)
    share = opacity[..., None] / np.float32(255)
    person = np.clip(seen - (1 - share) * room, 0, 255 * share)
    behind = at_rest(portrait.behind, size)
    return Plates(pack(person.round().astype(np.uint8), opacity), resting, behind, _at_size(share[..., 0], size))


def _at_size(matte: NDArray[np.floating], size: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(matte, (size, size), interpolation=cv2.INTER_AREA), np.float32)


def at_rest(rgb: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Returns the picture at the output's size, sampled as the sheet samples it."""
    texels = rgb.shape[0] / size
    places = ((np.arange(size) + 0.5) * texels - 0.5).astype(np.float32)
    columns, rows = np.meshgrid(places, places)
    return np.asarray(cv2.remap(rgb, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
