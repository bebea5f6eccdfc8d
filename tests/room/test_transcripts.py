from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

from agent.room.transcripts import Line, Transcripts
from avatar.types import AvatarState

if TYPE_CHECKING:
    from collections.abc import Callable


class Room:
    """Takes what a participant sends, one piece after the other, when it is let."""

    def __init__(self) -> None:
        self.local_participant = self
        self.sent: list[object] = []
        self.gate = asyncio.Event()
        self._news = asyncio.Event()

    def isconnected(self) -> bool:
        return True

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        await self.gate.wait()
        self.sent.append(attributes)
        self._news.set()

    async def stream_text(self, *, topic: str, attributes: dict[str, str], sender_identity: str) -> SimpleNamespace:
        await self.gate.wait()

        async def write(text: str) -> None:
            self.sent.append((topic, sender_identity, text, attributes))

        async def aclose() -> None:
            self._news.set()

        return SimpleNamespace(write=write, aclose=aclose)

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not what():
                self._news.clear()
                await self._news.wait()


async def test_lines_and_states_are_sent_in_order_and_what_is_out_of_date_is_not():
    room = Room()
    transcripts = Transcripts(room)
    running = asyncio.create_task(transcripts.run())
    transcripts.put(AvatarState.LISTENING)
    transcripts.put(AvatarState.THINKING)
    transcripts.put(Line("1", "What", final=False, speaker="me", track="TR"))
    transcripts.put(Line("1", "What is it?", final=True, speaker="me", track="TR"))
    transcripts.put(Line("2", "A test.", final=True, speaker="avatar", track=""))
    room.gate.set()
    await room.until(lambda: len(room.sent) == 3)
    running.cancel()
    await asyncio.wait([running])
    about = {"lk.transcription_final": "true", "lk.segment_id": "1", "lk.transcribed_track_id": "TR"}
    assert room.sent[0] == {"lk.agent.state": "thinking"}
    assert room.sent[1] == ("lk.transcription", "me", "What is it?", about)
    assert room.sent[2][:3] == ("lk.transcription", "avatar", "A test.")
    assert "lk.transcribed_track_id" not in room.sent[2][3]
