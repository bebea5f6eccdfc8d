"""What the motion model hears: phonetic features and prosody at 25 frames a second.

Phonetic features are hidden states of the Whisper encoder (50 a second), averaged in pairs. They are computed on a
window that ends `LOOK_AHEAD` frames after the chunk being made, at least `MIN_WINDOW` frames long, afresh for every
chunk: within a window, attention lets a frame's features depend on all of its sound, so the same frame differs a little
from one window to the next. Training draws its windows the same way. How the sound arrived (in which pieces) makes no
difference, because a window is always a whole number of frames of the timeline.

Prosody (log energy, fundamental frequency, voicing) depends on a frame and 192 samples on either side only, so it is
the same in every window that holds these.

A window of silence is not encoded: its features are one constant, so a listening or idle avatar costs almost nothing.
Nor is most of the silence before speech: the first picture of an answer waits for its features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from avatar.types import FRAME_RATE, SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES_PER_FRAME: Final = SPEECH_RATE // FRAME_RATE

LOOK_AHEAD: Final = 7
"""Frames of sound after a chunk (0.28 s)."""

CONDITION_PAST: Final = 18
"""Frames of features before a chunk that the network sees."""

MIN_CHUNK: Final = 4
MAX_CHUNK: Final = 25

MIN_WINDOW: Final = 32
"""Least length in frames of the encoder's window; shorter ones blur its phones (1.28 s)."""

AUDIO_CONTEXT: Final = max(CONDITION_PAST, MIN_WINDOW - LOOK_AHEAD - MIN_CHUNK)
"""Frames of sound before a chunk that fill the shortest chunk's window."""

N_PROSODY: Final = 3

SILENCE_LEVEL: Final = 1e-4
"""Peak below which a window counts as silence (-80 dB of full scale)."""

_LEAST_ENCODED: Final = 20
"""Frames of a window that are encoded at least, be it silence: with those, what motion is made of the speech after it
differs no more than from one window to the next (jaw .005 of .097, seal .038 of .197), and a third is saved."""

_AUDIBLE: Final = 0.45
"""Log energy above which something is said (-44 dB)."""

_LASTS: Final = 10
_SMOOTHED: Final = 3
_BEGINS: Final = LOOK_AHEAD - _SMOOTHED
"""Frames that an utterance outlasts its sound, half of its fading, and that it begins before its sound."""

_FLOOR_DB: Final = -80.0
_PITCH_WINDOW: Final = 1024
_PITCH_LOW: Final = 70.0
_PITCH_HIGH: Final = 420.0
_PITCH_CENTRE: Final = 160.0
_VOICED: Final = 0.5


