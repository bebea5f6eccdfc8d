"""Where the session's ears are: sound that we push."""

from __future__ import annotations

import numpy as np
from livekit import rtc
from livekit.agents import utils
from livekit.agents.voice import io

from avatar.types import SPEECH_RATE

_TYPE = np.int16


class PushedInput(io.AudioInput):
    """livekit's audio input over frames that are pushed in the event loop."""

    def __init__(self) -> None:
        super().__init__(label="pushed")
        self._frames = utils.aio.Chan[rtc.AudioFrame]()

    def push(self, samples: np.ndarray[tuple[int], np.dtype[np.float32]], sample_rate: int = SPEECH_RATE) -> None:
        """Adds the user's sound, float32 (n_samples,) in [-1, 1]; after `close` it is dropped."""
        if self._frames.closed or not len(samples):
            return
        data = np.clip(np.rint(samples * 32768), -32768, 32767).astype(_TYPE)
        self._frames.send_nowait(rtc.AudioFrame(data.tobytes(), sample_rate, 1, len(data)))

    def close(self) -> None:
        """Ends the sound."""
        self._frames.close()

    async def __anext__(self) -> rtc.AudioFrame:
        """Waits for the next frame."""
        try:
            return await self._frames.recv()
        except utils.aio.ChanClosed:
            raise StopAsyncIteration from None
