"""The loaded models of this machine, for rooms that each have a thread and an event loop of their own."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from agent.web.live import LiveEngine

T = TypeVar("T")


class ModelLoop:
    """One set of models in one event loop, which every room's conversation runs in.

    livekit gives each room a thread with a loop of its own. Models, connections and workers of the voice loop belong to
    the loop that they were made in, so conversations come to them instead: a room's thread only carries its tracks.

    Args:
        engine: The loaded models; made in the running loop.

    Attributes:
        engine: The loaded models; used in their loop only.
    """

    def __init__(self, engine: LiveEngine) -> None:
        self.engine = engine
        self._loop = asyncio.get_running_loop()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the models' loop and waits for its end; cancelling the wait cancels it first.

        Called in any loop. What the caller's context holds (livekit's job and its HTTP session) stays there: it belongs
        to the caller's loop.
        """
        caller = asyncio.get_running_loop()
        done: asyncio.Future[T] = caller.create_future()
        started: list[asyncio.Task[T]] = []

        def start() -> None:
            task = self._loop.create_task(work)
            started.append(task)
            task.add_done_callback(lambda task: caller.call_soon_threadsafe(_copy, task, done))

        self.call(start)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            self.call(lambda: started[0].cancel())  # noqa: PLW0108 - it is not there yet
            await asyncio.wait([done])
            if not done.cancelled():
                done.exception()  # whoever cancelled does not want to know
            raise

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Has a function called in the models' loop, in order, without waiting for it."""
        self._loop.call_soon_threadsafe(function, *arguments, context=contextvars.Context())


def _copy(finished: asyncio.Task[T], done: asyncio.Future[T]) -> None:
    if finished.cancelled():
        done.cancel()
    elif (error := finished.exception()) is not None:
        done.set_exception(error)
    else:
        done.set_result(finished.result())
