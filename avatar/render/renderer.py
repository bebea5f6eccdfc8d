"""The portrait renderer: one photo, 58 numbers a frame, no neural weights."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from avatar import kernels
from avatar.motion.layout import INDEX, motion_from
from avatar.portrait.limits import limits_of
from avatar.portrait.topology import LIP_INNER_LOWER
from avatar.render.correctives import Correctives
from avatar.render.creases import Creases
from avatar.render.drive import Drive, Driver
from avatar.render.eye_contour import widen_to_eyes
from avatar.render.eyes import Eye
from avatar.render.face import face_of, resized
from avatar.render.interior import MouthPlanes
from avatar.render.lids import with_fitted_lids
from avatar.render.lip_edges import with_seen_lips, without_shade
from avatar.render.lip_shapes import with_shaped_lips
from avatar.render.lips import closing_offsets, slid_along, snap_to_seam
from avatar.render.mouth import Mouth
from avatar.render.plates import at_rest, plates_of
from avatar.render.pose import camera_for
from avatar.render.relight import Relight
from avatar.render.sheet import Sheet
from avatar.render.surface import build_surface
from avatar.render.topology import EYES, JAW_POINTS
from avatar.render.wrinkles import without_folds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from avatar.portrait.types import Portrait
    from avatar.render.face import Face

_TEXELS = 2
"""Texture pixels per output pixel, at most."""
_WITH_JAW = slice(3, 5)
"""Of the eyeballs' and the mouth's seats, those that move with the jaw."""
_JAW_UNITS = ("jawForward", "jawRight", "jawLeft", "jawOpen", "mouthFunnel")


class PortraitRenderer:
    """Draws one portrait under motion.

    The photo's face mesh is bent by the fitted head's expression units and turned in perspective; eyes and mouth are
    holes in it, through which an eyeball and an interior are seen. At rest the picture is the portrait itself, with
    its lips closed. Motion stops gently before what the picture can't carry (`avatar.portrait.limits`). The same motion
    always gives the same bytes, however many threads draw. Compiled code is ready when the constructor returns.

    Args:
        portrait: The portrait.
        size: Height and width of the pictures, pixels.
        threads: How many row bands are drawn at the same time.
        relaxed: Rest with a calm face where the photo smiles; for motion that is not relative to the photo.
    """

    def __init__(self, portrait: Portrait, size: int = 512, *, threads: int = 1, relaxed: bool = False) -> None:
        self._limits = limits_of(portrait)
        portrait = with_seen_lips(resized(portrait, min(portrait.rgb.shape[0], _TEXELS * size)))
        resting = at_rest(portrait.rgb, size)
        luminance = cv2.cvtColor(resting, cv2.COLOR_RGB2GRAY).astype(np.float32)
        face = face_of(portrait, size)
        face = replace(face, points=widen_to_eyes(face, resting))
        if face.mouth_closed:
            snapped = snap_to_seam(face, luminance)
            face = replace(face, points=snapped, deltas=slid_along(face, snapped))
        face = replace(face, deltas=with_fitted_lids(face))
        face = replace(face, deltas=with_shaped_lips(face))

        self._face = face
        self._interpupillary = portrait.interpupillary / face.texels
        kernels.wait()
        self._driver = Driver(portrait.head, relaxed=relaxed, parts=not face.mouth_closed)
        painted = replace(portrait, rgb=without_shade(portrait))
        if self._driver.calmed > 0:
            painted = replace(painted, rgb=without_folds(painted, self._driver.calmed))
        plates = plates_of(painted, size)
        self._surface = build_surface(face, plates.person, cut_out=plates.behind is not None)
        self._camera = camera_for(face, float(self._surface.rest[:, 2].max()))
        creases = Creases(face, painted)
        self._sheet = Sheet(self._surface, self._camera, plates, creases, threads)
        self._relight = Relight(face, luminance)
        self._mouth = Mouth(face, resting)
        self._eyes = tuple(
            Eye(face, indices, iris, resting) for indices, iris in zip(EYES, portrait.irises, strict=True)
        )
        self._seats, self._seat_axes = _seats(face, self._eyes, self._mouth)
        self._correctives = Correctives(face, portrait.head.expression)
        shapes = np.concatenate([face.deltas, self._correctives.shapes])
        self._units = shapes.reshape(len(shapes), -1).astype(np.float32)
        closing = np.zeros((len(face.points), 3)) if face.mouth_closed else closing_offsets(face)
        self._closing = closing.astype(np.float32)
        self._parting = -closing[LIP_INNER_LOWER[len(LIP_INNER_LOWER) // 2]]
        jaw = np.zeros((len(face.deltas), 3))
        columns = [INDEX[name] for name in _JAW_UNITS]
        jaw[columns] = face.deltas[columns][:, list(JAW_POINTS)].mean(1)
        self._jaw = jaw
        rest, mouth = self._surface.rest, self._surface.mouth
        self._resting_gap = np.abs(rest[mouth.upper, 1] - rest[mouth.lower, 1])
        self._warm_up()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures."""
        return self._face.size, self._face.size

    def render(self, coefficients: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Returns the picture, uint8 (height, width, 3), for one frame of motion, float32 (58,)."""
        return self._frame(coefficients, lambda _: None)

    def timed(self, coefficients: NDArray[np.float32]) -> dict[str, float]:
        """Draws a frame and returns the calling thread's processor seconds by stage."""
        laps: dict[str, float] = {}
        last = time.thread_time()

        def lap(stage: str) -> None:
            nonlocal last
            now = time.thread_time()
            laps[stage] = now - last
            last = now

        self._frame(coefficients, lap)
        return laps

    def _frame(self, coefficients: NDArray[np.float32], lap: Callable[[str], None]) -> NDArray[np.uint8]:
        drive = self._driver.drive(self._limits.apply(coefficients))
        moves = np.empty((self._units.shape[1] // 3, 4), np.float32)
        units = np.concatenate([drive.units, self._correctives.weights(drive.units)])
        moves[:, :3] = (units @ self._units).reshape(-1, 3)
        moves[:, :3] -= np.float32(drive.parted) * self._closing
        moves[:, 3] = self._relight.gain(moves[:, :3], drive.turn.astype(np.float32))
        shift = drive.shift * self._interpupillary
        lap("light")
        self._sheet.move(moves, drive.units, drive.turn, shift)
        lap("move")
        picture = self._sheet.draw()
        lap("sheet")
        planes = self._planes(drive, shift)
        self._draw_eyes(picture, drive, planes[:2])
        lap("eyes")
        self._draw_mouth(picture, drive, planes[2:])
        lap("mouth")
        return picture

    def _planes(self, drive: Drive, shift: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns where in the picture the eyeballs and the mouth's parts are, (6, 8), see `Camera.plane`."""
        seats = self._seats.copy()
        seats[_WITH_JAW] += drive.units @ self._jaw + drive.parted * self._parting
        return self._camera.plane(seats, self._seat_axes, drive.turn, shift)

    def _draw_eyes(self, picture: NDArray[np.uint8], drive: Drive, planes: NDArray[np.float32]) -> None:
        each = zip(self._eyes, self._surface.eyes, planes, drive.gaze, drive.lids, strict=True)
        for eye, opening, plane, gaze, lid in each:
            upper, lower = self._sheet.contours(opening)
            eye.draw(picture, upper, lower, plane, gaze, lid)

    def _draw_mouth(self, picture: NDArray[np.uint8], drive: Drive, planes: NDArray[np.float32]) -> None:
        upper, lower = self._sheet.contours(self._surface.mouth)
        self._mouth.draw(picture, upper, lower, self._resting_gap, MouthPlanes(*planes), drive)

    def _warm_up(self) -> None:
        """Runs every kernel, so that compiling (or loading its cache) never falls into the stream."""
        for values in ({}, {"jawOpen": 0.7, "eyeLookUpLeft": 0.5, "eyeBlinkRight": 0.4, "yaw": 0.2}):
            self.render(motion_from(values))


def _seats(face: Face, eyes: tuple[Eye, ...], mouth: Mouth) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the origins (6, 3) and the axes (6, 3, 3) of the eyeballs' and the mouth's planes, see `Camera.plane`."""
    upright, own = np.eye(3), face.axes * face.width
    origins = [*(eye.seat for eye in eyes), mouth.upper_seat, mouth.lower_seat, mouth.tongue_seat, mouth.photo_seat]
    return np.stack(origins), np.stack([upright, upright, own, own, own, upright * face.width])
