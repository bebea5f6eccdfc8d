"""The whole product in a browser: real ears, mind, voice and face, with a spoken question as the microphone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import jiwer
import numpy as np
import pytest
from playwright.async_api import expect
from scipy.io import wavfile

from agent.commands.speak import synthesized
from agent.config import load_config
from agent.options import WhisperOptions
from agent.parts import load_tts
from agent.recogniser import Recogniser
from agent.web.gallery import PhotoGallery
from agent.web.live import LiveEngine
from agent.web.server import Address, serving
from avatar.audio import resampled
from avatar.motion.whisper import load_whisper
from avatar.types import OUTPUT_RATE
from tests.web.browser import browsing, mouth_movement, opened, start_recording, stop_recording

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.model]

GREETING_SECONDS = 7.0
"""The question comes after the avatar has said hello."""


@asynccontextmanager
async def open_house() -> AsyncGenerator[str]:
    """Serves the real thing with the default configuration."""
    config = load_config()
    with PhotoGallery(config) as gallery:
        engine = LiveEngine(config, gallery)
        try:
            async with serving(engine, gallery, Address(port=0), limit=1) as (url, _):
                yield url
        finally:
            await engine.aclose()


@pytest.fixture
def question(tmp_path: Path) -> Path:
    spoken = synthesized("How do I make tea?", load_tts(load_config()))
    speech = np.concatenate(list(resampled(spoken, OUTPUT_RATE)))
    silence = np.zeros(round(GREETING_SECONDS * OUTPUT_RATE), np.float32)
    path = tmp_path / "question.wav"
    sound = np.concatenate((silence, 0.8 * speech, np.zeros(60 * OUTPUT_RATE, np.float32)))
    wavfile.write(path, OUTPUT_RATE, (sound * 32767).astype(np.int16))
    return path


def words(text: str) -> str:
    plain = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip()])
    return str(plain(text))


async def test_a_spoken_question_is_answered_and_what_the_page_receives_says_so(question: Path):
    async with open_house() as url, browsing(question) as browser:
        page, faults = await opened(browser, url, patience=120)
        start = page.get_by_role("button", name="Start talking")
        await expect(start).to_be_enabled(timeout=120_000)
        await start.click()
        answer = page.locator("#lines .avatar").nth(1)
        await expect(page.locator("#lines .user:not(.partial)")).to_contain_text("tea", timeout=60_000)
        await start_recording(page, picture=False)
        await expect(page.locator("#state-text")).to_have_text("Speaking", timeout=60_000)
        speaking = await mouth_movement(page, 50)
        await expect(page.locator("#state-text")).to_have_text("Listening", timeout=60_000)
        await expect(answer).not_to_have_class("partial")
        said = words(await answer.locator("span").last.inner_text())
        _, sound = await stop_recording(page)
        resting = await mouth_movement(page, 50)
        await expect(page.locator("#latency-total")).to_be_visible()
        assert speaking > 1.5 * resting
        loud = np.flatnonzero(np.abs(sound) > 0.02)
        sound = sound[loud[0] : loud[-1] + 8000]
        heard = words(Recogniser(load_whisper(2), WhisperOptions()).recognise(sound).text)
        assert jiwer.wer(said, heard) < 0.2, (said, heard)
        assert faults == []
