"""Sessions: how many there may be, who holds them, when they end and what they leave behind."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from agent.web import hub
from agent.web.session import Session
from tests.web.conftest import visiting

if TYPE_CHECKING:
    import pytest

    from tests.web.talker import Theatre


async def test_more_pages_than_allowed_are_refused_politely(theatre: Theatre):
    async with visiting(theatre, limit=1) as visitor, visitor.page() as first:
        await first.wait_for("welcome")
        for _ in range(20):
            async with visitor.page() as second:
                error = await second.wait_for("error", code="busy")
                assert "at most 1" in error["message"]
                assert error["hint"]
        await first.wait_for("loading", ready=True)
        await first.send(type="ask", text="hello")
        await first.wait_for("caption", text="hello")


async def test_a_flood_of_sessions_leaves_those_that_are_there_alone(theatre: Theatre):
    async with visiting(theatre, limit=2) as visitor, visitor.page() as calm:
        await calm.wait_for("loading", ready=True)

        async def come() -> str:
            async with visitor.page() as page:
                first = await page.socket.receive_json(timeout=10)
                if first["type"] == "error":
                    assert (await page.socket.receive(timeout=10)).data == aiohttp.WSCloseCode.TRY_AGAIN_LATER
                return first["type"]

        first = await asyncio.gather(*(come() for _ in range(60)))
        assert set(first) <= {"welcome", "error"}
        assert first.count("error") > 0
        status = await (await visitor.client.get(f"{visitor.url}api/status")).json()
        assert status["sessions"] <= 2
        await calm.send(type="ask", text="hello")
        await calm.wait_for("caption", text="hello")


async def test_a_reload_goes_on_with_the_same_session_and_what_was_said(theatre: Theatre):
    async with visiting(theatre, limit=1) as visitor:
        async with visitor.page() as page:
            session = (await page.wait_for("welcome"))["session"]
            await page.wait_for("loading", ready=True)
            await page.send(type="ask", text="hello")
            await page.wait_for("caption", speaker="avatar", final=True)
        async with visitor.page(resume=session) as page:
            welcome = await page.wait_for("welcome")
            assert welcome["resumed"]
            await page.wait_for("caption", speaker="user", text="hello")
            await page.wait_for("caption", speaker="avatar", text="You asked hello")
    assert len(theatre.conversations) == 1


async def test_a_page_that_left_makes_room_for_another(theatre: Theatre):
    async with visiting(theatre, limit=1) as visitor:
        async with visitor.page() as page:
            first = (await page.wait_for("welcome"))["session"]
        async with visitor.page() as page:
            assert (await page.wait_for("welcome"))["session"] != first


async def test_a_session_ends_when_its_page_does_not_come_back(theatre: Theatre, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub, "UNATTENDED_SECONDS", 0.0)
    async with visiting(theatre) as visitor, visitor.page() as other:
        await other.wait_for("welcome")
        async with visitor.page() as page:
            gone = (await page.wait_for("welcome"))["session"]
        async with visitor.page(resume=gone) as page:
            assert not (await page.wait_for("welcome"))["resumed"]


async def test_a_page_that_takes_a_session_over_ends_the_earlier_page(theatre: Theatre):
    async with visiting(theatre, limit=1) as visitor, visitor.page() as first:
        session = (await first.wait_for("welcome"))["session"]
        async with visitor.page(resume=session) as second:
            await second.wait_for("welcome", resumed=True)
            assert "another page" in (await first.wait_for("ended"))["reason"]


async def test_two_hundred_pages_come_and_go_without_a_trace(theatre: Theatre):
    # The loop's own pool grows by a thread whenever none is idle: with one thread, what grows is the sessions'.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    await asyncio.to_thread(int)
    async with visiting(theatre) as visitor:

        async def come_and_go() -> None:
            async with visitor.page() as page:
                session = (await page.wait_for("welcome"))["session"]
                media = f"{visitor.url}api/sessions/{session}/media"
                async with visitor.client.ws_connect(media, max_msg_size=0) as frames:
                    await frames.receive_bytes(timeout=10)
                    await page.send(type="end")
                    await page.wait_for("ended")

        await come_and_go()
        bystanders, threads, files = asyncio.all_tasks(), set(threading.enumerate()), open_files()
        earlier = n_sessions_held()
        for _ in range(200):
            await come_and_go()
        status = await (await visitor.client.get(f"{visitor.url}api/status")).json()
        assert status["sessions"] == 0
        # Tasks about to end get the time to; the client's kept-alive connection may hold up to three.
        if remaining := asyncio.all_tasks() - bystanders:
            _, pending = await asyncio.wait(remaining, timeout=5)
            assert len(pending) <= 3
        for thread in set(threading.enumerate()) - threads:
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive()
        assert open_files() <= files + 4
        theatre.conversations.clear()
        assert n_sessions_held() <= earlier


def n_sessions_held() -> int:
    gc.collect()
    return sum(type(each) is Session for each in gc.get_objects())


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
