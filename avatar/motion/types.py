"""What the stream asks of a motion generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from avatar.types import AvatarState, MotionChunk


@dataclass(frozen=True, slots=True)
class Controls:
    """How large the motion is and where the eyes rest.

    Attributes:
        lip_amplitude: 1 is a talking person's, 0.5 quiet, 1.5 emphatic.
        head_amplitude: 1 is natural.
        gaze: Where the eyes rest, (right, up) on the picture in [-1, 1]; (0, 0) is at the viewer.
        energy: How lively head, brows and emotions are; 1 is natural, 0.5 calm.
    """

    lip_amplitude: float = 1.0
    head_amplitude: float = 1.0
    gaze: tuple[float, float] = (0.0, 0.0)
    energy: float = 1.0


@dataclass(frozen=True, slots=True)
class MotionRequest:
    """A request for the next frames of motion on one timeline.

    Both sounds cover the same frames: ``audio_context`` frames before the first frame asked for, the frames asked for,
    and ``look_ahead`` frames after them (attributes of the generator), 640 samples each. What isn't known is zero.

    Attributes:
        start: Index of the first frame asked for; frames before it were generated already, or 0.
        n_frames: How many frames, 4 to 25.
        agent: float32 ((audio_context + n_frames + look_ahead) * 640,), the avatar's own speech at 16 kHz.
        user: float32, same shape, the user's speech at 16 kHz.
        states: The dialogue state of each frame, n_frames long.
        emotion: float32 (n_frames, 8) in [0, 1], intensity of each `Emotion`; all zero is neutral.
        controls: Amplitudes and gaze.
    """

    start: int
    n_frames: int
    agent: NDArray[np.float32]
    user: NDArray[np.float32]
    states: tuple[AvatarState, ...]
    emotion: NDArray[np.float32]
    controls: Controls


class MotionGenerator(Protocol):
    """Makes motion chunk by chunk on one timeline, continuing from what it made before."""

    @property
    def audio_context(self) -> int:
        """Frames of sound that a request carries before its first frame."""
        ...

    @property
    def look_ahead(self) -> int:
        """Frames of sound that a request carries after its last frame; at most 7 (0.28 s)."""
        ...

    def generate(self, request: MotionRequest) -> MotionChunk:
        """Returns the frames asked for."""
        ...

    def truncate(self, frame: int) -> None:
        """Forgets motion from `frame` on, which was never shown; the next request starts there."""
        ...
