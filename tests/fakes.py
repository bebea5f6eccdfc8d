"""Stand-ins for the slow or random parts of the stream, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import wave
from typing import TYPE_CHECKING

import numpy as np

from avatar.audio import to_int16
from avatar.motion.layout import INDEX, N_MOTION
from avatar.sync import SPEECH_SAMPLES
from avatar.types import FRAME_RATE, OUTPUT_RATE, AudioChunk, MotionChunk

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from avatar.motion.types import MotionRequest


class LoudnessGenerator:
    """Opens the jaw by the frame's own loudness; the pose carries what else a request holds.

    Yaw is the loudness of the whole window, pitch that of the user's sound in the frame, x the frame's index in
    thousands, and y the state's place in the alphabet. A request that does not continue the timeline fails.
    """

    def __init__(self, audio_context: int = 10, look_ahead: int = 5) -> None:
        self.audio_context = audio_context
        self.look_ahead = look_ahead
        self.requests: list[MotionRequest] = []
        self.end = 0

    def generate(self, request: MotionRequest) -> MotionChunk:
        assert request.start == self.end, (request.start, self.end)
        assert 4 <= request.n_frames <= 25
        assert len(request.states) == request.n_frames
        assert request.emotion.shape == (request.n_frames, 8)
        n_samples = (self.audio_context + request.n_frames + self.look_ahead) * SPEECH_SAMPLES
        assert request.agent.shape == request.user.shape == (n_samples,)
        self.requests.append(request)
        self.end += request.n_frames
        motion = np.zeros((request.n_frames, N_MOTION), np.float32)
        motion[:, INDEX["jawOpen"]] = self._loudness(request.agent)[self.audio_context :][: request.n_frames]
        motion[:, INDEX["yaw"]] = np.abs(request.agent).mean()
        motion[:, INDEX["pitch"]] = self._loudness(request.user)[self.audio_context :][: request.n_frames]
        motion[:, INDEX["x"]] = np.arange(request.start, self.end) / 1000
        motion[:, INDEX["y"]] = [ord(state.value[0]) / 1000 for state in request.states]
        return MotionChunk(motion, request.start)

    def truncate(self, frame: int) -> None:
        assert frame <= self.end
        self.end = frame

    @staticmethod
    def _loudness(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.abs(samples.reshape(-1, SPEECH_SAMPLES)).max(axis=1)


class FlashRenderer:
    """Draws a grey picture, brighter the wider the jaw; its first row carries the motion itself."""

    def __init__(self, size: tuple[int, int] = (64, 96)) -> None:
        self.size = size
        self.n_drawn = 0

    def render(self, coefficients: NDArray[np.float32]) -> NDArray[np.uint8]:
        self.n_drawn += 1
        return np.full((*self.size, 3), np.clip(255 * coefficients[INDEX["jawOpen"]], 0, 255), np.uint8)


class MotionRenderer(FlashRenderer):
    """Draws pictures that hold the motion bit by bit, so that pictures are equal only if motion is."""

    def render(self, coefficients: NDArray[np.float32]) -> NDArray[np.uint8]:
        picture = np.zeros((*self.size, 3), np.uint8)
        data = np.frombuffer(coefficients.astype(np.float32).tobytes(), np.uint8)
        picture.reshape(-1)[: len(data)] = data
        return picture


def motion_in(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the motion, float32 (58,), that a `MotionRenderer` drew."""
    return np.frombuffer(picture.reshape(-1)[: 4 * N_MOTION].tobytes(), np.float32)


class ManualClock:
    """Stands still until it is moved; sleepers wake in order."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self._now

    async def sleep_until(self, moment: float) -> None:
        if moment > self._now:
            event = asyncio.Event()
            self._sleepers.append((moment, event))
            await event.wait()

    def advance(self, seconds: float) -> None:
        self._now += seconds
        for moment, event in self._sleepers:
            if moment <= self._now + 1e-9:
                event.set()
        self._sleepers = [(moment, event) for moment, event in self._sleepers if not event.is_set()]


def voice(seconds: float, rate: int = OUTPUT_RATE, seed: int = 0) -> NDArray[np.float32]:
    """Returns noise whose loudness changes every frame, float32 (n,) at `rate` Hz."""
    random = np.random.default_rng(seed)
    n_samples = round(seconds * rate)
    loudness = np.repeat(random.uniform(0.05, 0.5, int(seconds * FRAME_RATE) + 2), rate // FRAME_RATE)[:n_samples]
    return (random.uniform(-1, 1, n_samples) * loudness).astype(np.float32)


def chunk(samples: NDArray[np.float32], rate: int = OUTPUT_RATE) -> AudioChunk:
    return AudioChunk(samples, rate)


def spoken(seconds: float, rate: int = 16_000) -> NDArray[np.float32]:
    """Returns syllables of gliding vowels, enough of a voice for a voice activity detector, float32 (n,)."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    vowel = 0.5 + 0.5 * np.sin(2 * np.pi * 1.3 * time)
    formants = ((350 + 400 * vowel, 80, 1.0), (2200 - 1100 * vowel, 120, 0.5), (2700, 180, 0.2))
    sound = np.zeros(len(time))
    for k in range(1, 30):
        gain = sum(level / (1 + ((k * pitch - centre) / width) ** 2) for centre, width, level in formants)
        sound += gain / np.sqrt(k) * np.sin(k * phase)
    syllables = np.clip(np.sin(2 * np.pi * 2.2 * time) + 0.3, 0, 1)
    return (0.4 * syllables * sound / np.abs(sound).max()).astype(np.float32)


def write_wav(path: Path, samples: NDArray[np.float32], rate: int = 16_000, n_channels: int = 1) -> Path:
    """Writes a 16-bit WAV file with the same sound on each channel; returns its path."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(n_channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(to_int16(samples), n_channels).tobytes())
    return path
