"""A corpus of a few seconds, and an encoder that needs no weights."""

from __future__ import annotations

import json

import numpy as np
import pytest

from avatar.motion.features import SpeechFeatures
from avatar.motion.layout import INDEX, neutral


class LoudnessEncoder:
    """Hidden states that hold the mean and the peak of their samples."""

    n_hidden = 2

    def encode(self, samples):
        pieces = np.abs(samples.reshape(-1, 320))
        return np.stack([pieces.mean(axis=1), pieces.max(axis=1)], axis=1).astype(np.float32)


def write_tiny_clip(path, random, n_frames=100):
    """Speech is noise in bursts; the jaw opens with it, and the lips seal once at the start of each burst."""
    loud = np.repeat(random.integers(0, 2, n_frames // 10), 10).astype(np.float32)
    sound = np.repeat(loud, 640) * random.normal(0, 0.2, n_frames * 640)
    motion = neutral(n_frames)
    motion[:, INDEX["jawOpen"]] = 0.3 * loud
    motion[:, INDEX["yaw"]] = 0.1 * np.sin(np.arange(n_frames) / 9)
    closure = (np.diff(loud, prepend=0) > 0).astype(np.float32)
    starts = np.flatnonzero(closure) / 25
    np.savez(
        path,
        agent=np.round(sound.clip(-1, 1) * 32767).astype(np.int16),
        user=np.zeros(n_frames * 640, np.int16),
        motion=motion.astype(np.float16),
        closure=closure.astype(np.float16),
        tuck=np.zeros(n_frames, np.float16),
        states=np.where(loud > 0, 3, 0).astype(np.int8),
        emotion=np.zeros((n_frames, 8), np.float16),
        controls=np.tile(np.float16([1, 1, 0, 0]), (n_frames, 1)),
        phones=np.array(["m"] * len(starts)),
        starts=starts.astype(np.float32),
        ends=(starts + 0.04).astype(np.float32),
        user_phrase_ends=np.zeros(0, np.float32),
        voice=np.array("tone"),
    )


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "clips").mkdir()
    random = np.random.default_rng(0)
    clips = []
    for split, count in (("train", 3), ("validation", 1), ("held_out", 1)):
        for index in range(count):
            file = f"clips/{split}_{index}.npz"
            write_tiny_clip(folder / file, random)
            clips.append({"file": file, "split": split})
    (folder / "index.json").write_text(json.dumps({"clips": clips}))
    return folder


@pytest.fixture
def loudness():
    return SpeechFeatures(LoudnessEncoder())
