from __future__ import annotations

import asyncio

import pytest

from agent.web.silence import SilenceWatch


class Calls:
    def __init__(self, seconds: float | None) -> None:
        self.n = 0
        self.called = asyncio.Event()
        self.watch = SilenceWatch(seconds, self.call)

    def call(self) -> None:
        self.n += 1
        self.called.set()

    async def come(self) -> None:
        await asyncio.wait_for(self.called.wait(), 10)
        self.called.clear()


async def test_silence_calls_once_until_somebody_speaks():
    calls = Calls(0.0)
    calls.watch.set(quiet=True)
    await calls.come()
    for quiet in (False, True, True):
        calls.watch.set(quiet=quiet)
    assert calls.watch._timer is None
    calls.watch.someone_spoke()
    calls.watch.set(quiet=True)
    await calls.come()
    assert calls.n == 2


@pytest.mark.parametrize("end", [lambda watch: watch.end(), lambda watch: watch.set(quiet=False)])
async def test_a_silence_that_ends_calls_nobody(end):
    calls = Calls(3600.0)
    calls.watch.set(quiet=True)
    timer = calls.watch._timer
    calls.watch.set(quiet=True)
    assert calls.watch._timer is timer  # it is counted from its beginning
    end(calls.watch)
    assert timer.cancelled()
    assert calls.n == 0


async def test_without_a_length_nothing_is_counted():
    calls = Calls(None)
    calls.watch.set(quiet=True)
    assert calls.watch._timer is None
