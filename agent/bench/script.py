"""What the benchmark's user says, and in which voice."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.audio import Resampler, from_int16
from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.tts import VoiceEngine

QUESTIONS: Final = (
    "What is the capital of France?",
    "Hello, how are you today?",
    "What is the largest ocean?",
    "Can you tell me a story?",
    "What do you like to do in your free time?",
    "How far is the moon from here?",
    "Who wrote Romeo and Juliet?",
    "What is your favorite color?",
    "Do you like music?",
    "Why is the sky blue?",
)
INTERRUPTION: Final = "Wait, stop for a moment. What time is it now?"

_HIGHER: Final = 1.12
"""By how much the user's voice is higher than the avatar's."""

_SILENT: Final = 0.02


class Utterance(NamedTuple):
    """Something the user says.

    Attributes:
        samples: float32 (n_samples,) at 16 kHz; ends with its last sound.
        onset: Index of the first sound.
    """

    samples: NDArray[np.float32]
    onset: int


class Script(NamedTuple):
    """All that the user says.

    Attributes:
        questions: In their order.
        interruption: What is said over some of the answers.
    """

    questions: list[Utterance]
    interruption: Utterance


def make_script(engine: VoiceEngine, n_turns: int) -> Script:
    """Returns the questions of so many turns, spoken by a voice that is not quite the avatar's."""
    spoken = {text: _say(engine, text) for text in {*islice(QUESTIONS, n_turns), INTERRUPTION}}
    return Script([spoken[text] for text in islice(cycle(QUESTIONS), n_turns)], spoken[INTERRUPTION])


def _say(engine: VoiceEngine, text: str) -> Utterance:
    sound = from_int16(np.frombuffer(b"".join(engine.say(text)), np.int16))
    resampler = Resampler(round(engine.sample_rate * _HIGHER), SPEECH_RATE)
    samples = np.concatenate([resampler.push(sound), resampler.finish()])
    loud = np.flatnonzero(np.abs(samples) > _SILENT)
    return Utterance(samples[: loud[-1] + 1], int(loud[0]))
