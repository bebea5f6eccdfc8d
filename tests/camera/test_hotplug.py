"""A cable that is pulled out and plugged in again, on a real sound server."""

from __future__ import annotations

import asyncio
import subprocess
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.sound import HELD, Microphone, PlayBuffer, Speaker
from avatar.types import OUTPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

pytestmark = pytest.mark.sound

FRAME = 1920
TONE = 440


def pactl(*words: str) -> str:
    return subprocess.run(["pactl", *words], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603, S607 - our own words


def plug() -> str:
    """Adds a cable; returns what it is pulled out by."""
    return pactl("load-module", "module-null-sink", "sink_name=plug", "sink_properties=device.description=Plug")


class Cable:
    """Plays a tone into the cable and listens at its other end."""

    def __init__(self) -> None:
        self.there = {"speaker": True, "microphone": True}
        self.blocks: list[NDArray[np.float32]] = []
        self._buffer = PlayBuffer()
        self._frames = count()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self.out = Speaker("plug", self._buffer, self._feed, self._changed("speaker"))
        self.ears = Microphone("plug.monitor", self._hear, self._changed("microphone"))

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not what():
                self._news.clear()
                await self._news.wait()

    @property
    def sounds(self) -> bool:
        """Whether the tone came through, in the last fifth of a second."""
        last = np.concatenate([np.zeros(0, np.float32), *self.blocks[-20:]])
        spectrum = np.abs(np.fft.rfft(last * np.hanning(len(last)), OUTPUT_RATE))
        return len(self.blocks) >= 20 and np.abs(last).max() > 0.2 and abs(int(spectrum.argmax()) - TONE) <= 10

    def _changed(self, what: str) -> Callable[[bool], None]:
        def note(there: bool) -> None:  # noqa: FBT001 - the callback's one argument
            self.there[what] = there
            self._news.set()

        return note

    def _feed(self, _: NDArray[np.float32]) -> None:
        while self._buffer.n_held < HELD // 2:
            at = np.arange(FRAME) + next(self._frames) * FRAME
            self._buffer.push((0.3 * np.sin(2 * np.pi * TONE * at / OUTPUT_RATE)).astype(np.float32))

    def _hear(self, samples: NDArray[np.float32]) -> None:
        self.blocks.append(samples)
        self._loop.call_soon_threadsafe(self._news.set)


async def test_sound_goes_on_when_a_cable_that_was_pulled_out_is_plugged_in_again(cables: None):
    index = plug()
    cable = Cable()
    async with cable.out, cable.ears:
        await cable.until(lambda: cable.sounds)
        pactl("unload-module", index)
        await cable.until(lambda: not any(cable.there.values()))
        cable.blocks.clear()
        index = plug()
        await cable.until(lambda: all(cable.there.values()) and cable.sounds)
        assert cable.out.device is not None
        assert cable.out.device.name == "Plug"
    pactl("unload-module", index)
