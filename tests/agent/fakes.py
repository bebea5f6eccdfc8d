"""Stand-ins for the parts of the voice loop, and for the services it may ask."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from aiohttp import web
from livekit import rtc
from livekit.agents import vad

from agent.recogniser import Recognised
from avatar.types import SPEECH_RATE

WINDOW = 512
"""Samples that `LoudnessVAD` decides on: 32 ms."""


class LoudnessVAD(vad.VAD):
    """Takes loud sound for speech; ends it after `min_silence` seconds.

    Args:
        min_silence: Seconds of silence that end speech.
        lag: Seconds for which it goes on to take silence for speech, as real detectors do.
        threshold: Of 32 768: loud.
    """

    def __init__(self, min_silence: float = 0.32, lag: float = 0.0, threshold: int = 1000) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=WINDOW / SPEECH_RATE))
        self.min_silence = min_silence
        self.lag = lag
        self.threshold = threshold

    def stream(self):
        return _LoudnessStream(self)


class _LoudnessStream(vad.VADStream):
    def __init__(self, detector: LoudnessVAD) -> None:
        super().__init__(detector)
        self._min_silence = detector.min_silence
        self._lag = detector.lag
        self._threshold = detector.threshold

    async def _main_task(self) -> None:
        rest = np.zeros(0, np.int16)
        n_seen, speech, silence, quiet, speaking = 0, 0.0, 0.0, 0.0, False
        self._kept = []
        async for item in self._input_ch:
            if isinstance(item, self._FlushSentinel):
                continue
            rest = np.concatenate([rest, np.frombuffer(item.data, np.int16)])
            while len(rest) >= WINDOW:
                quiet = 0.0 if np.abs(rest[:WINDOW]).max() > self._threshold else quiet + WINDOW / SPEECH_RATE
                loud = not quiet or (speech > 0 and quiet <= self._lag)
                self._kept.append(rest[:WINDOW])
                rest = rest[WINDOW:]
                n_seen += WINDOW
                step = WINDOW / SPEECH_RATE
                speech, silence = (speech + step, 0.0) if loud else (0.0, silence + step)
                self._send(vad.VADEventType.INFERENCE_DONE, n_seen, speech, silence, speaking)
                if speech and not speaking:
                    speaking = True
                    self._send(vad.VADEventType.START_OF_SPEECH, n_seen, speech, silence, speaking)
                elif speaking and silence >= self._min_silence:
                    speaking = False
                    self._send(vad.VADEventType.END_OF_SPEECH, n_seen, speech, silence, speaking)

    def _send(self, kind, n_seen, speech, silence, speaking) -> None:
        sound = np.concatenate(self._kept)
        self._event_ch.send_nowait(
            vad.VADEvent(
                kind,
                frames=[rtc.AudioFrame(sound.tobytes(), SPEECH_RATE, 1, len(sound))],
                samples_index=n_seen,
                timestamp=n_seen / SPEECH_RATE,
                speech_duration=speech,
                silence_duration=silence,
                speaking=speaking,
                raw_accumulated_speech=speech,
                raw_accumulated_silence=silence,
            )
        )


class CountingRecogniser:
    """Says how many tenths of a second of sound it heard, and remembers each."""

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []

    def recognise(self, samples):
        self.heard.append(samples)
        loud = np.flatnonzero(np.abs(samples) > 0.01)
        length = len(loud) / SPEECH_RATE
        return Recognised(f"{length:.1f} seconds" if len(loud) else "", "en", 0.9)


def sound(*seconds: float) -> np.ndarray:
    """Returns silence and loud sound by turns, int16 at 16 kHz; silence first."""
    parts = []
    for index, length in enumerate(seconds):
        n_samples = round(length * SPEECH_RATE)
        parts.append(np.full(n_samples, 8000 * (index % 2), np.int16))
    return np.concatenate(parts)


@dataclass
class FakeService:
    """An OpenAI-compatible service on the loopback, as well-behaved as it is told to be.

    Attributes:
        reply: What its LLM answers.
        transcript: What its speech to text hears.
        status: HTTP status of every answer.
        silent: Whether it takes a question and never answers.
        garbage: Whether it answers with something else.
        requests: Paths and bodies so far.
        keys: Authorization headers so far.
        asked: Set when its LLM is asked.
    """

    reply: str = "Paris is the capital of France. "
    transcript: str = "What is the capital of France?"
    status: int = 200
    silent: bool = False
    garbage: bool = False
    requests: list[tuple[str, object]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self):
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/audio/speech", self._speech)
        app.router.add_post("/v1/audio/transcriptions", self._transcription)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/v1"
        try:
            yield self
        finally:
            self._released.set()
            await runner.cleanup()

    async def _wrong(self, request: web.Request) -> web.Response | None:
        self.keys.append(request.headers.get("Authorization", ""))
        if self.silent:
            await self._released.wait()
        if self.status != 200:
            return web.json_response({"error": {"message": "no, sk-secret is wrong"}}, status=self.status)
        if self.garbage:
            return web.Response(text="<html>rubbish</html>", content_type="text/html")
        return None

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(("chat", await request.json()))
        self.asked.set()
        if wrong := await self._wrong(request):
            return wrong
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in self.reply.split(" ") if self.reply else []:
            delta = {"choices": [{"index": 0, "delta": {"content": word + " "}}], "id": "1", "object": "x"}
            await response.write(f"data: {json.dumps(delta)}\n\n".encode())
        done = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "id": "1", "object": "x"}
        await response.write(f"data: {json.dumps(done)}\n\ndata: [DONE]\n\n".encode())
        await response.write_eof()
        return response

    async def _speech(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(("speech", body))
        if wrong := await self._wrong(request):
            return wrong
        tone = (np.sin(np.arange(24_000) * 0.1) * 8000).astype(np.int16)
        return web.Response(body=tone.tobytes(), content_type="audio/pcm")

    async def _transcription(self, request: web.Request) -> web.Response:
        self.requests.append(("transcription", None))
        await request.read()
        if wrong := await self._wrong(request):
            return wrong
        return web.json_response({"text": self.transcript})
