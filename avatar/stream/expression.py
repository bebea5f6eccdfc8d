"""Which emotion and which gestures each frame has, from the avatar's mood and the cues in its speech."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.motion.controls import NATURAL
from avatar.motion.gestures import LONGEST_GESTURE
from avatar.types import FRAME_RATE, Emotion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from avatar.sync import SoundFrame
    from avatar.types import Cue, Gesture

_EMOTIONS: Final = tuple(Emotion)
_LINGERS: Final = FRAME_RATE * 4 // 5
"""Frames of silence through which an emotion stays after the words that it went with."""

_FADES: Final = FRAME_RATE
"""Frames in which it then gives way to the avatar's mood."""

_EASE: Final = 1 - float(np.exp(-1 / (0.2 * FRAME_RATE)))
"""Share of the way to other controls that is gone in a frame: a time constant of 0.2 s."""


def mixture(intensities: Mapping[Emotion, float]) -> NDArray[np.float32]:
    """Returns the emotion condition of a mixture, float32 (8,) in [0, 1]; neutral adds nothing."""
    values = np.zeros(len(_EMOTIONS), np.float32)
    for emotion, intensity in intensities.items():
        if emotion is not Emotion.NEUTRAL:
            values[_EMOTIONS.index(emotion)] = min(max(intensity, 0.0), 1.0)
    return values


class _Held(NamedTuple):
    """What a frame inherits from the one before.

    Attributes:
        emotion: The cues' emotion, float32 (8,), or None for the mood.
        n_quiet: Frames without speech since it was last spoken with.
        gestures: Those that are under way, with strength and first frame.
        amounts: Controls, float32 (4,) as `avatar.motion.controls` has them, or None before the first frame.
    """

    emotion: NDArray[np.float32] | None = None
    n_quiet: int = 0
    gestures: tuple[tuple[Gesture, float, int], ...] = ()
    amounts: NDArray[np.float32] | None = None


class ExpressionTrack:
    """Which emotion and which gestures each frame has; frames can be taken back.

    Attributes:
        mood: float32 (8,), the emotion where no cue says another.
        energy: What the intensity of every emotion is multiplied by.
        amounts: float32 (4,), controls that are laid on the motion, followed in about half a second.
    """

    def __init__(self) -> None:
        self.mood = np.zeros(len(_EMOTIONS), np.float32)
        self.energy = 1.0
        self.amounts = NATURAL
        self._held: dict[int, _Held] = {}
        self._wanted: list[Cue] = []

    def want(self, cue: Cue) -> None:
        """Has a cue take effect with the next frame that is planned."""
        self._wanted.append(cue)

    def plan(self, index: int, sound: SoundFrame) -> NDArray[np.float32]:
        """Returns the emotion of a frame, float32 (8,), whose predecessor was planned before."""
        held = self._held.get(index - 1, _Held())
        gestures = [gesture for gesture in held.gestures if index - gesture[2] < LONGEST_GESTURE]
        emotion, n_quiet = held.emotion, 0 if sound.speaking else held.n_quiet + 1
        for cue in (*sound.cues, *self._wanted):
            if cue.emotion is not None:
                emotion, n_quiet = mixture(dict(cue.emotion)) if cue.emotion else None, 0
            if cue.gesture is not None:
                gestures.append((cue.gesture, cue.strength, index))
        self._wanted.clear()
        left = 1 - (n_quiet - _LINGERS) / _FADES
        if left <= 0:
            emotion = None
        before = self.amounts if held.amounts is None else held.amounts
        step = self.amounts - before
        amounts = self.amounts if np.abs(step).max() < 1e-3 else (before + _EASE * step).astype(np.float32)
        self._held[index] = _Held(emotion, n_quiet, tuple(gestures), amounts)
        share = min(left, 1.0)
        felt = self.mood if emotion is None else share * emotion + (1 - share) * self.mood
        return np.clip(self.energy * felt, 0, 1).astype(np.float32)

    def gestures(self, start: int, n_frames: int) -> list[tuple[Gesture, float, int]]:
        """Returns the gestures that are under way in frames that were planned, with strength and first frame."""
        frames = (self._held[index].gestures for index in range(start, start + n_frames))
        return list(dict.fromkeys(gesture for gestures in frames for gesture in gestures))

    def controls(self, start: int, n_frames: int) -> NDArray[np.float32]:
        """Returns the controls of frames that were planned, float32 (n_frames, 4)."""
        known = (self._held[index].amounts for index in range(start, start + n_frames))
        return np.stack([NATURAL if amounts is None else amounts for amounts in known])

    def cut(self, first: int) -> None:
        """Takes back the frames from `first` on."""
        for index in [index for index in self._held if index >= first]:
            del self._held[index]

    def forget(self, before: int) -> None:
        """Drops the frames before an index."""
        for index in [index for index in self._held if index < before]:
            del self._held[index]
