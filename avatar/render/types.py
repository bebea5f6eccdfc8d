"""What the stream asks of a renderer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Renderer(Protocol):
    """Draws one portrait under motion. Nothing outside `avatar.render` knows how pixels are made."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures."""
        ...

    def render(self, coefficients: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Returns the picture, uint8 (height, width, 3), for one frame of motion, float32 (58,)."""
        ...
