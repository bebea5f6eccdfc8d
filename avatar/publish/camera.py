"""The picture as a webcam, through pyvirtualcam: v4l2loopback on Linux, OBS on macOS and Windows, Unity Capture."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self

import cv2
import numpy as np

from avatar.errors import InputError, OutputError
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

_DRIVERS: Final = {
    "linux": "sudo apt install v4l2loopback-dkms && sudo modprobe v4l2loopback exclusive_caps=1 card_label=Visavis",
    "darwin": "install OBS Studio, start its virtual camera once, and stop it",
    "win32": "install OBS Studio, or register Unity Capture",
}

_STRIP: Final = 0.03
"""Share of the picture, at each edge, of which the sides of a wide canvas are made."""


def driver_hint() -> str:
    """Returns how to get a virtual camera on this system."""
    return _DRIVERS.get(sys.platform, "pyvirtualcam knows no virtual camera for this system")


class Canvas:
    """Puts a square picture into a webcam's format: whole, in the middle, its own edges drawn out to the sides, softly.

    The sides are made once, of the first picture: behind a portrait they don't move.

    Args:
        width: Pixels, even.
        height: Pixels, even.

    Raises:
        InputError: The format can't be made.
    """

    def __init__(self, width: int, height: int) -> None:
        if not (64 <= width <= 4096 and 64 <= height <= 4096) or width % 2 or height % 2:
            raise InputError(
                "opening the camera", expected="an even width and height from 64 to 4096", got=f"{width}x{height}"
            )
        self.width = width
        self.height = height
        self._canvas: NDArray[np.uint8] | None = None

    def fit(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns the picture, uint8 (n, m, 3), as uint8 (height, width, 3); valid until the next call."""
        scale = min(self.width / rgb.shape[1], self.height / rgb.shape[0])
        size = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture = np.asarray(rgb if size == rgb.shape[1::-1] else cv2.resize(rgb, size, interpolation=way), np.uint8)
        if self._canvas is None:
            self._canvas = self._with_sides(picture)
        left, top = (self.width - size[0]) // 2, (self.height - size[1]) // 2
        self._canvas[top : top + size[1], left : left + size[0]] = picture
        return self._canvas

    def _with_sides(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width, _ = picture.shape
        left, top = (self.width - width) // 2, (self.height - height) // 2
        right, bottom = self.width - width - left, self.height - height - top
        columns, rows = np.meshgrid(_places(width, left, right), _places(height, top, bottom))
        whole = cv2.remap(picture, columns, rows, cv2.INTER_LINEAR)
        soft = cv2.GaussianBlur(whole, (0, 0), max(self.width, self.height) / 40)
        # Sharp at the picture's edge and soft away from it, so that no seam shows.
        inside = np.pad(np.ones((height, width), np.uint8), ((top, bottom), (left, right)))
        distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)[..., None]
        share = np.clip(distance / (max(self.width, self.height) / 30), 0, 1)
        return np.asarray(np.rint(whole * (1 - share) + soft * share), np.uint8)


def _places(length: int, before: int, after: int) -> NDArray[np.float32]:
    """Returns where each pixel of a row comes from, float32 (before + length + after,).

    Outside, the picture's outermost strip is mirrored and stretched: mirrored as it is, a second head would be there.
    """
    strip = _STRIP * length
    here = [0, before, before + length - 1, before + length + after - 1]
    there = [strip if before else 0, 0, length - 1, length - 1 - (strip if after else 0)]
    return np.interp(np.arange(before + length + after), here, there).astype(np.float32)


class VirtualCamera:
    """A webcam that other programs see. A context manager; pictures are sent from a thread of its own.

    Args:
        width: Pixels.
        height: Pixels.
        device: The camera's name or device file, or None for the first there is.
        backend: ``v4l2loopback``, ``obs``, ``unitycapture``, or None for the system's own.
    """

    def __init__(self, width: int, height: int, device: str | None = None, backend: str | None = None) -> None:
        self._canvas = Canvas(width, height)
        self._device = device
        self._backend = backend
        self._camera: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="camera")

    @property
    def name(self) -> str:
        """The camera's name, as other programs list it."""
        return str(self._camera.device) if self._camera is not None else ""

    def __enter__(self) -> Self:
        """Opens the camera.

        Raises:
            InputError: The package pyvirtualcam or the backend is not there.
            OutputError: There is no such camera, or another program uses it.
        """
        try:
            import pyvirtualcam  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise InputError(
                "opening the camera",
                expected="the package pyvirtualcam",
                got="no such package",
                hint="uv sync --extra camera",
            ) from error
        known: list[str] = sorted(pyvirtualcam.camera.BACKENDS)
        if self._backend is not None and self._backend not in known:
            raise InputError("opening the camera", expected=f"a backend of {', '.join(known)}", got=self._backend)
        try:
            self._camera = pyvirtualcam.Camera(
                self._canvas.width, self._canvas.height, FRAME_RATE, device=self._device, backend=self._backend
            )
        except (RuntimeError, OSError, ValueError) as error:
            raise OutputError(
                "opening the camera",
                expected=self._device or "a virtual camera that no other program writes to",
                got=_first_sentence(error),
                hint=driver_hint(),
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the camera after the picture that is being sent."""
        self._thread.shutdown(wait=True)
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    async def send(self, rgb: NDArray[np.uint8]) -> None:
        """Shows a picture, uint8 (n, m, 3), from now on.

        Raises:
            OutputError: The camera is gone.
        """
        await asyncio.get_running_loop().run_in_executor(self._thread, self._send, rgb)

    def _send(self, rgb: NDArray[np.uint8]) -> None:
        try:
            self._camera.send(self._canvas.fit(rgb))
        except (RuntimeError, OSError) as error:
            raise OutputError(
                "sending the picture", expected="the camera to stay", got=_first_sentence(error)
            ) from error


def _first_sentence(error: Exception) -> str:
    """Returns what a driver says went wrong, in one line, without its advice."""
    return " ".join(str(error).split()).split(". ")[0].rstrip(".")
