"""The page in a real browser, with a conversation that needs no models."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from playwright.async_api import expect
from scipy.io import wavfile
from skimage.data import astronaut

from agent.web.conversation import Interrupt, SetMicrophone
from avatar.portrait.folder import DISCLOSURE
from tests.web.browser import browsing, live, movement, opened, silence, start_recording, stop_recording
from tests.web.conftest import visiting
from tests.web.talker import TONE, Theatre

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.browser


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """Half a second of silence, a second of something like a voice, and silence again."""
    time = np.arange(16_000) / 16_000
    voice = 0.4 * np.sin(2 * np.pi * 220 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 5 * time))
    sound = np.concatenate((np.zeros(8_000), voice, np.zeros(16_000 * 30)))
    path = tmp_path / "question.wav"
    wavfile.write(path, 16_000, (sound * 32767).astype(np.int16))
    return path


def share_of_tone(sound: NDArray[np.float32]) -> float:
    """Returns how much of the sound's energy is the fake voice's."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / 16_000)
    return float(power[np.abs(frequency - TONE) < 10].sum() / max(power.sum(), 1e-9))


async def test_the_face_moves_before_anybody_allows_the_microphone(theatre: Theatre):
    async with visiting(theatre) as visitor, browsing() as browser:
        page, faults = await opened(browser, visitor.url)
        await expect(page.locator("#state-text")).to_have_text("Ready")
        await expect(page.locator(".mark")).to_have_text("AI")
        await expect(page.get_by_role("note")).to_have_text(DISCLOSURE)
        await expect(page.get_by_role("note")).to_be_visible()
        assert await movement(page) > 1
        assert theatre.conversations[0].heard == []
        assert faults == []


async def test_a_spoken_question_is_heard_and_answered_in_picture_sound_and_words(theatre: Theatre, question: Path):
    async with visiting(theatre) as visitor, browsing(question) as browser:
        page, faults = await opened(browser, visitor.url)
        await start_recording(page)
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.locator("#lines .user")).to_have_text("You: You said something", timeout=15_000)
        await expect(page.locator("#state-text")).to_have_text("Speaking")
        await expect(page.locator("#subtitle")).to_contain_text("I heard you")
        answer = page.locator("#lines .avatar:not(.partial)")
        await expect(answer).to_have_text("Avatar: I heard you and I am glad that you talk to me today", timeout=15_000)
        await expect(page.locator("#latency-total")).to_have_text("0.62 s")
        pictures, sound = await stop_recording(page)
        voice = np.concatenate(theatre.conversations[0].heard)
        assert np.abs(voice).max() > 0.1
        assert len(pictures) > 50
        assert float(np.abs(np.diff(pictures[::5].astype(np.int16), axis=0)).mean()) > 1
        assert share_of_tone(sound[-48_000:]) > 0.5
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(page.get_by_role("button", name="Start talking")).to_be_visible()
        assert faults == []


async def test_without_webrtc_the_conversation_goes_over_a_socket(theatre: Theatre, question: Path):
    async with visiting(theatre) as visitor, browsing(question) as browser:
        page = await (await browser.new_context()).new_page()
        await page.add_init_script("delete globalThis.RTCPeerConnection")
        await page.goto(visitor.url)
        await live(page)
        assert await movement(page) > 1
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.locator("#lines .user")).to_have_text("You: You said something", timeout=15_000)
        await start_recording(page)
        await expect(page.locator("#lines .avatar:not(.partial)")).to_contain_text("today", timeout=15_000)
        pictures, sound = await stop_recording(page)
        assert len(pictures) > 25
        assert share_of_tone(sound[16_000:]) > 0.5


async def test_a_written_question_is_answered_and_can_be_interrupted(theatre: Theatre):
    async with visiting(theatre) as visitor, browsing() as browser:
        page, faults = await opened(browser, visitor.url)
        await page.get_by_label("Write instead of speaking").fill("tell me a very long story about the sea and the sky")
        await page.keyboard.press("Enter")
        await expect(page.locator("#lines .avatar")).to_contain_text("You asked")
        assert not await page.evaluate("document.getElementById('video').muted")
        await page.get_by_role("button", name="Stop the avatar speaking").click()
        await expect(page.locator("#state-text")).to_have_text("Listening")
        assert "sky" not in await page.locator("#lines .avatar:not(.partial)").inner_text()
        assert theatre.conversations[0].done[-1] == Interrupt()
        assert faults == []


