"""The avatar in one LiveKit room: what it hears there, what the room sees, hears and reads of it."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from livekit.agents.types import TOPIC_CHAT

from agent.room.microphones import Microphones
from agent.room.transcripts import Line, Transcripts
from agent.web.conversation import Ask, Caption, Command, Notice, SetMicrophone, StateChanged
from avatar.errors import VisavisError
from avatar.publish.livekit import RoomPublisher
from avatar.types import AvatarState

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from livekit import rtc
    from numpy.typing import NDArray

    from agent.room.models import ModelLoop
    from agent.web.conversation import Choice, Conversation, Event
    from avatar.types import SyncedFrame

SIZE: Final = (512, 512)
"""Height and width of the pictures."""

_GONE_AFTER: Final = 2.0
"""Seconds after a conversation in which what it held is let go; it is big and in cycles, and Python waits for long."""


class RoomGuest:
    """Takes part in a room with a conversation that runs in the models' loop; is its audience there.

    Made and run in the room's event loop; `show` and `tell` are called in the models'.

    Args:
        room: A connected room.
        models: Where conversations run.
        note: Takes lines for the terminal, from any thread.
    """

    def __init__(self, room: rtc.Room, models: ModelLoop, note: Callable[[str], None]) -> None:
        self._room = room
        self._models = models
        self._note = note
        self._loop = asyncio.get_running_loop()
        self._publisher = RoomPublisher(room, SIZE)
        self._transcripts = Transcripts(room)
        self._microphones = Microphones(room, self._hear, self._on_open)
        self._conversation: Conversation | None = None
        self._speaker = ""
        self._chats: set[asyncio.Task[None]] = set()

    async def run(self, choice: Choice) -> None:
        """Talks until it is cancelled.

        Raises:
            VisavisError: The avatar or a service can't be used.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._publisher.aclose)
            stack.push_async_callback(self._microphones.aclose)
            self._transcripts.put(AvatarState.IDLE)
            writing = asyncio.create_task(self._transcripts.run(), name="transcripts")
            stack.push_async_callback(_ended, writing)
            self._room.register_text_stream_handler(TOPIC_CHAT, self._on_chat)
            stack.callback(self._room.unregister_text_stream_handler, TOPIC_CHAT)
            await self._publisher.publish()
            await self._models.run(self._converse(choice))

    async def show(self, frame: SyncedFrame) -> None:
        """Sends a picture and its sound."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._publisher.show(frame), self._loop))

    def tell(self, event: Event) -> None:
        """Tells the room."""
        self._loop.call_soon_threadsafe(self._tell, event)

    async def _converse(self, choice: Choice) -> None:
        conversation = self._conversation = self._models.engine.open(choice)
        await conversation.do(SetMicrophone(live=self._microphones.is_open))
        try:
            await conversation.run(self)
        finally:
            self._conversation = None
            asyncio.get_running_loop().call_later(_GONE_AFTER, gc.collect)
            await self._models.engine.prepare(choice)  # so that the next room need not wait for a face

    def _hear(self, samples: NDArray[np.float32]) -> None:
        self._models.call(self._hear_there, samples)

    def _hear_there(self, samples: NDArray[np.float32]) -> None:
        if self._conversation is not None:
            self._conversation.hear(samples)

    def _on_open(self, is_open: bool) -> None:  # noqa: FBT001 - the callback's one argument
        self._do(SetMicrophone(live=is_open))

    def _on_chat(self, reader: rtc.TextStreamReader, identity: str) -> None:
        async def read() -> None:
            text = (await reader.read_all()).strip()
            if text:
                self._speaker = identity
                self._do(Ask(text))

        task = asyncio.create_task(read(), name=f"chat of {identity}")
        self._chats.add(task)
        task.add_done_callback(self._chats.discard)

    def _do(self, command: Command) -> None:
        task = asyncio.create_task(self._models.run(self._do_there(command)), name="command")
        self._chats.add(task)
        task.add_done_callback(self._chats.discard)

    async def _do_there(self, command: Command) -> None:
        if self._conversation is None:
            return
        try:
            await self._conversation.do(command)
        except VisavisError as error:
            self._note(f"{self._room.name}: {error}")

    def _tell(self, event: Event) -> None:
        match event:
            case StateChanged(state=state):
                self._transcripts.put(state)
            case Caption(speaker="user"):
                self._speaker = self._microphones.speaker or self._speaker
                self._put(event, self._speaker, self._microphones.track_of(self._speaker))
            case Caption():
                self._put(event, self._room.local_participant.identity, self._publisher.sound_track)
            case Notice(message=message, hint=hint):
                self._note(f"{self._room.name}: {message}" + (f" (hint: {hint})" if hint else ""))
            case _:
                pass

    def _put(self, caption: Caption, speaker: str, track: str) -> None:
        if speaker:
            self._transcripts.put(Line(caption.utterance, caption.text, caption.final, speaker, track))


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
