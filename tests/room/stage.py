"""A worker whose conversation has no models: it flashes and clicks, and notes what it hears and is told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from agent.room.models import ModelLoop
from agent.room.worker import RoomWorker, WorkerOptions
from agent.web.conversation import Caption, Option, Options, StateChanged
from avatar.types import FRAME_RATE, OUTPUT_RATE, AvatarState, SyncedFrame

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from numpy.typing import NDArray

    from agent.room.account import Account
    from agent.web.conversation import Ask, Audience, Choice, Command
    from avatar.stream import AvatarStream

FLASH_EVERY = 15
"""Frames from one flash, and its click, to the next."""

FLASH_FRAMES = 3
SIZE = 512


class Flasher:
    """A conversation that shows noise, bright and with a tone for three frames out of fifteen."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.heard: list[NDArray[np.float32]] = []
        self.done: list[Command] = []
        self.flashes: list[float] = []
        self.ended = False
        self.audience: Audience | None = None
        self.news = asyncio.Event()

    async def run(self, audience: Audience) -> None:
        self.audience = audience
        self.news.set()
        loop = asyncio.get_running_loop()
        dark = np.random.default_rng(0).integers(30, 60, (SIZE, SIZE, 3)).astype(np.uint8)
        tone = (0.3 * np.sin(np.arange(OUTPUT_RATE // FRAME_RATE) * 0.15)).astype(np.float32)
        began = loop.time()
        try:
            for index in count():
                await asyncio.sleep(began + index / FRAME_RATE - loop.time())
                bright = index % FLASH_EVERY < FLASH_FRAMES
                await audience.show(
                    SyncedFrame(dark + 150 * bright, tone * bright, index, AvatarState.IDLE)
                    if bright
                    else SyncedFrame(dark, np.zeros_like(tone), index, AvatarState.IDLE)
                )
        finally:
            self.ended = True
            self.audience = None
            self.news.set()

    def hear(self, samples: NDArray[np.float32]) -> None:
        self.heard.append(samples)
        self.news.set()

    async def do(self, command: Command) -> None:
        self.done.append(command)
        self.news.set()

    async def until(self, what: Callable[[], bool], patience: float = 60) -> None:
        """Returns when something is so."""
        async with asyncio.timeout(patience):
            while not what():
                self.news.clear()
                await self.news.wait()

    def answer(self, question: Ask, text: str) -> None:
        """Tells what a conversation tells of a turn."""
        assert self.audience is not None
        self.audience.tell(StateChanged(AvatarState.SPEAKING))
        self.audience.tell(Caption("user", "line1", question.text, final=True))
        self.audience.tell(Caption("avatar", "line2", text[:5], final=False))
        self.audience.tell(Caption("avatar", "line2", text, final=True))


class Stage:
    """Stands in for the loaded models, and for the gallery of avatars."""

    def __init__(self, conversation: type[Flasher]) -> None:
        self._conversation = conversation
        self.conversations: list[Flasher] = []
        self.gallery = self
        self.lend: Callable[[], AvatarStream] | None = None

    def options(self) -> Options:
        return Options(
            [Option("first", "First"), Option("me", "Me")], [Option("v", "V")], [Option("default", "Default")]
        )

    def open(self, choice: Choice) -> Flasher:
        self.conversations.append(self._conversation(choice))
        return self.conversations[-1]

    async def face(self, avatar: str) -> AvatarStream:
        assert self.lend is not None
        return self.lend()

    async def prepare(self, choice: Choice) -> None:
        pass


class Work:
    """A worker that runs, and what it said."""

    def __init__(self, stage: Stage, worker: RoomWorker, ending: asyncio.Event, lines: list[str]) -> None:
        self.stage = stage
        self.worker = worker
        self.ending = ending
        self.lines = lines
        self.task: asyncio.Task[None] | None = None

    @property
    def last(self) -> Flasher:
        """The newest conversation."""
        return self.stage.conversations[-1]


@asynccontextmanager
async def working(
    account: Account,
    *,
    capacity: int = 4,
    name: str = "",
    drain: bool = False,
    conversation: type[Flasher] = Flasher,
) -> AsyncGenerator[Work]:
    """Yields a worker that is registered with the server."""
    stage, ending, lines = Stage(conversation), asyncio.Event(), []
    options = WorkerOptions(capacity, name, health_port=0, drain_seconds=60)
    worker = RoomWorker(account, ModelLoop(stage), options, lines.append)
    work = Work(stage, worker, ending, lines)
    work.task = asyncio.create_task(worker.run(ending, drain=drain))
    try:
        async with asyncio.timeout(60):
            await worker.registered.wait()
        yield work
    finally:
        ending.set()
        await work.task
