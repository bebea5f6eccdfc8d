"""How the page looks in a real browser: nothing jumps, hides or fades; and the keyboard is enough."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.web.browser import browsing, live, opened, silence
from tests.web.conftest import visiting
from tests.web.talker import Theatre

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from playwright.async_api import Page

pytestmark = pytest.mark.browser

DESK, LOW, PHONE, NARROW = (1280, 800), (1280, 600), (390, 844), (320, 568)

PLACES = """() => [...document.querySelectorAll(".stage, .disclosure, .controls, .controls button, .talk, .write")]
    .filter((each) => each.offsetParent)
    .map((each) => [each.id || each.className, each.getBoundingClientRect().toJSON()])"""

OUTSIDE = """() => [...document.querySelectorAll("main button, main input, main summary")]
    .filter((each) => each.offsetParent)
    .filter((each) => {
        const { left, right } = each.getBoundingClientRect();
        return left < 0 || right > innerWidth || each.scrollWidth > each.clientWidth + 1;
    })
    .map((each) => each.outerHTML)"""

FAINT = """() => {
    const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const parsed = (colour) => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
        return [red, green, blue, alpha / 255];
    };
    const over = (front, back) => [0, 1, 2].map((at) => front[at] * front[3] + back[at] * (1 - front[3]));
    const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const light = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    const faint = [];
    for (const element of document.querySelectorAll("body *")) {
        const worded = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
        const seen = element.checkVisibility({ visibilityProperty: true });
        if (!worded || !seen || element.closest(".hidden, :disabled")) continue;
        const chain = [];
        let opacity = 1;
        for (let each = element; each && each.id !== "stage"; each = each.parentElement) {
            chain.unshift(parsed(getComputedStyle(each).backgroundColor));
            opacity *= getComputedStyle(each).opacity;
        }
        for (const picture of element.closest("#stage") ? [[255, 255, 255], [0, 0, 0]] : [[255, 255, 255]]) {
            const back = chain.reduce((below, colour) => over(colour, below), picture);
            const [red, green, blue, alpha] = parsed(getComputedStyle(element).color);
            const lights = [light(over([red, green, blue, alpha * opacity], back)), light(back)];
            const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
            if (ratio < 4.5) faint.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
        }
    }
    return faint;
}"""


MARKED = """() => {
    const { outlineStyle, borderColor } = getComputedStyle(document.activeElement);
    const accent = getComputedStyle(document.getElementById("start")).backgroundColor;
    return outlineStyle !== "none" || borderColor === accent;
}"""


@asynccontextmanager
async def looking(theatre: Theatre, size: tuple[int, int], scheme: str = "light") -> AsyncGenerator[Page]:
    viewport = {"width": size[0], "height": size[1]}
    async with visiting(theatre) as visitor, browsing(silence(theatre.folder)) as browser:
        page, _ = await opened(browser, visitor.url, viewport=viewport, color_scheme=scheme)
        yield page


async def ask(page: Page, text: str = "tell me a long story about the sea and the sky, with many words in it") -> None:
    await page.get_by_label("Write instead of speaking").fill(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("#subtitle")).to_contain_text("You asked tell me a long story", timeout=20_000)


@pytest.mark.parametrize("size", [DESK, LOW, PHONE])
async def test_nothing_moves_when_an_answer_comes(theatre: Theatre, size: tuple[int, int]):
    async with looking(theatre, size) as page:
        before: list[Any] = await page.evaluate(PLACES)
        await ask(page)
        await expect(page.locator("#latency-total")).to_be_visible()
        assert await page.evaluate(PLACES) == before


@pytest.mark.parametrize("size", [DESK, LOW, PHONE])
async def test_the_page_fits_into_the_window(theatre: Theatre, size: tuple[int, int]):
    async with looking(theatre, size) as page:
        await ask(page)
        assert await page.evaluate("document.documentElement.scrollHeight") == size[1]
        assert await page.evaluate("document.documentElement.scrollWidth") == size[0]


@pytest.mark.parametrize("size", [DESK, PHONE, NARROW])
async def test_no_control_is_cut_off(theatre: Theatre, size: tuple[int, int]):
    async with looking(theatre, size) as page:
        assert await page.evaluate(OUTSIDE) == []
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.get_by_role("button", name="Mute microphone")).to_be_visible()
        await ask(page)
        assert await page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize("shown", ["the photo", "the picture"])
async def test_what_is_loading_does_not_stand_on_the_face(tmp_path: Path, shown: str):
    theatre = Theatre(tmp_path, loaded=asyncio.Event())
    async with visiting(theatre) as visitor, browsing() as browser:
        page = await browser.new_page()
        await page.goto(visitor.url)
        await live(page)
        await expect(page.locator("#loading-stages li")).to_have_text(
            ["Portrait", "Speech recognition", "Language model", "Voice"]
        )
        if shown == "the photo":
            await page.evaluate("document.getElementById('stage').classList.remove('live')")
        stage, loading = [await page.locator(each).bounding_box() for each in ("#stage", "#loading")]
        assert loading["y"] > stage["y"] + 0.66 * stage["height"]
        assert await page.evaluate(FAINT) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_word_stands_out_from_what_is_behind_it(theatre: Theatre, scheme: str):
    async with looking(theatre, DESK, scheme) as page:
        await page.get_by_role("button", name="Start talking").click()
        await ask(page)
        assert await page.evaluate(FAINT) == []
        await page.get_by_role("button", name="Settings").click()
        assert await page.evaluate(FAINT) == []


async def test_the_keyboard_alone_is_enough(theatre: Theatre):
    async with looking(theatre, DESK) as page:
        reached = []
        for _ in range(6):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.id || document.activeElement.className"))
            assert await page.evaluate(MARKED)
        assert reached == ["start", "captions", "full", "settings-open", "lines", "text"]
        await page.keyboard.type("tell me a long story about the sea and the sky")
        await page.keyboard.press("Enter")
        await expect(page.locator("#state-text")).to_have_text("Speaking")
        await page.keyboard.press("Escape")
        await expect(page.locator("#state-text")).to_have_text("Listening")


async def test_choosing_an_avatar_by_keyboard_keeps_the_place_in_the_list(theatre: Theatre):
    async with looking(theatre, DESK) as page:
        await page.get_by_role("button", name="Settings").click()
        await page.get_by_role("radio", name="Astronaut").focus()
        await page.keyboard.press("Enter")
        await theatre.opened(2)
        await expect(page.get_by_role("radio", name="Astronaut")).to_be_focused()


async def test_the_last_line_stays_in_sight_when_the_window_shrinks_and_who_reads_above_is_left_there(theatre: Theatre):
    async with visiting(theatre) as visitor, browsing() as browser:
        page, _ = await opened(browser, visitor.url, viewport={"width": 1280, "height": 800})
        for number in range(8):
            await page.get_by_label("Write instead of speaking").fill(f"line {number}")
            await page.keyboard.press("Enter")
            await expect(page.locator("#lines")).to_contain_text(f"line {number}", timeout=20_000)
        await page.set_viewport_size({"width": 390, "height": 700})
        await page.wait_for_function("box = document.querySelector('.lines'), box.scrollHeight > box.clientHeight + 50")
        await page.wait_for_function("box.scrollHeight - box.scrollTop - box.clientHeight < 2")
        await page.evaluate("box.scrollTop = 0, new Promise((done) => box.addEventListener('scroll', done))")
        await page.get_by_label("Write instead of speaking").fill("one more")
        await page.keyboard.press("Enter")
        await expect(page.locator("#lines")).to_contain_text("one more", timeout=20_000)
        assert await page.evaluate("box.scrollTop") == 0
