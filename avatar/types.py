"""The types that flow between stages.

Time is an integer index everywhere: 25 frames a second, and 640 / 960 / 1 920 samples a frame at 16 / 24 / 48 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FRAME_RATE = 25
"""Frames a second, of pictures, motion and features."""

SPEECH_RATE = 16_000
"""Sample rate in Hz of the sound that models hear."""

OUTPUT_RATE = 48_000
"""Sample rate in Hz of the sound that travels with the picture."""


class AvatarState(StrEnum):
    """What the avatar is doing."""

    IDLE = "idle"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


class Emotion(StrEnum):
    """The emotions that motion is conditioned on, in the order of the model's inputs."""

    NEUTRAL = "neutral"
    HAPPY = "happy"
    SAD = "sad"
    ANGRY = "angry"
    FEAR = "fear"
    DISGUST = "disgust"
    SURPRISE = "surprise"
    CONTEMPT = "contempt"


class Gesture(StrEnum):
    """What a face can do on a word."""

    NOD = "nod"
    SHAKE = "shake"
    TILT = "tilt"
    WINK = "wink"
    LOOK_AWAY = "look away"
    LOOK_DOWN = "look down"
    BROWS_UP = "brows up"


@dataclass(frozen=True, slots=True)
class Cue:
    """What the face does from a moment on.

    Attributes:
        emotion: The emotions from there on, each with its intensity in [0, 1]; none of them is the avatar's own mood,
            and None leaves the emotion as it is.
        gesture: Made once, if any.
        strength: How large the gesture is, in [0, 1].
    """

    emotion: tuple[tuple[Emotion, float], ...] | None = None
    gesture: Gesture | None = None
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of mono sound.

    Attributes:
        samples: float32 (n_samples,) in [-1, 1].
        sample_rate: Hz.
        start: Index of the first sample in its segment.
        cues: What the face does with it: the sample of this chunk at which each cue is due.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    start: int = 0
    cues: tuple[tuple[int, Cue], ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """The end of a segment of continuous agent speech."""

    segment_id: str


@dataclass(frozen=True, slots=True)
class AudioFeatures:
    """Features of sound at 25 frames a second.

    Attributes:
        values: float32 (n_frames, n_features).
        start: Index of the first frame.
    """

    values: NDArray[np.float32]
    start: int


@dataclass(frozen=True, slots=True)
class MotionChunk:
    """Consecutive frames of motion; ``avatar.motion.layout`` names the columns.

    Attributes:
        coefficients: float32 (n_frames, 58).
        start: Index of the first frame.
    """

    coefficients: NDArray[np.float32]
    start: int


@dataclass(frozen=True, slots=True)
class SyncedFrame:
    """A picture with its own sound.

    Attributes:
        rgb: uint8 (height, width, 3).
        audio: float32 (OUTPUT_RATE / 25,) in [-1, 1].
        index: Frame index since the stream began.
        state: What the avatar does in this frame.
    """

    rgb: NDArray[np.uint8]
    audio: NDArray[np.float32]
    index: int
    state: AvatarState


@dataclass(frozen=True, slots=True)
class Playout:
    """How much of a segment the listener really heard.

    Attributes:
        segment_id: The segment.
        position: Samples at OUTPUT_RATE.
        interrupted: Whether the rest was dropped.
    """

    segment_id: str
    position: int
    interrupted: bool
