"""The stream in real time: frames at their moment, made a little ahead in threads of their own."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Final, Self

from avatar.clock import MonotonicClock
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from types import TracebackType

    from avatar.clock import Clock
    from avatar.stream.pictures import AvatarStream
    from avatar.types import SyncedFrame

AHEAD: Final = 5
"""Pictures held ready: 0.2 s."""

_SPEAKING_AHEAD: Final = 12
"""Frames of motion held ready while there is more to say: a chunk may take its time, and an interruption drops them."""

_SOON: Final = 3
"""Frames of motion within which the next chunk must be begun, whatever else is to be done."""

_HOPELESS_SECONDS: Final = 1.0

_NEWEST: Final = 0.25
"""Weight of the newest picture's time in what a picture is expected to take."""

_SLOWEST: Final = 3 / FRAME_RATE
"""Seconds that a picture counts for at most: a single one may be held up by much."""

_ROUNDING: Final = 1e-6


class Deadline:
    """When the next frame is shown, for who draws: a picture that comes too late would make the next one late as well.

    Args:
        clock: Tells the time.

    Attributes:
        due: When the next frame is shown; None before the first.
    """

    def __init__(self, clock: Clock) -> None:
        self.due: float | None = None
        self._clock = clock
        self._takes = 0.0

    def meet(self, draw: Callable[[int], bool]) -> bool:
        """Draws a picture, and learns from it how long that takes.

        Args:
            draw: Is told how many frames' moments will have passed by when it is done; see `AvatarStream.draw`.

        Returns:
            What it returns.
        """
        begun = self._clock.now()
        late = 0.0 if self.due is None else begun + self._takes - self.due
        drawn = draw(max(0, math.ceil(late * FRAME_RATE - _ROUNDING)))
        took = min(self._clock.now() - begun, _SLOWEST)
        self._takes += _NEWEST * (took - self._takes)
        return drawn


class LiveStream:
    """Shows an `AvatarStream` at 25 frames a second by a clock.

    Used as a context manager, which runs a thread that makes motion and one that draws. A late picture is replaced by
    the one before; sound is never delayed by pictures. A consumer that was held up gets the frames it missed at once,
    so that no sound is lost; after more than a second (a laptop that slept) the clock starts anew instead.

    Args:
        stream: What is shown; its inputs may be used from any thread meanwhile.
        clock: Tells the time.
        ahead: Pictures held ready, at most.
    """

    def __init__(self, stream: AvatarStream, clock: Clock | None = None, ahead: int = AHEAD) -> None:
        self.stream = stream
        self._clock = clock or MonotonicClock()
        self._ahead = ahead
        self._deadline = Deadline(self._clock)
        self._stopping = False
        self._error: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._work, args=(ready, make), name=name, daemon=True)
            for name, ready, make in (
                ("avatar-motion", self._wants_motion, stream.plan),
                ("avatar-pictures", self._wants_picture, lambda: self._deadline.meet(stream.draw)),
            )
        ]

    def __enter__(self) -> Self:
        """Starts making pictures and waits for the first."""
        for thread in self._threads:
            thread.start()
        with self.stream.changed:
            self.stream.changed.wait_for(lambda: self.stream.n_prepared or self._error)
        self._check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops making pictures."""
        with self.stream.changed:
            self._stopping = True
            self.stream.changed.notify_all()
        for thread in self._threads:
            thread.join()

    async def frames(self) -> AsyncGenerator[SyncedFrame, None]:
        """Yields each frame at its moment, without end.

        Raises:
            Exception: What the generator or the renderer raised.
        """
        due = self._clock.now()
        while True:
            await self._clock.sleep_until(due)
            self._check()
            frame = self.stream.show()
            due += 1 / FRAME_RATE
            if self._clock.now() - due > _HOPELESS_SECONDS:
                due = self._clock.now()
            self._deadline.due = due
            yield frame

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _wants_motion(self) -> bool:
        n_planned = self.stream.n_planned
        if n_planned >= _SOON and not self.stream.n_prepared and self.stream.drawable:
            return False  # there is time for motion, and none for the picture, which it would hold up
        return n_planned < (_SPEAKING_AHEAD if self.stream.n_unheard else self._ahead)

    def _wants_picture(self) -> bool:
        return self.stream.n_prepared < self._ahead and self.stream.drawable

    def _work(self, wanted: Callable[[], bool], make: Callable[[], bool]) -> None:
        changed = self.stream.changed
        try:
            while True:
                with changed:
                    changed.wait_for(lambda: self._stopping or wanted())
                if self._stopping:
                    return
                if not make():
                    with changed:
                        changed.wait(1 / FRAME_RATE)  # for more sound
        except BaseException as error:  # noqa: BLE001 - handed to whoever takes frames
            with changed:
                self._error = error
                changed.notify_all()