async def test_a_muted_microphone_sends_silence(theatre: Theatre, question: Path):
    async with visiting(theatre) as visitor, browsing(question) as browser:
        page, _ = await opened(browser, visitor.url)
        await page.get_by_role("button", name="Start talking").click()
        await page.get_by_role("button", name="Mute microphone").click()
        await expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
        assert theatre.conversations[0].done[-1] == SetMicrophone(live=False)
        await asyncio.wait_for(theatre.conversations[0].hear_more(0.6), 10)
        assert np.abs(theatre.conversations[0].heard[-1]).max() < 0.01


async def test_a_refused_microphone_is_explained_and_writing_still_works(theatre: Theatre):
    async with visiting(theatre) as visitor, browsing(allowed=False) as browser:
        page, _ = await opened(browser, visitor.url)
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.get_by_role("alert").first).to_contain_text("The microphone is not allowed")
        await page.get_by_label("Write instead of speaking").fill("hello")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("#lines .avatar")).to_contain_text("You asked hello", timeout=10_000)


async def test_a_microphone_that_is_missing_or_pulled_out_is_told_and_taken_up_when_it_comes(theatre: Theatre):
    async with visiting(theatre) as visitor, browsing() as browser:
        page = await (await browser.new_context()).new_page()
        await page.add_init_script(
            """
            const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (wish) => {
                if (!window.plugged) throw new DOMException("", "NotFoundError");
                window.track = (await open(wish)).getAudioTracks()[0];
                return new MediaStream([window.track]);
            };
            window.plug = (plugged) => {
                window.plugged = plugged;
                if (!plugged) {
                    window.track.stop();
                    window.track.dispatchEvent(new Event("ended"));
                }
                navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
            };
            """
        )
        await page.goto(visitor.url)
        await live(page)
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.locator("#notice")).to_contain_text("There is no microphone")
        for _ in range(2):
            await page.evaluate("plug(true)")
            await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
            await expect(page.locator("#notice")).to_be_hidden()
            await asyncio.wait_for(theatre.conversations[0].hear_more(0.1), 10)
            await page.evaluate("plug(false)")
            await expect(page.locator("#notice")).to_contain_text("microphone")
            await expect(page.get_by_role("button", name="Start talking")).to_be_visible()
            assert theatre.conversations[0].done[-1] == SetMicrophone(live=False)


async def test_a_page_that_slept_goes_on(theatre: Theatre):
    async with visiting(theatre) as visitor, browsing() as browser:
        page, faults = await opened(browser, visitor.url)
        await page.evaluate("document.getElementById('video').pause()")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await page.wait_for_function("!document.getElementById('video').paused")
        assert await movement(page) > 1
        assert faults == []


async def test_a_screen_that_nobody_stands_behind_begins_by_itself_and_stays_on(theatre: Theatre):
    async with visiting(theatre, limit=1) as visitor, browsing() as browser:
        page = await (await browser.new_context()).new_page()
        await page.add_init_script(
            """
            const lock = { release: async () => { window.held = false; } };
            Object.defineProperty(navigator, "wakeLock", { value: {
                request: async (kind) => { window.held = kind === "screen"; return lock; },
            } });
            """
        )
        await page.goto(f"{visitor.url}?talk")
        for _ in range(3):
            await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible(timeout=30_000)
            await page.wait_for_function("window.held")
            await asyncio.wait_for(theatre.conversations[0].hear_more(0.1), 30)
            await page.reload()
        await page.get_by_role("button", name="Stop", exact=True).click(timeout=30_000)
        await page.wait_for_function("!window.held")
        assert len(theatre.conversations) == 1


async def test_a_chosen_microphone_that_is_not_there_today_gives_way_to_another(theatre: Theatre):
    async with visiting(theatre) as visitor, browsing() as browser:
        page, faults = await opened(browser, visitor.url)
        await page.evaluate("localStorage.setItem('visavis.settings', JSON.stringify({ microphone: 'at-home' }))")
        await page.reload()
        await live(page)
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.locator("#notice")).to_contain_text("Your microphone is not connected")
        await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        await asyncio.wait_for(theatre.conversations[0].hear_more(0.1), 10)
        assert faults == []


async def test_a_dropped_photo_becomes_the_avatar(theatre: Theatre):
    photo = cv2.imencode(".jpg", cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))[1].tobytes()
    async with visiting(theatre) as visitor, browsing() as browser:
        page, faults = await opened(browser, visitor.url)
        drop = """([name, type, data]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name, { type }));
            for (const kind of ["dragenter", "dragover", "drop"]) {
                document.getElementById("stage").dispatchEvent(
                    new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
            }
        }"""
        await page.evaluate(drop, ["notes.pdf", "application/pdf", base64.b64encode(b"%PDF").decode()])
        await expect(page.locator("#notice")).to_contain_text("not a JPEG, PNG or WebP")
        await page.evaluate(drop, ["eileen.jpg", "image/jpeg", base64.b64encode(photo).decode()])
        await page.get_by_role("button", name="Settings").click()
        await expect(page.get_by_role("radio", name="eileen")).to_have_attribute("aria-checked", "true")
        assert theatre.conversations[-1].choice.avatar == "photo1"
        assert await movement(page) > 1
        assert faults == []


