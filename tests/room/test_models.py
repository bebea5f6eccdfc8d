from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

from agent.room.models import ModelLoop

WHO = contextvars.ContextVar("who", default="nobody")


async def in_a_room(work) -> object:
    """Returns what a coroutine returns that runs in a thread with an event loop of its own."""
    return await asyncio.to_thread(asyncio.run, work)


async def test_work_runs_in_the_models_loop_without_the_callers_context():
    models = ModelLoop(object())
    here = threading.get_ident()

    async def work() -> tuple[int, str]:
        return threading.get_ident(), WHO.get()

    async def room() -> object:
        WHO.set("the room")
        return await models.run(work())

    assert await in_a_room(room()) == (here, "nobody")


async def test_errors_reach_the_room():
    models = ModelLoop(object())

    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await in_a_room(models.run(work()))


async def test_a_room_that_is_left_waits_until_its_work_has_ended():
    models = ModelLoop(object())
    started, ended = threading.Event(), threading.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    async def room() -> bool:
        task = asyncio.create_task(models.run(work()))
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled() and ended.is_set()

    assert await in_a_room(room())
