"""A real headless Chromium with a sound file as its microphone, and what it can be asked about the page."""

from __future__ import annotations

import base64
import io
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from playwright.async_api import async_playwright
from scipy.io import wavfile

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.async_api import Browser, Page

ARGUMENTS = (
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=user-gesture-required",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-features=WebRtcHideLocalIpsWithMdns",  # so that tests can lead packets through a network of their own
)


def silence(folder: Path) -> Path:
    """Returns a microphone that hears nothing: Chromium's own beeps, which talking photos take for a voice."""
    path = folder / "silence.wav"
    wavfile.write(path, 16_000, np.zeros(16_000, np.int16))
    return path


@asynccontextmanager
async def browsing(microphone: Path | None = None, *, allowed: bool = True) -> AsyncGenerator[Browser]:
    """Yields a browser with a profile of its own; `microphone` is played once, from the moment it is opened."""
    arguments = [*ARGUMENTS, "--use-fake-ui-for-media-stream" + ("" if allowed else "=deny")]
    if microphone is not None:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


async def opened(browser: Browser, url: str, *, patience: float = 30, **options: Any) -> tuple[Page, list[str]]:
    """Returns a page of its own profile, once it shows the avatar, and the list that its errors go to."""
    context = await browser.new_context(**options)
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    await page.goto(url)
    await live(page, patience)
    return page, faults


async def live(page: Page, patience: float = 30) -> None:
    """Returns when the avatar is on the page; `patience` is in seconds."""
    await page.wait_for_selector("#stage.live", timeout=1000 * patience)


async def movement(page: Page, seconds: float = 1.0) -> float:
    """Returns the mean change between a picture on the page and one `seconds` later, in grey levels."""
    return await page.evaluate(
        """async (seconds) => {
            const video = document.getElementById("video");
            const canvas = new OffscreenCanvas(128, 128);
            const context = canvas.getContext("2d", { willReadFrequently: true });
            const shot = () => {
                context.drawImage(video, 0, 0, 128, 128);
                return context.getImageData(0, 0, 128, 128).data;
            };
            const before = shot();
            const due = video.currentTime + seconds;
            while (video.currentTime < due) await new Promise((done) => video.requestVideoFrameCallback(done));
            const after = shot();
            return before.reduce((sum, value, index) => sum + Math.abs(value - after[index]), 0) / before.length;
        }""",
        seconds,
    )


async def start_recording(page: Page, *, picture: bool = True) -> None:
    """Begins to record what the page receives; without the picture it costs little."""
    await page.evaluate(
        """(picture) => {
            const received = document.getElementById("video").srcObject;
            const recorder = new MediaRecorder(picture ? received : new MediaStream(received.getAudioTracks()));
            const parts = [];
            recorder.ondataavailable = ({ data }) => parts.push(data);
            window.recorded = new Promise((done) => { recorder.onstop = () => done(new Blob(parts)); });
            window.recorder = recorder;
            recorder.start(200);
        }""",
        picture,
    )


async def stop_recording(page: Page) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Returns the recorded pictures, uint8 (n, height, width, 3), and sound, float32 (n_samples,) at 16 kHz."""
    encoded = await page.evaluate(
        """async () => {
            window.recorder.stop();
            const bytes = new Uint8Array(await (await window.recorded).arrayBuffer());
            let text = "";
            for (let at = 0; at < bytes.length; at += 32768) {
                text += String.fromCharCode(...bytes.subarray(at, at + 32768));
            }
            return btoa(text);
        }"""
    )
    pictures: list[NDArray[np.uint8]] = []
    sound: list[NDArray[np.float32]] = []
    resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
    with av.open(io.BytesIO(base64.b64decode(encoded))) as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures.append(frame.to_ndarray(format="rgb24"))
            else:
                sound += [mono.to_ndarray()[0] for mono in resampler.resample(frame)]
    shown = np.stack(pictures) if pictures else np.zeros((0, 0, 0, 3), np.uint8)
    return shown, np.concatenate(sound)


async def mouth_movement(page: Page, n_frames: int) -> float:
    """Returns the mean change from frame to frame where the mouth is, in grey levels."""
    return await page.evaluate(
        """async (frames) => {
            const video = document.getElementById("video");
            const context = new OffscreenCanvas(48, 32).getContext("2d", { willReadFrequently: true });
            let before = null;
            let sum = 0;
            for (let index = 0; index <= frames; index++) {
                await new Promise((done) => video.requestVideoFrameCallback(done));
                const { videoWidth: width, videoHeight: height } = video;
                context.drawImage(video, 0.36 * width, 0.5 * height, 0.28 * width, 0.2 * height, 0, 0, 48, 32);
                const now = context.getImageData(0, 0, 48, 32).data;
                const change = (total, value, at) => total + Math.abs(value - before[at]);
                if (before) sum += now.reduce(change, 0) / now.length;
                before = now;
            }
            return sum / frames;
        }""",
        n_frames,
    )
