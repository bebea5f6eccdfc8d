"""One page's session: its conversation, its connection, its sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from agent.web.contract import error_message, event_message
from agent.web.conversation import Caption, Notice, SetEmotion, SetMicrophone, StateChanged
from agent.web.peer import Peer
from agent.web.wire import Wire
from avatar.errors import InputError, VisavisError
from avatar.types import FRAME_RATE, AvatarState

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from aiohttp import web
    from numpy.typing import NDArray

    from agent.web.conversation import Choice, Command, Conversation, Engine, Event
    from avatar.types import SyncedFrame

_LOG = logging.getLogger(__name__)

_REMEMBERED_CAPTIONS: Final = 100
_MAILBOX: Final = 200
_LULL: Final = 1.0
"""Seconds between two turns, at most; after that nobody is about to answer."""

FIRST_PAUSE: Final = 1.0
"""Seconds until a conversation that broke off is begun again; twice as many each time that it does not last."""

LONGEST_PAUSE: Final = 60.0

LONGEST_WAIT: Final = 15.0
"""Seconds that another avatar, voice or persona waits for whoever speaks to finish."""


class Mailbox:
    """Messages on their way to one socket. A page that does not read them loses the socket, not our memory."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(_MAILBOX)
        self.overflown = False

    def put(self, message: dict[str, Any]) -> None:
        """Queues a message."""
        try:
            self._messages.put_nowait(message)
        except asyncio.QueueFull:
            self.close()
            self.overflown = True

    def close(self) -> None:
        """Ends the mailbox after the messages that are in it."""
        while True:
            try:
                self._messages.put_nowait(None)
            except asyncio.QueueFull:
                self._messages.get_nowait()
            else:
                return

    async def next(self) -> dict[str, Any] | None:
        """Returns the next message, or None after the last."""
        return await self._messages.get()


