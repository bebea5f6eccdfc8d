"""Voice activity detection: WebRTC's detector behind livekit's interface, and Silero's with our options.

`VoicedVAD` counts what livekit interrupts by: its detectors add the silence after a cough to the cough.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import webrtcvad
from livekit import rtc
from livekit.agents import utils, vad

from agent.quiet import QuietTail
from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from agent.options import SileroOptions, WebRtcOptions

PREFIX: Final = 0.3
"""Seconds of sound before the first window of speech that belong to the utterance: soft onsets."""

_WINDOW: Final = 320
"""Samples that WebRTC's detector decides on: 20 ms."""

_VOTES: Final = 5
"""Windows whose share of speech is the probability: single windows flicker."""

_ENTER: Final = 0.6
_LEAVE: Final = 0.2
_LONGEST: Final = 60.0


def silero_vad(options: SileroOptions) -> vad.VAD:
    """Returns Silero's detector (Silero Team 2021), loaded."""
    from livekit.plugins import silero  # noqa: PLC0415 - loads onnxruntime

    return silero.VAD.load(
        min_speech_duration=options.min_speech,
        min_silence_duration=options.min_silence,
        prefix_padding_duration=PREFIX,
        activation_threshold=options.threshold,
    )


class WebRtcVAD(vad.VAD):
    """WebRTC's detector: a Gaussian mixture over six bands, 20 ms at a time, smoothed over 100 ms."""

    def __init__(self, options: WebRtcOptions) -> None:
        super().__init__(capabilities=vad.VADCapabilities(update_interval=_WINDOW / SPEECH_RATE))
        self.options = options

    @property
    def model(self) -> str:
        """The detector's name."""
        return "webrtc"

    @property
    def provider(self) -> str:
        """Where it runs."""
        return "embedded"

    @property
    def min_silence_duration(self) -> float:
        """Seconds of silence that end speech."""
        return self.options.min_silence

    def stream(self) -> vad.VADStream:
        """Returns a stream with a state of its own."""
        return _WebRtcStream(self)


class _WebRtcStream(vad.VADStream):
    def __init__(self, detector: WebRtcVAD) -> None:
        super().__init__(detector)
        self._options = detector.options

    async def _main_task(self) -> None:
        gate = SpeechGate(self._options)
        resampler: rtc.AudioResampler | None = None
        async for item in self._input_ch:
            if isinstance(item, self._FlushSentinel):
                gate, resampler = SpeechGate(self._options), None
                continue
            frames = [item]
            if item.sample_rate != SPEECH_RATE:
                resampler = resampler or rtc.AudioResampler(item.sample_rate, SPEECH_RATE)
                frames = resampler.push(item)
            for frame in frames:
                for event in gate.push(np.frombuffer(frame.data, np.int16)):
                    self._event_ch.send_nowait(event)


