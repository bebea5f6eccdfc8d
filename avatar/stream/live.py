"""The stream in real time: frames at their moment, made a little ahead in a thread of their own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Self

from avatar.clock import MonotonicClock
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType

    from avatar.clock import Clock
    from avatar.stream.pictures import AvatarStream
    from avatar.types import SyncedFrame

AHEAD: Final = 5
"""Pictures held ready: 0.2 s."""

_HOPELESS_SECONDS: Final = 1.0


class LiveStream:
    """Shows an `AvatarStream` at 25 frames a second by a clock.

    Used as a context manager, which runs the thread that makes pictures. A late picture is replaced by the one before;
    sound is never delayed by pictures. A consumer that was held up gets the frames it missed at once, so that no sound
    is lost; after more than a second (a laptop that slept) the clock starts anew instead.

    Args:
        stream: What is shown; its inputs may be used from any thread meanwhile.
        clock: Tells the time.
        ahead: Pictures held ready, at most.
    """

    def __init__(self, stream: AvatarStream, clock: Clock | None = None, ahead: int = AHEAD) -> None:
        self.stream = stream
        self._clock = clock or MonotonicClock()
        self._ahead = ahead
        self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._make_pictures, name="avatar-pictures", daemon=True)

    def __enter__(self) -> Self:
        """Starts making pictures and waits for the first."""
        self._thread.start()
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
        self._thread.join()

    async def frames(self) -> AsyncGenerator[SyncedFrame, None]:
        """Yields each frame at its moment, without end.

        Raises:
            Exception: What the generator or the renderer raised.
        """
        due = self._clock.now()
        while True:
            await self._clock.sleep_until(due)
            self._check()
            yield self.stream.show()
            due += 1 / FRAME_RATE
            if self._clock.now() - due > _HOPELESS_SECONDS:
                due = self._clock.now()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _make_pictures(self) -> None:
        changed = self.stream.changed
        try:
            while not self._stopping:
                busy = self.stream.n_prepared < self._ahead and self.stream.prepare()
                with changed:
                    if busy:
                        changed.notify_all()
                    elif not self._stopping:
                        changed.wait(1 / FRAME_RATE)
        except BaseException as error:  # noqa: BLE001 - handed to whoever takes frames
            with changed:
                self._error = error
                changed.notify_all()
