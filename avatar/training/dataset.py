"""The corpus as the network sees it: one long timeline of motion and conditions, and encoder windows over it.

Whisper's hidden states depend on where their window ends, so training draws its chunks from windows cut as the
generator cuts them: `WINDOW` frames that end `LOOK_AHEAD` after the chunk. They are computed once and kept on disk.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.errors import InputError
from avatar.motion import features, states
from avatar.motion.features import SAMPLES_PER_FRAME, SpeechFeatures, prosody
from avatar.motion.model import PAST_FRAMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WINDOW: Final = features.window_frames(features.MAX_CHUNK)
"""Frames of the longest encoder window; a shorter chunk sees its last part."""

_PAD_BEFORE: Final = features.CONDITION_PAST + features.MAX_CHUNK
_PAD_AFTER: Final = features.LOOK_AHEAD + features.MAX_CHUNK
_HOP: Final = 20


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of the corpus (avatar/training/corpus/README.md).

    Attributes:
        agent: int16 (n_frames * 640,), the avatar's speech at 16 kHz.
        user: int16, same shape, the user's.
        channels: float32 (n_frames, N_CHANNELS), motion, closure, tuck.
        states: int8 (n_frames,), index into `states.STATES`.
        emotion: float32 (n_frames, 8), as asked for.
        controls: float32 (n_frames, 4), amplitudes (1 is natural) and gaze.
        phones: Name, start and end in seconds of the avatar's phones.
        user_phrase_ends: float32, seconds.
        voice: The avatar's voice.
    """

    agent: NDArray[np.int16]
    user: NDArray[np.int16]
    channels: NDArray[np.float32]
    states: NDArray[np.int8]
    emotion: NDArray[np.float32]
    controls: NDArray[np.float32]
    phones: tuple[tuple[str, float, float], ...]
    user_phrase_ends: NDArray[np.float32]
    voice: str

    @property
    def n_frames(self) -> int:
        """Length of the clip."""
        return len(self.channels)

    def style(self) -> NDArray[np.float32]:
        """Returns the model's style inputs, float32 (n_frames, N_STYLE), eased as the generator eases them."""
        targets = np.concatenate([np.eye(states.N_STATES, dtype=np.float32)[self.states], self.emotion], axis=1)
        controls = self.controls - np.array([1, 1, 0, 0], np.float32)
        return np.concatenate([states.ease(targets, None), controls], axis=1)


def clip_files(corpus: Path, split: str) -> list[Path]:
    """Returns the files of a split, in the order of the index.

    Raises:
        InputError: There is no corpus, or it has no such split.
    """
    try:
        index = json.loads((corpus / "index.json").read_text())
    except (OSError, ValueError) as error:
        raise InputError(
            f"reading the corpus {corpus}",
            expected="a folder with index.json",
            got=type(error).__name__,
            hint="run `python -m avatar.training.corpus.build`",
        ) from error
    files = [corpus / str(facts["file"]) for facts in index["clips"] if facts["split"] == split]
    if not files:
        raise InputError(f"reading the corpus {corpus}", expected=f"clips of the split {split}", got="none")
    return files


def read_clip(path: Path) -> Clip:
    """Returns the clip in a file."""
    with np.load(path) as stored:
        lips = [stored[name].astype(np.float32)[:, None] for name in ("closure", "tuck")]
        names, starts, ends = (stored[name].tolist() for name in ("phones", "starts", "ends"))
        return Clip(
            agent=stored["agent"],
            user=stored["user"],
            channels=np.concatenate([stored["motion"].astype(np.float32), *lips], axis=1),
            states=stored["states"],
            emotion=stored["emotion"].astype(np.float32),
            controls=stored["controls"].astype(np.float32),
            phones=tuple(zip(names, starts, ends, strict=True)),
            user_phrase_ends=stored["user_phrase_ends"],
            voice=str(stored["voice"]),
        )


