"""What is said in a room, as livekit's clients expect it: text streams of the topic ``lk.transcription``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from livekit.agents.types import (
    ATTRIBUTE_AGENT_STATE,
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    ATTRIBUTE_TRANSCRIPTION_TRACK_ID,
    TOPIC_TRANSCRIPTION,
)

if TYPE_CHECKING:
    from livekit import rtc

    from avatar.types import AvatarState

_BACKLOG: Final = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the conversation as far as it is known; a later one of the same segment replaces it.

    Attributes:
        segment: Names the line.
        text: The whole line so far.
        final: Whether it is complete.
        speaker: Identity of who said it.
        track: Their sound's track, or an empty string.
    """

    segment: str
    text: str
    final: bool
    speaker: str
    track: str


class Transcripts:
    """Sends lines and the avatar's state to a room, in order, without holding up who has them.

    Used in the room's event loop. If the room can't take them fast enough, unfinished lines are left out first.

    Args:
        room: A connected room.
    """

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._waiting: list[Line | AvatarState] = []
        self._more = asyncio.Event()

    def put(self, item: Line | AvatarState) -> None:
        """Queues a line or a state; what it makes out of date is dropped."""
        self._waiting = [each for each in self._waiting if not _replaces(item, each)][-_BACKLOG:]
        self._waiting.append(item)
        self._more.set()

    async def run(self) -> None:
        """Sends until it is cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting and self._room.isconnected():
                item = self._waiting.pop(0)
                if isinstance(item, Line):
                    await self._send(item)
                else:
                    await self._room.local_participant.set_attributes({ATTRIBUTE_AGENT_STATE: item.value})

    async def _send(self, line: Line) -> None:
        attributes = {
            ATTRIBUTE_TRANSCRIPTION_FINAL: "true" if line.final else "false",
            ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID: line.segment,
        }
        if line.track:
            attributes[ATTRIBUTE_TRANSCRIPTION_TRACK_ID] = line.track
        writer = await self._room.local_participant.stream_text(
            topic=TOPIC_TRANSCRIPTION, attributes=attributes, sender_identity=line.speaker
        )
        await writer.write(line.text)
        await writer.aclose()


def _replaces(new: Line | AvatarState, earlier: Line | AvatarState) -> bool:
    if isinstance(new, Line) and isinstance(earlier, Line):
        return new.segment == earlier.segment
    return not isinstance(new, Line) and not isinstance(earlier, Line)
