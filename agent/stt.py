"""Streaming Whisper as livekit-agents' speech to text."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from livekit import rtc
from livekit.agents import stt, utils, vad
from livekit.agents.language import LanguageCode
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr

from agent.quiet import QuietTail
from agent.recogniser import LONGEST
from agent.steady import VOICE_NICENESS, yielding_thread
from agent.vad import PREFIX
from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.options import WhisperOptions
    from agent.recogniser import Recognised

_SPLIT: Final = round((LONGEST - 2.0) * SPEECH_RATE)
"""Samples after which a long utterance is written down, and the next piece begins."""

_PARTIAL_SHARE: Final = 3
"""A partial transcript every so many times as long as one takes, at most."""

_LEAST_PARTIAL: Final = round(0.6 * SPEECH_RATE)
"""Samples below which a partial transcript is a guess."""

_DIP: Final = round(0.04 * SPEECH_RATE)
"""Samples of quiet, as between words, at which a partial transcript is made: who stops there has been heard already."""

_PATIENCE: Final = 2
"""A partial transcript waits for a dip until it is so many times as long overdue."""


class Recognises(Protocol):
    """Turns an utterance into words."""

    def recognise(self, samples: NDArray[np.float32]) -> Recognised:
        """Returns what was said in float32 (n_samples,) at 16 kHz."""
        ...


class WhisperSTT(stt.STT[str]):
    """Whisper with partial transcripts while the user speaks.

    A detector of its own finds utterances. Recognition runs in one worker thread; what arrives meanwhile waits in the
    utterance's buffer, so sound is never held up. When the user pauses, the transcript is prepared before the detector
    is certain, and the final transcript is that one if no speech followed.
    """

    def __init__(self, recogniser: Recognises, detector: vad.VAD, options: WhisperOptions) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.recogniser = recogniser
        self.detector = detector
        self.options = options
        self.worker = yielding_thread("whisper", VOICE_NICENESS)

    @property
    def model(self) -> str:
        """The model's name."""
        return "whisper-base"

    @property
    def provider(self) -> str:
        """Where it runs."""
        return "embedded"

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        frame = rtc.combine_audio_frames(buffer)
        resampler = rtc.AudioResampler(frame.sample_rate, SPEECH_RATE) if frame.sample_rate != SPEECH_RATE else None
        frames = [*resampler.push(frame), *resampler.flush()] if resampler else [frame]
        sound = np.concatenate([np.frombuffer(piece.data, np.int16) for piece in frames])
        loop = asyncio.get_running_loop()
        said = await loop.run_in_executor(self.worker, self.recogniser.recognise, _to_float(sound))
        return _event(stt.SpeechEventType.FINAL_TRANSCRIPT, said)

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        """Returns a stream with a state of its own."""
        return _WhisperStream(self, conn_options)

    async def aclose(self) -> None:
        """Ends the worker."""
        self.worker.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class _Utterance:
    """Speech since its first sound, and what is known of it.

    Attributes:
        first: Index of its first sample in the stream.
        judged: Index after the last sample that was judged.
        voiced: Index after its last sample with speech.
        tail: How long it has been quiet.
        heard: Index after the last sample that was recognised.
        said: What was recognised until `heard`.
        offered: Value of `heard` when the transcript was last offered as stable.
    """

    first: int
    judged: int
    voiced: int
    tail: QuietTail = field(default_factory=lambda: QuietTail(SPEECH_RATE))
    heard: int = 0
    said: Recognised | None = None
    offered: int = 0