class Session:
    """A conversation with whoever holds the page. It outlives a lost socket, so that a reload goes on with it.

    Args:
        engine: Opens conversations.
        choice: Avatar, voice and persona.

    Attributes:
        changing: Whether the choice is still being made ready; until then the conversation goes on with what it had.
    """

    def __init__(self, engine: Engine, choice: Choice) -> None:
        self.id = secrets.token_urlsafe(16)
        self.choice = choice
        self.changing = False
        self._ready_choice = choice
        self._engine = engine
        self._mailbox: Mailbox | None = None
        self._peer: Peer | Wire | None = None
        self._conversation: Conversation | None = None
        self._again = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._captions: OrderedDict[str, Caption] = OrderedDict()
        self._n_conversations = 0
        self._state = AvatarState.IDLE
        self._user_speaks = False
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._quiet_since = -math.inf
        self._standing: dict[type[Command], Command] = {}
        self._preparing: asyncio.Task[None] | None = None
        self._index = -1
        self._shown_at = 0.0
        self._signalling = asyncio.Lock()
        self._pause = FIRST_PAUSE / 2
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def attended(self) -> bool:
        """Whether a page holds the session."""
        return self._mailbox is not None

    @property
    def connected(self) -> bool:
        """Whether frames reach a page."""
        return self._peer is not None and self._peer.connected

    async def run(self) -> None:
        """Keeps the conversation going until it is cancelled; another choice opens another conversation.

        A face or a voice that changes knows what was said before; another persona begins anew. A conversation that
        broke off is begun again after a while, since nobody may be there to ask for it.
        """
        earlier: list[tuple[str, str]] = []
        try:
            while True:
                self._again.clear()
                if self._alarm is not None:
                    self._alarm.cancel()
                persona = self.choice.persona
                self._n_conversations += 1
                conversation = self._engine.open(self.choice, earlier)
                self._running = asyncio.create_task(self._converse(conversation))
                await self._again.wait()
                await _stopped(self._running)
                earlier = conversation.history if self.choice.persona == persona else []
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            for task in (self._preparing, self._running):
                if task is not None:
                    await _stopped(task)
            if self._peer is not None:
                await self._peer.close()
            if self._mailbox is not None:
                self._mailbox.close()

    def attach(self, mailbox: Mailbox) -> None:
        """Gives the session to a page; the page that held it before loses it."""
        if self._mailbox is not None:
            self._mailbox.put({"type": "ended", "reason": "taken over by another page"})
            self._mailbox.close()
        self._mailbox = mailbox
        self.send(event_message(StateChanged(self._state)))
        for caption in self._captions.values():
            self.send(event_message(caption))

    def detach(self, mailbox: Mailbox) -> None:
        """Takes the session from a page that is gone."""
        if self._mailbox is mailbox:
            self._mailbox = None

    def send(self, message: dict[str, Any]) -> None:
        """Sends a message to the page, if there is one."""
        if self._mailbox is not None:
            self._mailbox.put(message)

    async def connect(self, offer: str) -> None:
        """Answers a page's WebRTC offer; an earlier connection ends.

        Raises:
            InputError: The offer can't be used; an earlier connection stays.
        """
        async with self._signalling:
            peer = Peer(self._hear)
            try:
                answer = await peer.answer(offer)
            except BaseException:
                await peer.close()
                raise
            await self._replace_peer(peer)
            self.send({"type": "answer", "sdp": answer})

    async def connect_socket(self, socket: web.WebSocketResponse) -> None:
        """Sends picture and sound over a socket until that ends; an earlier connection ends at once."""
        wire = Wire(socket, self._hear)
        await self._replace_peer(wire)
        try:
            await wire.serve()
        finally:
            if self._peer is wire:
                self._peer = None
            await wire.close()

    async def do(self, command: Command) -> None:
        """Passes a command on.

        Raises:
            VisavisError: It can't be done now.
        """
        if isinstance(command, SetEmotion | SetMicrophone):
            self._standing[type(command)] = command
        if self._conversation is None:
            self._restart_if_broken()
            raise InputError(
                "talking", expected="a conversation that runs", got="one that is starting", hint="try again in a moment"
            )
        await self._conversation.do(command)

    def choose(self, choice: Choice, tell: Callable[[], None]) -> None:
        """Goes on with another avatar, voice or persona; the one that is there stays until the other is ready.

        Whoever speaks then may finish, within `LONGEST_WAIT`.

        Args:
            choice: The other one.
            tell: Tells the page what is chosen, now and when the other one is ready or can't be had.
        """
        if self._preparing is not None and not self._preparing.done():
            self._preparing.cancel()
        else:
            self._ready_choice = self.choice
        self.choice = choice
        self.changing = True
        tell()
        self._preparing = asyncio.create_task(self._prepare(choice, tell))

    async def show(self, frame: SyncedFrame) -> None:
        """Passes a frame on to the page, on the session's own time: conversations follow each other."""
        self._index += 1
        self._shown_at = asyncio.get_running_loop().time()
        if self._peer is not None and self._peer.connected:
            await self._peer.publish(replace(frame, index=self._index))

    def tell(self, event: Event) -> None:
        """Passes an event on to the page, and keeps what a reload has to show again."""
        if isinstance(event, StateChanged):
            self._state = event.state
        elif isinstance(event, Caption):
            event = replace(event, utterance=f"{self._n_conversations}.{event.utterance}")  # each counts from 1
            self._captions[event.utterance] = event
            while len(self._captions) > _REMEMBERED_CAPTIONS:
                self._captions.popitem(last=False)
            if event.speaker == "user":
                self._user_speaks = not event.final
        self._watch()
        self.send(event_message(event))

    def _watch(self) -> None:
        """Notes whether a turn is under way, the user's or the avatar's."""
        if self._user_speaks or self._state in {AvatarState.THINKING, AvatarState.SPEAKING}:
            self._quiet.clear()
        elif not self._quiet.is_set():
            self._quiet.set()
            self._quiet_since = asyncio.get_running_loop().time()

    async def _lull(self) -> None:
        """Returns when nobody speaks or is about to answer."""
        await self._quiet.wait()
        while (left := self._quiet_since + _LULL - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left)
            await self._quiet.wait()

    async def _replace_peer(self, peer: Peer | Wire) -> None:
        earlier, self._peer = self._peer, peer
        self._restart_if_broken()
        if earlier is not None:
            await earlier.close()

    def _restart_if_broken(self) -> None:
        if self._running is not None and self._running.done():
            self._again.set()

    def _hear(self, samples: NDArray[np.float32]) -> None:
        if self._conversation is not None:
            self._conversation.hear(samples)

    def _begin_again_later(self, lasted: float) -> None:
        """Has another conversation follow one that broke off; nobody may be there to ask for it."""
        self._pause = FIRST_PAUSE if lasted > LONGEST_PAUSE else min(2 * self._pause, LONGEST_PAUSE)
        self._alarm = asyncio.get_running_loop().call_later(self._pause, self._again.set)

    async def _prepare(self, choice: Choice, tell: Callable[[], None]) -> None:
        try:
            await self._engine.prepare(choice)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lull(), LONGEST_WAIT)
        except VisavisError as error:
            self.choice = self._ready_choice
            self.send(error_message(error, "conversation"))
        else:
            self._again.set()
        self.changing = False
        tell()

    async def _converse(self, conversation: Conversation) -> None:
        self._conversation = conversation
        began = asyncio.get_running_loop().time()
        if self._index >= 0:
            missed = asyncio.get_running_loop().time() - self._shown_at
            self._index += round(missed * FRAME_RATE)
        try:
            for command in self._standing.values():
                await conversation.do(command)
            await conversation.run(self)
        except VisavisError as error:
            self.send(error_message(error, "conversation"))
        except Exception:  # noqa: BLE001 - whatever breaks one conversation must not end the others
            _LOG.exception("A conversation broke off")
            self.tell(Notice("conversation", "the conversation broke off", "it begins again by itself"))
        finally:
            self._conversation = None
            self._state, self._user_speaks = AvatarState.IDLE, False
            self._watch()
        self._begin_again_later(asyncio.get_running_loop().time() - began)


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