class Encoder(Protocol):
    """Gives hidden states at 50 a second, float32 (n_states, n_hidden)."""

    @property
    def n_hidden(self) -> int:
        """Width of the hidden states."""
        ...

    def encode(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns one hidden state for every 320 samples at 16 kHz."""
        ...


class SpeechFeatures:
    """Turns windows of the agent's speech into features.

    Attributes:
        n_features: Width of the features: hidden states, then prosody.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.n_features = encoder.n_hidden + N_PROSODY
        self._silence = _pairs(encoder.encode(np.zeros(MIN_WINDOW * SAMPLES_PER_FRAME, np.float32))).mean(axis=0)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns features of one window, float32 (n_frames, n_features).

        Args:
            samples: float32 (n_frames * 640,) at 16 kHz.
        """
        n_frames = len(samples) // SAMPLES_PER_FRAME
        loud = np.flatnonzero(np.abs(samples) >= SILENCE_LEVEL)
        hidden = np.tile(self._silence, (n_frames, 1))
        if len(loud):
            n_skipped = min(int(loud[0]) // SAMPLES_PER_FRAME, max(0, n_frames - _LEAST_ENCODED))
            hidden[n_skipped:] = _pairs(self._encoder.encode(samples[n_skipped * SAMPLES_PER_FRAME :]))
        return np.concatenate([hidden, prosody(samples)], axis=1)


def window_frames(n_frames: int) -> int:
    """Returns the length in frames of the encoder's window for a chunk; it ends `LOOK_AHEAD` after the chunk."""
    return max(MIN_WINDOW, CONDITION_PAST + n_frames + LOOK_AHEAD)


def prosody(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns log energy, pitch and voicing of each frame, float32 (n_frames, 3).

    Log energy is 0 at -80 dB of full scale or less and 1 at 0 dB. Pitch is in octaves from 160 Hz, and 0 where there is
    none. Voicing is 1 or 0: whether the normalised autocorrelation (Boersma 1993, without interpolation) over 64 ms
    reaches 0.5 at a lag between 1/420 and 1/70 s.

    Args:
        samples: float32 (n_frames * 640,) at 16 kHz.
    """
    n_frames = len(samples) // SAMPLES_PER_FRAME
    frames = samples[: n_frames * SAMPLES_PER_FRAME].reshape(n_frames, SAMPLES_PER_FRAME)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    decibels = 10 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))
    result = np.zeros((n_frames, N_PROSODY), np.float32)
    result[:, 0] = 1 - decibels / _FLOOR_DB
    loud = np.flatnonzero(decibels > _FLOOR_DB + 20)
    if len(loud):
        frequency, strength = _pitch(samples, loud)
        voiced = strength >= _VOICED
        result[loud, 1] = np.where(voiced, np.log2(frequency / _PITCH_CENTRE), 0)
        result[loud, 2] = voiced
    return result


def utterance(energy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns how far each frame belongs to an utterance, in [0, 1], float32 (n_frames,).

    It begins a little before the first sound, lasts through the pauses between words, and passes smoothly. What it says
    of a frame depends on the frames seen before and after it only, so chunks join.

    Args:
        energy: float32 (CONDITION_PAST + n_frames + LOOK_AHEAD,), log energy of the frames and those around them.
    """
    near = np.lib.stride_tricks.sliding_window_view(energy > _AUDIBLE, _LASTS + _BEGINS + 1).any(axis=1)
    weights = np.hanning(2 * _SMOOTHED + 3)[1:-1]
    smooth = np.convolve(near, weights / weights.sum(), "valid")
    return smooth[-(len(energy) - CONDITION_PAST - LOOK_AHEAD) :].astype(np.float32)


def _pitch(samples: NDArray[np.float32], frames: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the frequency in Hz of the strongest period around each frame, and how strong it is, at most about 1."""
    margin = (_PITCH_WINDOW - SAMPLES_PER_FRAME) // 2
    padded = np.pad(samples, margin)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, _PITCH_WINDOW)[frames * SAMPLES_PER_FRAME]
    taper = np.hanning(_PITCH_WINDOW)
    shifts = np.arange(int(SPEECH_RATE / _PITCH_HIGH), int(SPEECH_RATE / _PITCH_LOW) + 1)
    correlation = _autocorrelation((pieces - pieces.mean(axis=1, keepdims=True)) * taper)
    reference = _autocorrelation(taper[None])
    normalised = correlation[:, shifts] / reference[:, shifts]
    normalised *= (reference[:, 0] / np.maximum(correlation[:, 0], 1e-12))[:, None]
    # A period fits at its multiples too; a slight slope prefers the shortest.
    best = np.argmax(normalised * (1 - 0.1 * shifts / shifts[-1]), axis=1)
    return SPEECH_RATE / shifts[best], normalised[np.arange(len(frames)), best]


def _autocorrelation(pieces: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.fft.irfft(np.abs(np.fft.rfft(pieces, 2 * _PITCH_WINDOW)) ** 2)[:, :_PITCH_WINDOW]


def _pairs(hidden: NDArray[np.float32]) -> NDArray[np.float32]:
    return hidden.reshape(-1, 2, hidden.shape[1]).mean(axis=1)
