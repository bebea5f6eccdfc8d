"""From motion to pictures, each with its own sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.stream.motion import MotionStream, StreamOptions
from avatar.types import SyncedFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.motion.types import MotionGenerator
    from avatar.render.types import Renderer


class AvatarStream(MotionStream):
    """The whole pipeline: speech, states and controls in; pictures with their sound out, 25 a second, forever.

    Files call `next_frame`. Live publishers call `plan` in one thread and `draw` in another, ahead of time, and `show`
    at each frame's moment (`LiveStream` does all three).

    Args:
        generator: Makes the motion.
        renderer: Draws it; every picture must be an array of its own.
        options: How motion is cut into chunks.
    """

    def __init__(self, generator: MotionGenerator, renderer: Renderer, options: StreamOptions | None = None) -> None:
        super().__init__(generator, options)
        self._renderer = renderer
        self._pictures: dict[int, NDArray[np.uint8]] = {}
        self._stand_ins: dict[int, NDArray[np.uint8]] = {}
        self._last = np.zeros((*renderer.size, 3), np.uint8)
        self._n_late = 0
        self._n_cuts = 0

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures."""
        return self._renderer.size

    @property
    def n_prepared(self) -> int:
        """Pictures drawn and not shown."""
        return len(self._pictures)

    @property
    def n_late(self) -> int:
        """Frames shown so far whose picture was not ready, so that the one before was repeated."""
        return self._n_late

    def draw(self, n_hopeless: int = 0) -> bool:
        """Draws the next picture whose motion is known; slow, for one thread at a time.

        Args:
            n_hopeless: Frames, from the next one on, whose moment will have passed when the picture is drawn: none of
                them is begun if the motion of a later one is known.

        Returns:
            Whether there was one.
        """
        with self._lock:
            index = self._undrawn(n_hopeless)
            if index not in self._motion:
                index = max(self._pictures, default=self._shown - 1) + 1
            planned = self._motion.get(index)
            n_cuts = self._n_cuts
        if planned is None:
            return False
        picture = self._renderer.render(planned.coefficients)
        with self._lock:
            if self._motion.get(index) is planned:
                self._pictures[index] = picture
                self.changed.notify_all()
            elif n_cuts == self._n_cuts:  # its moment has passed, but it is the newest there is
                self._last = picture
        return True

    @property
    def drawable(self) -> bool:
        """Whether the motion of a picture is known that is not drawn yet."""
        with self._lock:
            return self._undrawn() in self._motion

    def show(self) -> SyncedFrame:
        """Returns the next frame at once: its sound, and its picture.

        If that is late, the picture is the one that was drawn for this moment before speech took its place, so that the
        face goes on moving until the voice's own pictures are there; else the newest one.
        """
        with self._lock:
            planned = self._motion.get(self._shown)
            picture = self._pictures.pop(self._shown, None)
            stand_in = self._stand_ins.pop(self._shown, None)
            if picture is None:
                self._n_late += 1
                self._last = self._last if stand_in is None else stand_in
            else:
                self._last = picture
                self._stand_ins.clear()
            rgb = self._last
            index, sound = self._show_sound()
        state = self._state_of(sound) if planned is None else planned.state
        return SyncedFrame(rgb, sound.output, index, state)

    def next_frame(self) -> SyncedFrame:
        """Returns the next frame as fast as it can be made."""
        while self._shown not in self._pictures:
            if not self.draw():
                self._plan_for(self._undrawn())
        return self.show()

    def _undrawn(self, n_skipped: int = 0) -> int:
        index = self._shown + n_skipped
        while index in self._pictures:
            index += 1
        return index

    def _hurry(self) -> None:
        ready = dict(self._pictures)
        super()._hurry()
        self._stand_ins.update({index: picture for index, picture in ready.items() if index not in self._pictures})

    def _cut(self, first: int) -> None:
        super()._cut(first)
        self._n_cuts += 1
        self._stand_ins.clear()
        for index in [index for index in self._pictures if index >= first]:
            del self._pictures[index]