class _WhisperStream(stt.RecognizeStream):
    def __init__(self, whisper: WhisperSTT, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=whisper, conn_options=conn_options, sample_rate=SPEECH_RATE)
        self._whisper = whisper
        self._sound = np.zeros(0, np.int16)
        self._sound_start = 0
        self._utterance: _Utterance | None = None
        self._running: asyncio.Task[None] | None = None
        self._n_behind = 0

    @property
    def _n_seen(self) -> int:
        return self._sound_start + len(self._sound)

    async def _run(self) -> None:
        detector = self._whisper.detector.stream()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._forward(detector))
                tasks.create_task(self._follow(detector))
        finally:
            await detector.aclose()
            if self._running:
                await utils.aio.cancel_and_wait(self._running)

    async def _forward(self, detector: vad.VADStream) -> None:
        async for item in self._input_ch:
            if isinstance(item, self._FlushSentinel):
                continue
            self._sound = np.concatenate([self._sound, np.frombuffer(item.data, np.int16)])
            detector.push_frame(item)
        detector.end_input()

    async def _follow(self, detector: vad.VADStream) -> None:
        async for event in detector:
            now = round(event.timestamp * SPEECH_RATE)  # the detector may lag behind the sound
            if event.type is vad.VADEventType.START_OF_SPEECH:
                begun = now - round((event.speech_duration + PREFIX) * SPEECH_RATE)
                first = max(begun, self._sound_start)
                self._utterance = _Utterance(first=first, judged=first, voiced=now)
                self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.START_OF_SPEECH))
            elif event.type is vad.VADEventType.INFERENCE_DONE and self._utterance is None:
                self._drop(now - round(3 * PREFIX * SPEECH_RATE))
            elif event.type is vad.VADEventType.INFERENCE_DONE and self._utterance:
                await self._while_speaking(self._utterance, event, now)
            elif event.type is vad.VADEventType.END_OF_SPEECH and self._utterance:
                await self._finish(self._utterance)
                self._utterance = None
                self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.END_OF_SPEECH))
        if self._utterance:
            await self._finish(self._utterance)

    async def _while_speaking(self, utterance: _Utterance, event: vad.VADEvent, now: int) -> None:
        self._judge(utterance, now, speech=event.raw_accumulated_speech > 0)
        if now - utterance.first > _SPLIT:
            await self._finish(utterance)
            self._utterance = _Utterance(first=max(utterance.heard, now), judged=now, voiced=now)
            return
        if self._running and not self._running.done():
            return
        quiet = now - utterance.voiced
        unheard = utterance.voiced - max(utterance.heard, utterance.first)
        due = max(self._refresh, 0 if utterance.said else _LEAST_PARTIAL)
        if quiet >= self._whisper.options.pause * SPEECH_RATE:
            if unheard > 0:
                self._recognise(utterance, stt.SpeechEventType.PREFLIGHT_TRANSCRIPT)
            else:
                self._offer(utterance)
        elif unheard >= (due if quiet >= _DIP else _PATIENCE * due):
            self._recognise(utterance, stt.SpeechEventType.INTERIM_TRANSCRIPT)

    def _judge(self, utterance: _Utterance, now: int, *, speech: bool) -> None:
        """Notes how far there is speech."""
        utterance.tail.push(self._sound[utterance.judged - self._sound_start : now - self._sound_start], speech=speech)
        utterance.judged = now
        utterance.voiced = now - round(utterance.tail.seconds * SPEECH_RATE)

    def _recognise(self, utterance: _Utterance, kind: stt.SpeechEventType) -> None:
        self._running = asyncio.create_task(self._hear(utterance, kind))

    @property
    def _refresh(self) -> int:
        """Samples between partial transcripts: more where they take long, so that the last one need not wait."""
        return max(round(self._whisper.options.refresh * SPEECH_RATE), _PARTIAL_SHARE * self._n_behind)

    async def _hear(self, utterance: _Utterance, kind: stt.SpeechEventType | None) -> None:
        until = self._n_seen
        sound = self._sound[utterance.first - self._sound_start :]
        loop = asyncio.get_running_loop()
        said = await loop.run_in_executor(self._whisper.worker, self._whisper.recogniser.recognise, _to_float(sound))
        self._n_behind = self._n_seen - until
        utterance.said, utterance.heard = said, until
        pause = round(self._whisper.options.pause * SPEECH_RATE)
        if kind and utterance.voiced <= until and utterance.judged - utterance.voiced >= pause:
            self._offer(utterance)
        elif kind and said.text:
            self._event_ch.send_nowait(_event(stt.SpeechEventType.INTERIM_TRANSCRIPT, said))

    def _offer(self, utterance: _Utterance) -> None:
        """Sends the transcript as one that stands unless the user goes on, once."""
        if utterance.said and utterance.said.text and utterance.offered < utterance.heard:
            utterance.offered = utterance.heard
            self._event_ch.send_nowait(_event(stt.SpeechEventType.PREFLIGHT_TRANSCRIPT, utterance.said))

    async def _finish(self, utterance: _Utterance) -> None:
        """Sends the final transcript: the last one, if all speech was in it."""
        if self._running:
            await self._running
        if utterance.voiced > utterance.heard or utterance.said is None:
            await self._hear(utterance, None)
        if utterance.said and utterance.said.text:
            self._event_ch.send_nowait(_event(stt.SpeechEventType.FINAL_TRANSCRIPT, utterance.said))
        usage = stt.RecognitionUsage(audio_duration=(utterance.voiced - utterance.first) / SPEECH_RATE)
        self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.RECOGNITION_USAGE, recognition_usage=usage))

    def _drop(self, before: int) -> None:
        """Forgets samples before an index of the stream."""
        excess = before - self._sound_start
        if excess > 0:
            self._sound = self._sound[excess:]
            self._sound_start = before


def _event(kind: stt.SpeechEventType, said: Recognised) -> stt.SpeechEvent:
    data = stt.SpeechData(language=LanguageCode(said.language), text=said.text, confidence=said.confidence)
    return stt.SpeechEvent(kind, alternatives=[data])


def _to_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    return samples.astype(np.float32) / np.float32(32768)
