"""What the generators of face and head know about a clip, and the smooth shapes that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.signal import lfilter

from avatar.types import FRAME_RATE, AvatarState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.corpus.prosody import Prosody

STATES: Final = tuple(AvatarState)
IDLE, LISTENING, THINKING, SPEAKING = range(4)


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip's conditions, frame by frame.

    Attributes:
        states: int8 (n_frames,), index into `STATES`.
        emotion: float32 (n_frames, 8), intensities as asked for (they may step).
        gaze: float32 (n_frames, 2), where the eyes rest, in [-1, 1] (right, up).
        head_amplitude: float32 (n_frames,), 1 is natural.
        agent: Prosody of the agent's own track.
        user: Prosody of the user's track.
        agent_phrase_starts: Frames at which the agent's phrases begin.
        agent_phrase_ends: Frames at which they end.
        user_phrase_ends: Frames at which the user's phrases end.
        mouth_activity: float32 (n_frames,), 1 while the agent articulates.
    """

    states: NDArray[np.int8]
    emotion: NDArray[np.float32]
    gaze: NDArray[np.float32]
    head_amplitude: NDArray[np.float32]
    agent: Prosody
    user: Prosody
    agent_phrase_starts: NDArray[np.int64]
    agent_phrase_ends: NDArray[np.int64]
    user_phrase_ends: NDArray[np.int64]
    mouth_activity: NDArray[np.float32]

    @property
    def n_frames(self) -> int:
        """Length of the clip."""
        return len(self.states)

    def changes(self) -> NDArray[np.int64]:
        """Returns the frames at which the state changes."""
        return np.flatnonzero(np.diff(self.states)) + 1

    def by_state(self, idle: float, listening: float, thinking: float, speaking: float) -> NDArray[np.float64]:
        """Returns a value per frame that follows the state smoothly."""
        values = np.array([idle, listening, thinking, speaking])[self.states]
        return eased(values, 0.25)


def eased(values: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    """Follows values causally without a kink: two one-pole filters of this time constant, along the first axis."""
    pole = np.exp(-1 / (FRAME_RATE * seconds))
    result = np.asarray(values, np.float64)
    for _ in range(2):
        start = result[:1] * pole
        result, _ = lfilter([1 - pole], [1.0, -pole], result, axis=0, zi=start)
    return result


def pink_noise(n_frames: int, rng: np.random.Generator, *, cutoff: float, slope: float = 1.0) -> NDArray[np.float64]:
    """Returns noise of unit variance whose amplitude falls as 1/f^slope above 0.05 Hz and is cut off smoothly, in Hz.

    Slow sway of a quiet head has such a spectrum.
    """
    n = 2 ** int(np.ceil(np.log2(n_frames + 20 * FRAME_RATE)))
    frequencies = np.fft.rfftfreq(n, 1 / FRAME_RATE)
    amplitude = np.maximum(frequencies, 0.05) ** -slope * np.exp(-((frequencies / cutoff) ** 2))
    amplitude[0] = 0.0
    spectrum = amplitude * (rng.standard_normal(len(amplitude)) + 1j * rng.standard_normal(len(amplitude)))
    noise = np.fft.irfft(spectrum, n)
    expected = np.sqrt(4 * (amplitude**2).sum()) / n
    return noise[:n_frames] / expected


def add_pulse(curve: NDArray[np.float64], start: float, rise: float, hold: float, fall: float, height: float) -> None:
    """Adds a bump with minimum-jerk flanks to a curve, in place.

    Args:
        curve: (n_frames,).
        start: Seconds at which it begins.
        rise: Seconds of its rise; `hold` of its top and `fall` of its end likewise.
        hold: Seconds.
        fall: Seconds.
        height: Its top.
    """
    first = max(0, int(start * FRAME_RATE))
    last = min(len(curve), int((start + rise + hold + fall) * FRAME_RATE) + 2)
    t = (np.arange(first, last) + 0.5) / FRAME_RATE - start
    curve[first:last] += height * np.minimum(_rise(t / rise), 1 - _rise((t - rise - hold) / fall))


def _rise(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x * x)


def steps(n_frames: int, times: list[float], values: list[float], durations: list[float]) -> NDArray[np.float64]:
    """Returns a curve that moves to each value at its time, by a minimum-jerk rise of the given duration in seconds."""
    t = (np.arange(n_frames) + 0.5) / FRAME_RATE
    curve = np.full(n_frames, values[0])
    for previous, value, time, duration in zip(values[:-1], values[1:], times[1:], durations[1:], strict=True):
        curve += (value - previous) * _rise((t - time) / max(duration, 1e-3))
    return curve
