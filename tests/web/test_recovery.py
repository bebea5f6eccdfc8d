"""The page in a real browser when its server or its network goes away, and when that comes back."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from agent.web import hub, session
from agent.web.conversation import SetMicrophone
from agent.web.peer import Peer
from agent.web.server import Address, serving
from tests.web.browser import browsing, live, movement, opened, silence
from tests.web.conftest import visiting
from tests.web.ether import Ether
from tests.web.road import Road
from tests.web.talker import Theatre

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

pytestmark = pytest.mark.browser

CALM_SECONDS = 10.0
"""Of the other page's picture; meanwhile the first one has no network."""


async def test_a_page_finds_back_when_the_server_was_killed_and_started_again(theatre: Theatre):
    async with browsing() as browser:
        async with serving(theatre, theatre, Address(port=0), limit=1) as (url, _):
            page, _ = await opened(browser, url)
        await expect(page.locator("#notice")).to_contain_text("The server does not answer")
        await expect(page.locator("#state-text")).to_have_text("Reconnecting")
        port = int(url.rstrip("/").rpartition(":")[2])
        async with serving(theatre, theatre, Address(port=port), limit=1):
            await expect(page.locator("#notice")).to_be_hidden(timeout=20_000)
            await expect(page.locator("#state-text")).to_have_text("Ready")
            await expect(page.locator("#stage")).not_to_have_class(re.compile("away"), timeout=10_000)
            assert await movement(page) > 1


async def test_who_was_talking_is_heard_by_the_server_that_comes_back_when_its_models_are_loaded(tmp_path: Path):
    loaded = asyncio.Event()
    first, second = Theatre(tmp_path), Theatre(tmp_path, loaded=loaded)
    async with (
        visiting(first) as here,
        visiting(second) as there,
        Road(here.url) as road,
        browsing(silence(tmp_path)) as browser,
    ):
        page, _ = await opened(browser, road.url)
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.locator("#state-text")).to_have_text("Listening")
        road.cut()
        await expect(page.locator("#state-text")).to_have_text("Reconnecting", timeout=30_000)
        road.lead_to(there.url)
        road.mend()
        await expect(page.locator("#state-text")).to_have_text("Starting", timeout=30_000)
        loaded.set()
        await expect(page.locator("#state-text")).to_have_text("Listening", timeout=30_000)
        assert second.conversations[0].done == [SetMicrophone(live=True)]
        await asyncio.wait_for(second.conversations[0].hear_more(0.1), 10)
        await expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize("drop", ["freeze", "cut"])
async def test_a_page_comes_back_to_its_conversation_when_the_network_was_gone(
    theatre: Theatre, drop: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub, "UNATTENDED_SECONDS", 600.0)  # a busy machine may take longer than the usual 30
    async with visiting(theatre, limit=1) as visitor, Road(visitor.url) as road, browsing() as browser:
        page = await (await browser.new_context()).new_page()
        await page.add_init_script("delete globalThis.RTCPeerConnection")  # so that the picture takes this road too
        await page.goto(road.url)
        await live(page)
        await page.get_by_label("Write instead of speaking").fill("hello")
        await page.keyboard.press("Enter")
        await expect(page.locator("#lines .avatar:not(.partial)")).to_contain_text("You asked hello", timeout=10_000)
        getattr(road, drop)()
        await expect(page.locator("#state-text")).to_have_text("Reconnecting", timeout=30_000)
        await expect(page.locator("#notice")).to_contain_text("The server does not answer")
        road.mend()
        await expect(page.locator("#state-text")).not_to_have_text("Reconnecting", timeout=30_000)
        await expect(page.locator("#notice")).to_be_hidden()
        await expect(page.locator("#stage")).not_to_have_class(re.compile("away"), timeout=10_000)
        await expect(page.locator("#lines .avatar")).to_contain_text("You asked hello")
        assert await movement(page) > 1
        assert len(theatre.conversations) == 1


async def test_a_page_whose_server_died_and_came_back_begins_anew(tmp_path: Path):
    first, second = Theatre(tmp_path), Theatre(tmp_path)
    async with (
        visiting(first) as here,
        visiting(second) as there,
        Road(here.url) as road,
        browsing() as browser,
    ):
        page, _ = await opened(browser, road.url)
        road.cut()
        await expect(page.locator("#state-text")).to_have_text("Reconnecting", timeout=30_000)
        road.lead_to(there.url)
        road.mend()
        await expect(page.locator("#state-text")).to_have_text("Ready", timeout=30_000)
        await second.opened(1)
        await page.get_by_label("Write instead of speaking").fill("hello")
        await page.keyboard.press("Enter")
        await expect(page.locator("#lines .avatar")).to_contain_text("You asked", timeout=10_000)
        assert await movement(page) > 1


async def ask(page: Page, text: str) -> None:
    await page.get_by_label("Write instead of speaking").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("#lines .avatar:not(.partial)").last).to_contain_text(text, timeout=20_000)


async def test_one_page_loses_its_network_for_ten_seconds_and_the_other_does_not_notice(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub, "UNATTENDED_SECONDS", 600.0)  # a busy machine may take longer than the usual 30
    offers: Counter[str] = Counter()
    async with Ether() as ether, visiting(theatre) as visitor, Road(visitor.url) as road, browsing() as browser:

        class Led(Peer):
            """Takes the first page's packets through the ether."""

            async def answer(self, offer: str) -> str:
                name = self._hear.__self__.id
                offers[name] += 1
                if offers.total() > 1:
                    return await super().answer(offer)
                return ether.answered(await super().answer(await ether.offered(offer)))

        monkeypatch.setattr(session, "Peer", Led)
        away, _ = await opened(browser, road.url)
        near, faults = await opened(browser, visitor.url)
        await ask(away, "apples")
        await ask(near, "pears")
        before = offers.copy()
        road.freeze()
        ether.dark = True
        await expect(away.locator("#state-text")).to_have_text("Reconnecting", timeout=60_000)
        assert await movement(near, CALM_SECONDS) > 1
        await ask(near, "plums")
        await expect(away.locator("#state-text")).to_have_text("Reconnecting")
        ether.dark = False
        road.mend()
        await expect(away.locator("#state-text")).not_to_have_text("Reconnecting", timeout=60_000)
        await expect(away.locator("#notice")).to_be_hidden(timeout=20_000)
        await expect(away.locator("#stage")).not_to_have_class(re.compile("away"), timeout=20_000)
        await expect(away.locator("#lines .avatar")).to_have_text("Avatar: You asked apples")
        await ask(away, "grapes")
        assert await movement(away) > 1
        assert len(theatre.conversations) == 2
        here = await near.evaluate("sessionStorage.getItem('visavis.session')")
        assert offers[here] == before[here]
        assert faults == []
