"""A pyvirtualcam backend whose viewers are the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "Visavis test camera"


class MemoryCamera:
    """Keeps every picture, uint8 (height, width, 3) in RGB; only one may be open, as with a real device."""

    opened: MemoryCamera | None = None
    unplugged = False

    def __init__(self, *, width: int, height: int, fps: float, fourcc: int, device: str | None, **_: object) -> None:
        if type(self).opened is not None:
            raise RuntimeError(f"{NAME} is in use")
        if device not in (None, NAME):
            raise RuntimeError(f"no camera named {device}")
        self.shape = (height, width, 3)
        self.fps = fps
        self.pictures: list[NDArray[np.uint8]] = []
        self._fourcc = fourcc
        type(self).opened = self
        type(self).unplugged = False

    def send(self, frame: NDArray[np.uint8]) -> None:
        if self.unplugged:
            raise RuntimeError("the device is gone")
        self.pictures.append(frame.reshape(self.shape).copy())

    def close(self) -> None:
        type(self).opened = None

    def device(self) -> str:
        return NAME

    def native_fourcc(self) -> int:
        return self._fourcc
