"""Where somebody else's session sends its speech: to our face. Its words stay livekit's own affair."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from livekit.agents.voice import io
from livekit.agents.voice.avatar import AudioSegmentEnd

from avatar.publish.livekit import push_sound
from avatar.types import OUTPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from livekit import rtc

    from avatar.stream import AvatarStream
    from avatar.types import Playout


class FaceOutput(io.AudioOutput):
    """livekit's audio output over a face: it can pause, and every position that it reports was heard.

    Made and used in the event loop; the face may report from any thread.
    """

    def __init__(self, face: AvatarStream) -> None:
        super().__init__(label="face", capabilities=io.AudioOutputCapabilities(pause=True))
        self._face = face
        self._loop = asyncio.get_running_loop()
        self._open = False
        self._dropping = False
        face.listener = self

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Passes speech on, faster than it is heard."""
        await super().capture_frame(frame)
        if not self._dropping:
            self._open = True
            push_sound(self._face, frame)

    def flush(self) -> None:
        """Ends the segment."""
        super().flush()
        if self._open:
            push_sound(self._face, AudioSegmentEnd())
        self._open = self._dropping = False

    def clear_buffer(self) -> None:
        """Drops what was not heard; what still comes of an open segment is dropped as well."""
        self._dropping, self._open = self._open, False
        self._face.interrupt()

    def pause(self) -> None:
        """Stops, to go on later from the same sample."""
        super().pause()
        self._face.pause()

    def resume(self) -> None:
        """Goes on."""
        super().resume()
        self._face.resume()

    def started(self, segment_id: str) -> None:
        """The face reports the first sound of a segment."""
        moment = time.time()
        self._in_loop(lambda: self.on_playback_started(created_at=moment))

    def finished(self, playout: Playout) -> None:
        """The face reports the end of a segment."""
        position, interrupted = playout.position / OUTPUT_RATE, playout.interrupted
        self._in_loop(lambda: self.on_playback_finished(playback_position=position, interrupted=interrupted))

    def _in_loop(self, report: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(report)
