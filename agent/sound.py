"""A microphone and a speaker of this machine, through PortAudio; what is unplugged is waited for."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet

import numpy as np

from agent.devices import choose, portaudio
from avatar.errors import InputError
from avatar.types import OUTPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType, TracebackType

    from numpy.typing import NDArray

    from agent.devices import AudioDevice, Direction

HELD: Final = OUTPUT_RATE // 5
"""Samples that wait for a speaker at most: 0.2 s. What comes on top takes the place of the oldest."""

LEAD: Final = OUTPUT_RATE // 10
"""Samples that a speaker has before the first of a sound: 0.1 s, in which Python may be busy and frames may be late.

A sound server's device that runs dry is silent for a second or more.
"""

_LOW: Final = OUTPUT_RATE // 25
"""Samples in the speaker below which it gets silence when there is nothing else: 40 ms."""

_BLOCK: Final = OUTPUT_RATE // 100
_ROOM: Final = 0.25
"""Seconds that a speaker takes."""

_SLACK: Final = 0.1
"""Seconds that a microphone keeps until they are fetched; with 20 ms, what it hears is torn whenever Python is busy."""

_WATCH_SECONDS: Final = 3.0
_RETRY_SECONDS: Final = 1.0
_PATIENCE: Final = 2.0


class PlayBuffer:
    """Sound on its way to a speaker: filled in frames by one thread, emptied by another.

    Attributes:
        n_held: Samples that wait.
    """

    def __init__(self) -> None:
        self._frames: deque[NDArray[np.float32]] = deque()
        self.n_held = 0
        self._dry = True
        self._changed = threading.Condition()

    def push(self, samples: NDArray[np.float32]) -> None:
        """Adds sound, float32 (n_samples,).

        Two clocks never agree: a silent frame is left out when there is more than enough, so that speech need not be.
        """
        with self._changed:
            if self.n_held > HELD // 2 and not np.any(samples):
                return
            self._frames.append(samples)
            self.n_held += len(samples)
            while self.n_held > HELD:
                self.n_held -= len(self._frames.popleft())
            self._changed.notify()

    def wait(self, seconds: float) -> None:
        """Returns when there is sound, or after some time."""
        with self._changed:
            self._changed.wait_for(lambda: self.n_held, seconds)

    def due(self, n_ahead: int) -> NDArray[np.float32]:
        """Returns what a speaker gets next, float32 (n_samples,): all there is, silence, or nothing yet.

        After a gap it gets silence first, so that it has a lead again.

        Args:
            n_ahead: Samples that the speaker has still to play.
        """
        with self._changed:
            pieces = [each for each in self._frames if n_ahead <= 2 * LEAD or np.any(each)]
            self._frames.clear()
            self.n_held = 0
            if not pieces:
                self._dry = self._dry or n_ahead < _LOW
                return np.zeros(_BLOCK if n_ahead < _LOW else 0, np.float32)
            lead = max(0, LEAD - n_ahead) if self._dry else 0
            self._dry = False
            return np.concatenate([np.zeros(lead, np.float32), *pieces])


class Line:
    """One open sound device, and its return after it was unplugged. A context manager, used in an event loop.

    Args:
        direction: ``in`` or ``out``.
        name: The device's name, or None for the default.
        latency: Seconds between the device and us, roughly.
        on_change: Told in the loop whether the device is there.
    """

    def __init__(
        self, direction: Direction, name: str | None, latency: float, on_change: Callable[[bool], None]
    ) -> None:
        self._direction: Direction = direction
        self._name = name
        self.latency = latency
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

    def _open(self) -> None:
        device = choose(self._direction, self._name)
        module = portaudio()
        with _OPENING:
            device.select()
            try:
                stream = self._start(module, {**_FORMAT, "device": device.port})
            except module.PortAudioError as error:
                raise InputError(
                    f"opening {device.name}", expected="a free device at 48 kHz", got=" ".join(str(error).split())[:160]
                ) from error
        self._stream, self.device = stream, device
        self._opened()

    def _start(self, module: ModuleType, form: dict[str, object]) -> Any:  # noqa: ANN401 - sounddevice's stream
        """Returns a running stream."""
        raise NotImplementedError

    def _opened(self) -> None:
        """Called when the stream is the line's own."""

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


_FORMAT: Final = {"samplerate": OUTPUT_RATE, "channels": 1, "dtype": "float32", "blocksize": _BLOCK}


class Speaker(Line):
    """A speaker that plays a buffer, from a thread of its own.

    Args:
        name: The device's name, or None for the default.
        buffer: What is played.
        on_play: Told in that thread what is played, float32 (n_samples,) at 48 kHz.
        on_change: Told in the loop whether the device is there.
    """

    def __init__(
        self,
        name: str | None,
        buffer: PlayBuffer,
        on_play: Callable[[NDArray[np.float32]], None],
        on_change: Callable[[bool], None],
    ) -> None:
        super().__init__("out", name, LEAD / OUTPUT_RATE, on_change)
        self._buffer = buffer
        self._on_play = on_play
        self._thread: threading.Thread | None = None

    def close(self) -> None:
        """Lets the device go after what is being written."""
        stream, self._stream = self._stream, None
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        self._stream = stream
        super().close()

    def _start(self, module: ModuleType, form: dict[str, object]) -> Any:  # noqa: ANN401 - sounddevice's stream
        stream = module.OutputStream(**form, latency=_ROOM)
        stream.start()
        return stream

    def _opened(self) -> None:
        self._thread = threading.Thread(target=self._play, args=(self._stream,), name="speaker", daemon=True)
        self._thread.start()

    def _alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and super()._alive()

    def _play(self, stream: Any) -> None:  # noqa: ANN401 - sounddevice's stream
        room = stream.write_available
        with suppress(portaudio().PortAudioError):  # it is gone, which the watch sees
            while stream is self._stream:
                n_ahead = room - stream.write_available
                self._buffer.wait(max(_BLOCK, n_ahead - _LOW) / OUTPUT_RATE)
                samples = self._buffer.due(room - stream.write_available)
                if len(samples):
                    stream.write(samples[:, None])
                    self._on_play(samples)


class Microphone(Line):
    """A microphone.

    Args:
        name: The device's name, or None for the default.
        hear: Takes its sound in PortAudio's thread, float32 (n_samples,) at 48 kHz.
        on_change: Told in the loop whether the device is there.
    """

    def __init__(
        self, name: str | None, hear: Callable[[NDArray[np.float32]], None], on_change: Callable[[bool], None]
    ) -> None:
        super().__init__("in", name, 2 * _BLOCK / OUTPUT_RATE, on_change)
        self._hear = hear

    def _start(self, module: ModuleType, form: dict[str, object]) -> Any:  # noqa: ANN401 - sounddevice's stream
        stream = module.InputStream(**form, latency=_SLACK, callback=self._heard)
        stream.start()
        return stream

    def _heard(self, samples: NDArray[np.float32], *_: object) -> None:
        self._hear(samples[:, 0].copy())
