"""Scenes and speech that several tests share."""

from __future__ import annotations

import numpy as np

from avatar.training.corpus.audio import RATE
from avatar.training.corpus.phones import PAUSE, Phone
from avatar.training.corpus.prosody import Prosody
from avatar.training.corpus.scene import Scene
from avatar.training.corpus.voices import Utterance


def quiet(n_frames: int) -> Prosody:
    return Prosody(np.zeros(n_frames), np.zeros(n_frames), np.zeros(0, np.int64), np.zeros(0))


def waiting_scene(state: int, seconds: float, **changes: object) -> Scene:
    n_frames = int(25 * seconds)
    conditions: dict[str, object] = {
        "states": np.full(n_frames, state, np.int8),
        "emotion": np.zeros((n_frames, 8), np.float32),
        "gaze": np.zeros((n_frames, 2), np.float32),
        "head_amplitude": np.ones(n_frames, np.float32),
        "agent": quiet(n_frames),
        "user": quiet(n_frames),
        "agent_phrase_starts": np.zeros(0, np.int64),
        "agent_phrase_ends": np.zeros(0, np.int64),
        "user_phrase_ends": np.zeros(0, np.int64),
        "mouth_activity": np.zeros(n_frames, np.float32),
    }
    return Scene(**(conditions | changes))  # pyright: ignore[reportArgumentType]  # names checked by Scene


def tone_utterance(seconds: float, *, frequency: float = 150.0) -> Utterance:
    """A buzz with the phones of "mama" in it."""
    t = np.arange(int(seconds * RATE)) / RATE
    samples = np.sign(np.sin(2 * np.pi * frequency * t)).astype(np.float32) * 0.3
    quarter = seconds / 4
    phones = [Phone(name, index * quarter, (index + 1) * quarter) for index, name in enumerate("mama")]
    return Utterance(samples, (*phones, Phone(PAUSE, seconds, seconds)))
