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
BACKCHANNELS: Final = ("Okay.", "Yeah.", "I see.", "Right.", "Mm hm.")
STORY: Final = (
    "Once upon a time there was an old lighthouse keeper who lived all alone on a small island far out in the sea. "
    "Every evening before the sun went down he climbed the hundred and twenty steps to the lantern to light it for "
    "the ships that came home from the fishing grounds in the north. "
    "One night in the middle of winter the wind blew so hard that the waves reached up to his window and the light "
    "went out just as a little boat with three children in it came round the western cape. "
    "So he took the bell from the wall and went down to the rocks and rang it until the morning came and the boat "
    "lay safely in the harbour behind the island."
)
"""What the avatar tells while it is spoken to: long, with few pauses."""

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
        interruption: What takes the turn away from the avatar.
        backchannels: What a listener says who does not want it.
    """

    questions: list[Utterance]
    interruption: Utterance
    backchannels: list[Utterance]


def make_script(engine: VoiceEngine, n_turns: int) -> Script:
    """Returns the questions of so many turns, spoken by a voice that is not quite the avatar's."""
    spoken = {text: _say(engine, text) for text in {*islice(QUESTIONS, n_turns), INTERRUPTION, *BACKCHANNELS}}
    questions = [spoken[text] for text in islice(cycle(QUESTIONS), n_turns)]
    return Script(questions, spoken[INTERRUPTION], [spoken[text] for text in BACKCHANNELS])


def _say(engine: VoiceEngine, text: str) -> Utterance:
    sound = from_int16(np.frombuffer(b"".join(engine.say(text)), np.int16))
    resampler = Resampler(round(engine.sample_rate * _HIGHER), SPEECH_RATE)
    samples = np.concatenate([resampler.push(sound), resampler.finish()])
    loud = np.flatnonzero(np.abs(samples) > _SILENT)
    return Utterance(samples[: loud[-1] + 1], int(loud[0]))