@dataclass
class SpeechGate:
    """Turns WebRTC's decisions into livekit's events.

    Attributes:
        options: Aggressiveness and durations.
    """

    options: WebRtcOptions
    _detector: webrtcvad.Vad = field(init=False)
    _votes: deque[bool] = field(default_factory=lambda: deque(maxlen=_VOTES))
    _rest: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    _kept: list[NDArray[np.int16]] = field(default_factory=list)
    _n_seen: int = 0
    _speech: float = 0.0
    _silence: float = 0.0
    _state_duration: float = 0.0
    _speaking: bool = False

    def __post_init__(self) -> None:
        """Makes the detector."""
        self._detector = webrtcvad.Vad(self.options.aggressiveness)

    def push(self, samples: NDArray[np.int16]) -> Iterator[vad.VADEvent]:
        """Yields the events of the whole windows in int16 (n_samples,) at 16 kHz; keeps the rest."""
        sound = np.concatenate([self._rest, samples])
        n_windows = len(sound) // _WINDOW
        self._rest = sound[n_windows * _WINDOW :]
        for window in sound[: n_windows * _WINDOW].reshape(n_windows, _WINDOW):
            yield from self._step(window)

    def _step(self, window: NDArray[np.int16]) -> Iterator[vad.VADEvent]:
        started = time.perf_counter()
        self._votes.append(self._detector.is_speech(window.tobytes(), SPEECH_RATE))
        probability = sum(self._votes) / _VOTES
        duration = _WINDOW / SPEECH_RATE
        self._n_seen += _WINDOW
        self._state_duration += duration
        self._keep(window)
        if probability >= (_LEAVE + 1e-6 if self._speaking else _ENTER):
            self._speech, self._silence = self._speech + duration, 0.0
        else:
            self._speech, self._silence = 0.0, self._silence + duration
        yield self._event(
            vad.VADEventType.INFERENCE_DONE, [window], probability=probability, took=time.perf_counter() - started
        )
        if not self._speaking and self._speech >= self.options.min_speech:
            self._speaking, self._state_duration = True, self._speech
            yield self._event(vad.VADEventType.START_OF_SPEECH, self._kept)
        elif self._speaking and self._silence >= self.options.min_silence:
            self._speaking = False
            event = self._event(vad.VADEventType.END_OF_SPEECH, self._kept)
            event.speech_duration = max(0.0, self._state_duration - self._silence)
            self._state_duration = self._silence
            yield event

    def _keep(self, window: NDArray[np.int16]) -> None:
        self._kept.append(window)
        longest = _LONGEST if self._speaking or self._speech else PREFIX
        excess = len(self._kept) - round(longest * SPEECH_RATE / _WINDOW)
        if excess > 0:
            del self._kept[:excess]

    def _event(
        self,
        kind: vad.VADEventType,
        windows: list[NDArray[np.int16]],
        *,
        probability: float = 0.0,
        took: float = 0.0,
    ) -> vad.VADEvent:
        sound = np.concatenate(windows)
        return vad.VADEvent(
            type=kind,
            samples_index=self._n_seen,
            timestamp=self._n_seen / SPEECH_RATE,
            speech_duration=self._state_duration if self._speaking else 0.0,
            silence_duration=self._silence if kind is vad.VADEventType.END_OF_SPEECH else self._quiet(),
            frames=[rtc.AudioFrame(sound.tobytes(), SPEECH_RATE, 1, len(sound))],
            probability=probability,
            inference_duration=took,
            speaking=self._speaking,
            raw_accumulated_silence=self._silence,
            raw_accumulated_speech=self._speech,
        )

    def _quiet(self) -> float:
        return 0.0 if self._speaking else self._state_duration


class VoicedVAD(vad.VAD):
    """A detector whose speech lasts as long as there was voice in it, not until its end is certain or noticed.

    Args:
        detector: Finds the speech.
        on_window: Told about every window of sound that was judged.
    """

    def __init__(self, detector: vad.VAD, on_window: Callable[[vad.VADEvent], None] | None = None) -> None:
        super().__init__(capabilities=detector.capabilities)
        self.detector = detector
        self.on_window = on_window

    @property
    def model(self) -> str:
        """The detector's name."""
        return self.detector.model

    @property
    def provider(self) -> str:
        """Where it runs."""
        return self.detector.provider

    @property
    def min_silence_duration(self) -> float | None:
        """Seconds of silence that end speech."""
        return getattr(self.detector, "min_silence_duration", None)

    def stream(self) -> vad.VADStream:
        """Returns a stream with a state of its own."""
        return _VoicedStream(self)


class _VoicedStream(vad.VADStream):
    def __init__(self, voiced: VoicedVAD) -> None:
        super().__init__(voiced)
        self._inner = voiced.detector.stream()
        self._on_window = voiced.on_window

    async def _main_task(self) -> None:
        forwarding = asyncio.create_task(self._forward(), name="voice detection")
        silence = before = 0.0
        tail = QuietTail(SPEECH_RATE)
        try:
            async for event in self._inner:
                told = event
                if event.type is vad.VADEventType.START_OF_SPEECH:
                    silence, tail = 0.0, QuietTail(event.frames[0].sample_rate)
                    tail.push(_samples(event), speech=True)
                elif event.type is vad.VADEventType.INFERENCE_DONE:
                    silence += event.timestamp - before if event.raw_accumulated_silence > 0 else 0.0
                    before = event.timestamp
                    tail.push(_samples(event), speech=event.raw_accumulated_speech > 0)
                    unnoticed = max(0.0, tail.seconds - event.raw_accumulated_silence) if event.speaking else 0.0
                    told = replace(event, speech_duration=max(0.0, event.speech_duration - silence - unnoticed))
                    if self._on_window:
                        self._on_window(told)
                self._event_ch.send_nowait(told)
        finally:
            await utils.aio.cancel_and_wait(forwarding)
            await self._inner.aclose()

    async def _forward(self) -> None:
        async for item in self._input_ch:
            if isinstance(item, self._FlushSentinel):
                self._inner.flush()
            else:
                self._inner.push_frame(item)
        self._inner.end_input()


def _samples(event: vad.VADEvent) -> NDArray[np.int16]:
    return np.frombuffer(event.frames[0].data, np.int16)
