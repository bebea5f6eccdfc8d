"""A real browser with LiveKit's own client in a room with the avatar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.web.conversation import Ask
from tests.fakes import spoken, write_wav
from tests.room.page import serving_page
from tests.room.stage import working
from tests.web.browser import browsing, movement

if TYPE_CHECKING:
    from pathlib import Path

    from tests.room.server import LiveKitServer


@pytest.mark.browser
@pytest.mark.livekit
async def test_a_browser_sees_hears_and_reads_the_avatar_and_is_heard(server: LiveKitServer, tmp_path: Path):
    account = server.account
    microphone = write_wav(tmp_path / "microphone.wav", np.tile(spoken(4.0), 20), 16_000)
    async with working(account) as work, serving_page() as url, browsing(microphone) as browser:
        page = await (await browser.new_context(permissions=["microphone"])).new_page()
        await page.goto(url)
        await page.evaluate("([url, token]) => join(url, token, true)", [account.url, account.token("web", "visitor")])
        await page.wait_for_function("document.getElementById('video').videoWidth === 512", timeout=60_000)
        assert await movement(page, 0.3) > 1
        await work.last.until(lambda: bool(work.last.heard) and float(np.abs(work.last.heard[-1]).max()) > 0.05)
        loud = """async () => {
            const context = new AudioContext();
            const analyser = context.createAnalyser();
            context.createMediaStreamSource(document.getElementById("video").srcObject).connect(analyser);
            const samples = new Float32Array(analyser.fftSize);
            for (let tries = 0; tries < 600; tries++) {
                analyser.getFloatTimeDomainData(samples);
                if (samples.some((value) => Math.abs(value) > 0.1)) return true;
                await new Promise((done) => setTimeout(done, 20));
            }
            return false;
        }"""
        await page.locator("#video").click()
        assert await page.evaluate(loud)
        work.last.answer(Ask("Is this a browser?"), "It is.")
        await page.wait_for_function("lines.line2 && lines.line2[0] === 'true'", timeout=30_000)
        assert await page.evaluate("lines.line1[2]") == "Is this a browser?"
        assert await page.evaluate("lines.line2[2]") == "It is."
        await page.wait_for_function("states.includes('speaking')", timeout=30_000)