def to_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Returns 16-bit samples as float32 in [-1, 1]."""
    return samples.astype(np.float32) / np.float32(32768)


class Batch(NamedTuple):
    """Chunks to train on, all float32; n frames each.

    Attributes:
        agent: (batch, CONDITION_PAST + n + LOOK_AHEAD, n_features).
        user: (batch, CONDITION_PAST + n + LOOK_AHEAD, N_PROSODY).
        style: (batch, n, N_STYLE).
        past: (batch, PAST_FRAMES, N_CHANNELS).
        valid: (batch, PAST_FRAMES), 0 before the clip's first frame.
        target: (batch, n, N_CHANNELS).
    """

    agent: NDArray[np.float32]
    user: NDArray[np.float32]
    style: NDArray[np.float32]
    past: NDArray[np.float32]
    valid: NDArray[np.float32]
    target: NDArray[np.float32]


class Dataset:
    """Clips end to end with room between them, and their encoder windows.

    Attributes:
        channels: float32 (n, N_CHANNELS), of all clips; zero between them.
        valid: bool (n,), whether a frame belongs to a clip.

    Args:
        files: Clips.
        speech: Features of the agent's speech.
        cache: Folder for the windows' features.
        seed: Where the windows lie.
    """

    def __init__(self, files: Sequence[Path], speech: SpeechFeatures, cache: Path, seed: int) -> None:
        self._n_features = speech.n_features
        channels, style, user = [], [], []
        ends: list[int] = []
        limits: list[int] = []
        windows: list[NDArray[np.float16]] = []
        position = 0
        for path in files:
            clip = read_clip(path)
            position += _PAD_BEFORE
            clip_ends = _window_ends(path, clip.n_frames, seed)
            windows.append(_cached_windows(path, clip, clip_ends, speech, cache))
            ends.extend((position + clip_ends).tolist())
            limits.extend(np.minimum(clip_ends - features.LOOK_AHEAD, features.MAX_CHUNK).tolist())
            channels.append(_padded(clip.channels))
            style.append(_padded(clip.style()))
            user.append(_padded(prosody(to_float(clip.user))))
            position += clip.n_frames + _PAD_AFTER
        self.channels = np.concatenate(channels)
        self.valid = np.concatenate([_padded(np.ones((read, 1), np.float32))[:, 0] for read in _lengths(channels)]) > 0
        self._style = np.concatenate(style)
        self._user = np.concatenate(user)
        self._windows = windows
        self._window_clip = np.repeat(np.arange(len(windows)), [len(window) for window in windows])
        self._window_row = np.concatenate([np.arange(len(window)) for window in windows])
        self._ends = np.array(ends)
        self._limits = np.array(limits)

    def __len__(self) -> int:
        return len(self._ends)

    def feature_statistics(self, n_windows: int = 2000) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns mean and standard deviation of the agent's features, float32 (n_features,), over some windows."""
        chosen = np.linspace(0, len(self) - 1, min(n_windows, len(self))).astype(int)
        values = self._agent(chosen, WINDOW).reshape(-1, self._n_features)
        return values.mean(axis=0), np.maximum(values.std(axis=0), 1e-3)

    def draw(self, random: np.random.Generator, n_chunks: int, n_frames: int) -> Batch:
        """Returns chunks of a size from anywhere in the clips."""
        possible = np.flatnonzero(self._limits >= n_frames)
        return self.take(possible[random.integers(len(possible), size=n_chunks)], n_frames)

    def take(self, chosen: NDArray[np.intp], n_frames: int) -> Batch:
        """Returns the chunks that end `LOOK_AHEAD` before the chosen windows' ends."""
        seen = features.CONDITION_PAST + n_frames + features.LOOK_AHEAD
        starts = self._ends[chosen] - features.LOOK_AHEAD - n_frames
        heard = (starts - features.CONDITION_PAST)[:, None] + np.arange(seen)
        past = (starts - PAST_FRAMES)[:, None] + np.arange(PAST_FRAMES)
        made = starts[:, None] + np.arange(n_frames)
        return Batch(
            agent=self._agent(chosen, seen),
            user=self._user[heard],
            style=self._style[made],
            past=self.channels[past],
            valid=self.valid[past].astype(np.float32),
            target=self.channels[made],
        )

    def _agent(self, chosen: NDArray[np.intp], n_frames: int) -> NDArray[np.float32]:
        result = np.empty((len(chosen), n_frames, self._n_features), np.float32)
        for index, window in enumerate(chosen):
            result[index] = self._windows[self._window_clip[window]][self._window_row[window], -n_frames:]
        return result


def _window_ends(path: Path, n_frames: int, seed: int) -> NDArray[np.intp]:
    """Returns where windows end, about every `_HOP` frames, in frames of the clip (n_windows,)."""
    random = np.random.default_rng([seed, zlib.crc32(path.stem.encode())])
    grid = np.arange(features.LOOK_AHEAD + features.MIN_CHUNK, n_frames + features.LOOK_AHEAD + 1, _HOP)
    moved = grid + random.integers(-_HOP // 2, _HOP // 2 + 1, size=len(grid))
    return np.clip(moved, features.LOOK_AHEAD + features.MIN_CHUNK, n_frames + features.LOOK_AHEAD)


def _cached_windows(
    path: Path, clip: Clip, ends: NDArray[np.intp], speech: SpeechFeatures, cache: Path
) -> NDArray[np.float16]:
    """Returns features of a clip's windows, (n_windows, WINDOW, n_features), mapped from disk."""
    digest = hashlib.sha256(clip.agent.tobytes() + ends.tobytes()).hexdigest()[:20]
    target = cache / f"{path.stem}-{digest}.npy"
    if not target.is_file():
        sound = np.pad(to_float(clip.agent), (WINDOW * SAMPLES_PER_FRAME, features.LOOK_AHEAD * SAMPLES_PER_FRAME))
        starts = ends * SAMPLES_PER_FRAME
        values = [speech(sound[start : start + WINDOW * SAMPLES_PER_FRAME]) for start in starts]
        cache.mkdir(parents=True, exist_ok=True)
        scratch = target.with_suffix(".scratch.npy")
        np.save(scratch, np.stack(values).astype(np.float16))
        scratch.replace(target)
    return np.load(target, mmap_mode="r")


def _padded(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.pad(values, np.array([(_PAD_BEFORE, _PAD_AFTER), (0, 0)]))


def _lengths(padded: Sequence[NDArray[np.float32]]) -> list[int]:
    return [len(values) - _PAD_BEFORE - _PAD_AFTER for values in padded]
