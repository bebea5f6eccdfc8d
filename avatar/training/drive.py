"""Runs a motion generator over clips as a live stream does: chunk after chunk, each from the motion before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion import features
from avatar.motion.articulation import seal_lips
from avatar.motion.features import SAMPLES_PER_FRAME
from avatar.motion.layout import N_MOTION
from avatar.motion.states import STATES
from avatar.motion.types import Controls, MotionGenerator, MotionRequest
from avatar.training.dataset import Clip, to_float

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from avatar.types import AvatarState

CHUNK_SIZES: Final = (8, 12, 25, 4, 16)


@dataclass(frozen=True, slots=True)
class Run:
    """Motion made for a clip.

    Attributes:
        motion: float32 (n_frames, 58), sealed.
        boundaries: First frames of its chunks.
    """

    motion: NDArray[np.float32]
    boundaries: tuple[int, ...]


def drive(generator: MotionGenerator, clip: Clip, sizes: Sequence[int] = CHUNK_SIZES) -> Run:
    """Returns the generator's motion for a clip, made in chunks of the given sizes in turn."""
    context, ahead = generator.audio_context, generator.look_ahead
    margin = (context * SAMPLES_PER_FRAME, (ahead + features.MAX_CHUNK) * SAMPLES_PER_FRAME)
    agent, user = (np.pad(to_float(sound), margin) for sound in (clip.agent, clip.user))
    chunks: list[NDArray[np.float32]] = []
    boundaries: list[int] = []
    start = 0
    while start < clip.n_frames:
        n_frames = sizes[len(chunks) % len(sizes)]
        frames = np.minimum(np.arange(start, start + n_frames), clip.n_frames - 1)
        cut = slice(start * SAMPLES_PER_FRAME, (start + context + n_frames + ahead) * SAMPLES_PER_FRAME)
        lips, head, right, up = clip.controls[start].tolist()
        request = MotionRequest(
            start,
            n_frames,
            agent[cut],
            user[cut],
            tuple(STATES[index] for index in clip.states[frames]),
            clip.emotion[frames],
            Controls(lips, head, (right, up)),
        )
        chunks.append(generator.generate(request).coefficients)
        boundaries.append(start)
        start += n_frames
    return Run(np.concatenate(chunks)[: clip.n_frames], tuple(boundaries))


def labels(clip: Clip) -> NDArray[np.float32]:
    """Returns the corpus's own motion with its lips sealed, float32 (n_frames, 58)."""
    channels = clip.channels
    return seal_lips(channels[:, :N_MOTION], channels[:, N_MOTION], channels[:, N_MOTION + 1])


def clip_of(sound: NDArray[np.float32], state: AvatarState, emotion: NDArray[np.float32] | None = None) -> Clip:
    """Returns a clip of sound alone, in one state and mood; it has no labels.

    Args:
        sound: float32 (n_samples,) at 16 kHz, the agent's; cut to whole frames.
        state: The dialogue state throughout.
        emotion: float32 (8,), or None for neutral.
    """
    n_frames = len(sound) // SAMPLES_PER_FRAME
    agent = (sound[: n_frames * SAMPLES_PER_FRAME].clip(-1, 1) * 32767).astype(np.int16)
    mood = np.zeros(8, np.float32) if emotion is None else emotion
    return Clip(
        agent=agent,
        user=np.zeros_like(agent),
        channels=np.zeros((n_frames, N_MOTION + 2), np.float32),
        states=np.full(n_frames, STATES.index(state), np.int8),
        emotion=np.tile(mood, (n_frames, 1)),
        controls=np.tile(np.array([1, 1, 0, 0], np.float32), (n_frames, 1)),
        phones=(),
        user_phrase_ends=np.zeros(0, np.float32),
        voice="",
    )


def with_sound(clip: Clip, sound: NDArray[np.float32]) -> Clip:
    """Returns the clip with other sound of the agent, float32 (n_frames * 640,)."""
    return replace(clip, agent=(sound.clip(-1, 1) * 32767).astype(np.int16))


def drawn_out(clip: Clip, sound: NDArray[np.float32], factor: int) -> Clip:
    """Returns the clip `factor` times as slowly, with sound of that length, float32 (factor * n_frames * 640,)."""
    return replace(
        with_sound(clip, sound),
        user=np.zeros(len(sound), np.int16),
        channels=np.repeat(clip.channels, factor, axis=0),
        states=np.repeat(clip.states, factor),
        emotion=np.repeat(clip.emotion, factor, axis=0),
        controls=np.repeat(clip.controls, factor, axis=0),
        phones=tuple((name, factor * start, factor * end) for name, start, end in clip.phones),
        user_phrase_ends=factor * clip.user_phrase_ends,
    )