async def test_a_reload_goes_on_and_a_second_tab_is_refused_politely(theatre: Theatre):
    async with visiting(theatre, limit=1) as visitor, browsing() as browser:
        page, _ = await opened(browser, visitor.url)
        await page.get_by_label("Write instead of speaking").fill("hello")
        await page.keyboard.press("Enter")
        await expect(page.locator("#lines .avatar:not(.partial)")).to_contain_text("You asked hello", timeout=10_000)
        await page.reload()
        await live(page)
        await expect(page.locator("#lines .avatar")).to_contain_text("You asked hello")
        other = await (await browser.new_context()).new_page()
        await other.goto(visitor.url)
        await expect(other.locator("#notice")).to_contain_text("Somebody else is talking")
        assert await movement(page) > 1
        await page.close()
        await other.get_by_role("button", name="Try again").click()
        await live(other)
        assert len(theatre.conversations) == 2


async def test_a_reload_keeps_the_settings_and_closes_the_microphone(theatre: Theatre):
    async with visiting(theatre) as visitor, browsing(silence(theatre.folder)) as browser:
        page, _ = await opened(browser, visitor.url)
        await page.get_by_role("button", name="Start talking").click()
        await page.get_by_role("button", name="Settings").click()
        await page.get_by_label("Voice").select_option("Amy")
        await theatre.opened(2)
        await page.get_by_label("Expression").select_option("Happy")
        await page.get_by_label("Show on the picture").uncheck()
        await page.get_by_label("Size").select_option("Large")
        await page.get_by_label("Volume").fill("0.4")
        await expect(page.get_by_label("Voice")).to_have_value("amy")
        await page.reload()
        await live(page)
        await expect(page.locator("#state-text")).to_have_text("Ready")
        assert theatre.conversations[-1].done[-1] == SetMicrophone(live=False)
        await page.get_by_role("button", name="Settings").click()
        await expect(page.get_by_label("Voice")).to_have_value("amy")
        await expect(page.get_by_label("Expression")).to_have_value("happy")
        await expect(page.get_by_label("Show on the picture")).not_to_be_checked()
        await expect(page.get_by_label("Size")).to_have_value("1.3")
        await expect(page.get_by_label("Volume")).to_have_value("0.4")


async def test_two_tabs_have_a_conversation_each(theatre: Theatre):
    async with visiting(theatre, limit=2) as visitor, browsing() as browser:
        pages = [(await opened(browser, visitor.url))[0] for _ in range(2)]
        for page, text in zip(pages, ("apples", "pears"), strict=True):
            await page.get_by_label("Write instead of speaking").fill(text)
            await page.keyboard.press("Enter")
        for page, text in zip(pages, ("apples", "pears"), strict=True):
            await expect(page.locator("#lines .avatar")).to_contain_text(f"You asked {text}", timeout=10_000)
            await expect(page.locator("#lines li")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_fits_on_a_phone_and_has_a_name(theatre: Theatre, scheme: str):
    phone = {"viewport": {"width": 360, "height": 740}, "color_scheme": scheme}
    async with visiting(theatre) as visitor, browsing() as browser:
        page, _ = await opened(browser, visitor.url, **phone)
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.get_by_role("button", name="Mute microphone")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        nameless = await page.evaluate(
            """[...document.querySelectorAll("button, input, select, video")]
                .filter((each) => !each.hidden && !(each.ariaLabel || each.innerText?.trim() || each.labels?.length))
                .map((each) => each.outerHTML)"""
        )
        assert nameless == []
        await page.get_by_role("button", name="Settings").click()
        await expect(page.get_by_role("dialog", name="Settings")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog", name="Settings")).to_be_hidden()


async def test_the_settings_say_that_another_voice_is_being_made_ready(theatre: Theatre):
    async with visiting(theatre) as visitor, browsing() as browser:
        page, faults = await opened(browser, visitor.url)
        await page.click("#settings-open")
        await expect(page.locator("#changing")).to_be_empty()
        theatre.open_door.clear()
        await page.select_option("#voice", "amy")
        await expect(page.locator("#changing")).to_have_text("Getting ready …")
        theatre.open_door.set()
        await expect(page.locator("#changing")).to_be_empty()
        assert faults == []
