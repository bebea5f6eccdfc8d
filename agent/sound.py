"""A microphone and a speaker of this machine, through PortAudio; what is unplugged is waited for."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet

import numpy as np

from agent.devices import choose, portaudio
from avatar.errors import InputError
from avatar.types import FRAME_RATE, OUTPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from numpy.typing import NDArray

    from agent.devices import AudioDevice, Direction

HELD: Final = OUTPUT_RATE // 5
"""Samples that a speaker holds at most: 0.2 s. What comes on top takes the place of the oldest."""

_READY: Final = 3 * OUTPUT_RATE // FRAME_RATE // 2
"""Samples gathered before the first is played, or after a gap: 60 ms, for frames that come a little late."""

_BLOCK: Final = OUTPUT_RATE // 100
_WATCH_SECONDS: Final = 3.0
_RETRY_SECONDS: Final = 1.0


class PlayBuffer:
    """Sound on its way to a speaker: filled in frames, drained in blocks of any size, from two threads.

    Attributes:
        n_held: Samples that wait.
    """

    def __init__(self) -> None:
        self._frames: deque[NDArray[np.float32]] = deque()
        self.n_held = 0
        self._waiting = True
        self._lock = threading.Lock()

    def push(self, samples: NDArray[np.float32]) -> None:
        """Adds sound, float32 (n_samples,).

        Two clocks never agree: a silent frame is left out when there is more than enough, so that speech need not be.
        """
        with self._lock:
            if self.n_held > HELD // 2 and not np.any(samples):
                return
            self._frames.append(samples)
            self.n_held += len(samples)
            while self.n_held > HELD:
                self.n_held -= len(self._frames.popleft())

    def take(self, n_samples: int) -> NDArray[np.float32]:
        """Returns the next sound, float32 (n_samples,), with silence where there is none."""
        out = np.zeros(n_samples, np.float32)
        with self._lock:
            if self._waiting and self.n_held < _READY:
                return out
            self._waiting = False
            filled = 0
            while filled < n_samples and self._frames:
                frame = self._frames.popleft()
                piece = frame[: n_samples - filled]
                out[filled : filled + len(piece)] = piece
                filled += len(piece)
                if len(piece) < len(frame):
                    self._frames.appendleft(frame[len(piece) :])
            self.n_held -= filled
            self._waiting = filled < n_samples
        return out


class Line:
    """One open sound device, and its return after it was unplugged. A context manager, used in an event loop.

    Args:
        direction: ``in`` or ``out``.
        name: The device's name, or None for the default.
        callback: PortAudio's callback, called in a thread of its own.
        on_change: Told in the loop whether the device is there.
    """

    def __init__(
        self, direction: Direction, name: str | None, callback: Callable[..., None], on_change: Callable[[bool], None]
    ) -> None:
        self._direction: Direction = direction
        self._name = name
        self._callback = callback
        self._on_change = on_change
        self._stream: Any = None
        self._watch: asyncio.Task[None] | None = None
        self.device: AudioDevice | None = None
        _LINES.add(self)

    async def __aenter__(self) -> Self:
        """Opens the device.

        Raises:
            InputError: There is no such device, or it can't be opened.
        """
        await asyncio.to_thread(self._open)
        self._watch = asyncio.create_task(self._keep_open(), name=f"sound {self._direction}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the device."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await asyncio.to_thread(self.close)

    @property
    def latency(self) -> float:
        """Seconds between the device and us, as PortAudio knows it."""
        return float(self._stream.latency) if self._stream is not None else 0.0

    def _open(self) -> None:
        device = choose(self._direction, self._name)
        module = portaudio()
        make = module.InputStream if self._direction == "in" else module.OutputStream
        with _OPENING:
            device.select()
            try:
                stream = make(
                    samplerate=OUTPUT_RATE,
                    channels=1,
                    dtype="float32",
                    device=device.port,
                    blocksize=_BLOCK,
                    latency="low",
                    callback=self._callback,
                )
                stream.start()
            except module.PortAudioError as error:
                raise InputError(
                    f"opening {device.name}", expected="a free device at 48 kHz", got=" ".join(str(error).split())[:160]
                ) from error
        self._stream, self.device = stream, device

    def close(self) -> None:
        """Lets the device go; while the line is entered it is soon opened again."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    async def _keep_open(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if await asyncio.to_thread(self._alive):
                continue
            self._on_change(False)  # noqa: FBT003 - the callback's one argument
            await asyncio.to_thread(self.close)
            while self._stream is None:
                await asyncio.sleep(_RETRY_SECONDS)
                try:
                    await asyncio.to_thread(self._reopen)
                except InputError:
                    continue
            self._on_change(True)  # noqa: FBT003 - the callback's one argument

    def _alive(self) -> bool:
        """Whether the device still runs; a sound server moves streams of a lost device, which PortAudio can't see."""
        if self._stream is None or not self._stream.active:
            return False
        if self.device is None or not self.device.server_name:
            return True
        try:
            return choose(self._direction, self.device.server_name) == self.device
        except InputError:
            return False

    def _reopen(self) -> None:
        try:
            self._open()
        except InputError:
            if self.device is None or self.device.server_name:
                raise
            _list_anew()
            self._open()


def _list_anew() -> None:
    """Lets PortAudio see what was plugged in since it started; that takes all streams, and their lines reopen them."""
    module = portaudio()
    for line in list(_LINES):
        line.close()
    with _OPENING:
        module._terminate()  # noqa: SLF001 - sounddevice has no public way
        module._initialize()  # noqa: SLF001 - sounddevice has no public way


_OPENING: Final = threading.Lock()
"""Devices are opened one at a time: a sound server's device is chosen by the environment."""

_LINES: Final[WeakSet[Line]] = WeakSet()


def speaker(
    name: str | None,
    buffer: PlayBuffer,
    on_play: Callable[[NDArray[np.float32]], None],
    on_change: Callable[[bool], None],
) -> Line:
    """Returns a speaker that plays a buffer.

    Args:
        name: The device's name, or None for the default.
        buffer: What is played.
        on_play: Told in PortAudio's thread what is played, float32 (n_samples,) at 48 kHz.
        on_change: Told in the loop whether the device is there.
    """

    def fill(out: NDArray[np.float32], n_samples: int, *_: object) -> None:
        samples = buffer.take(n_samples)
        out[:, 0] = samples
        on_play(samples)

    return Line("out", name, fill, on_change)


def microphone(
    name: str | None, hear: Callable[[NDArray[np.float32]], None], on_change: Callable[[bool], None]
) -> Line:
    """Returns a microphone.

    Args:
        name: The device's name, or None for the default.
        hear: Takes its sound in PortAudio's thread, float32 (n_samples,) at 48 kHz.
        on_change: Told in the loop whether the device is there.
    """

    def heard(samples: NDArray[np.float32], *_: object) -> None:
        hear(samples[:, 0].copy())

    return Line("in", name, heard, on_change)
