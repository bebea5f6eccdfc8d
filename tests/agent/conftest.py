from __future__ import annotations

import numpy as np
import pytest
import soxr

from agent.options import PiperOptions
from agent.tts import PiperEngine
from avatar.types import SPEECH_RATE


@pytest.fixture(scope="session")
def piper():
    """The embedded voice."""
    return PiperEngine(PiperOptions(pause=0))


@pytest.fixture(scope="session")
def say(piper):
    """Returns a text's sound, float32 (n_samples,) at 16 kHz, in the embedded voice."""

    def say(text: str) -> np.ndarray:
        sound = np.frombuffer(b"".join(piper.say(text)), np.int16).astype(np.float32) / 32768
        return soxr.resample(sound, piper.sample_rate, SPEECH_RATE)

    return say
