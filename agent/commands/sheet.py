"""A contact sheet: one portrait in the main motions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from avatar.errors import OutputError
from avatar.motion.layout import motion_from
from avatar.publish.file import scratch_file, write_error
from avatar.render.renderer import PortraitRenderer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from avatar.portrait.types import Portrait
    from avatar.render.types import Renderer

CELL: Final = 320
"""Height and width of one picture."""

_COLUMNS: Final = 5
_CAPTION: Final = 24


def _both(**values: float) -> dict[str, float]:
    return {name + side: value for name, value in values.items() for side in ("Left", "Right")}


MOTIONS: Final[dict[str, dict[str, float]]] = {
    "rest": {},
    "jaw a little open": {"jawOpen": 0.3},
    "jaw open": {"jawOpen": 0.7},
    "smile": _both(mouthSmile=0.8, cheekSquint=0.4),
    "open smile": {"jawOpen": 0.3, **_both(mouthSmile=0.8, mouthUpperUp=0.4)},
    "frown": _both(mouthFrown=0.7, browDown=0.6),
    "oo": {"mouthPucker": 0.8, "jawOpen": 0.1},
    "sh": {"mouthFunnel": 0.7, "jawOpen": 0.15},
    "f": {"mouthRollLower": 0.6, "jawOpen": 0.1, **_both(mouthUpperUp=0.3)},
    "l": {"jawOpen": 0.25, "tongueOut": 0.3},
    "blink": _both(eyeBlink=1.0),
    "looks right": {"eyeLookInLeft": 0.8, "eyeLookOutRight": 0.8},
    "looks left": {"eyeLookOutLeft": 0.8, "eyeLookInRight": 0.8},
    "looks up": _both(eyeLookUp=0.8),
    "brows up": {"browInnerUp": 0.8, **_both(browOuterUp=0.8), **_both(eyeWide=0.4)},
    "turns right": {"yaw": -0.3},
    "turns left": {"yaw": 0.3},
    "nods": {"pitch": -0.2},
    "lifts the chin": {"pitch": 0.2},
    "tilts": {"roll": 0.18},
}
"""The motions shown; right and left are the avatar's own."""


def write_sheet(path: Path, portrait: Portrait) -> None:
    """Writes a portrait's contact sheet as PNG, whole or not at all.

    Raises:
        OutputError: The file can't be written.
    """
    sheet = contact_sheet(PortraitRenderer(portrait, CELL, relaxed=True))
    done, png = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    if not done:
        raise OutputError(f"writing {path}", expected="a picture", got="an encoder that failed")
    scratch = scratch_file(path)
    try:
        scratch.write_bytes(png.tobytes())
        scratch.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        scratch.unlink(missing_ok=True)


def contact_sheet(renderer: Renderer) -> NDArray[np.uint8]:
    """Returns the pictures of `MOTIONS`, uint8 (height, width, 3), row by row with their names."""
    cells = [_cell(renderer.render(motion_from(values)), name) for name, values in MOTIONS.items()]
    rows = [np.hstack(cells[start : start + _COLUMNS]) for start in range(0, len(cells), _COLUMNS)]
    return np.vstack(rows)


def _cell(picture: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    caption = np.full((_CAPTION, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(caption, name, (6, _CAPTION - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([picture, caption])
