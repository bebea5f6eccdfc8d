"""The avatar's own voice taken out of the microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import vad

from agent.commands.speak import synthesized
from agent.config import load_config
from agent.echo import BLOCK, EchoCanceller
from agent.options import PiperOptions, SileroOptions
from agent.parts import load_tts
from agent.tts import PiperEngine
from agent.vad import VoicedVAD, silero_vad
from avatar.audio import from_int16, resampled, to_int16
from avatar.types import OUTPUT_RATE, SPEECH_RATE, AudioChunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

DELAY = round(0.04 * OUTPUT_RATE)


def voice(seconds: float, pitch: float, seed: int) -> NDArray[np.float32]:
    """Syllables of a buzzing tone with some breath."""
    noise = np.random.default_rng(seed)
    at = np.arange(round(seconds * OUTPUT_RATE)) / OUTPUT_RATE
    buzz = sum(np.sin(2 * np.pi * pitch * k * at + k) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * at + seed), 0, 1)
    return (0.1 * syllables * (buzz + 0.3 * noise.standard_normal(len(at)))).astype(np.float32)


def cleaned(far: NDArray[np.float32], near: NDArray[np.float32]) -> NDArray[np.float32]:
    canceller = EchoCanceller(DELAY / OUTPUT_RATE)
    out: list[NDArray[np.float32]] = []
    for start in range(0, len(far) - BLOCK + 1, BLOCK):
        canceller.played(far[start : start + BLOCK])
        out.append(canceller.heard(near[start : start + BLOCK]))
    return np.concatenate(out)


def loudness(samples: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(np.square(samples)) + 1e-12))


def test_the_avatars_own_voice_is_taken_out_and_the_users_stays():
    far = voice(8, 120, 1)
    echo = 0.3 * np.concatenate([np.zeros(DELAY, np.float32), far[:-DELAY]])
    late = slice(4 * OUTPUT_RATE, None)
    assert loudness(cleaned(far, echo)[late]) < loudness(echo[late]) - 15
    user = voice(8, 210, 2)
    kept = cleaned(np.zeros_like(far), user)
    assert loudness(kept[late]) > loudness(user[late]) - 6


def test_sound_in_odd_pieces_comes_out_in_whole_blocks_and_none_is_lost():
    canceller = EchoCanceller()
    pieces = [canceller.heard(np.zeros(n, np.float32)) for n in (100, 700, 479, 1, 160)]
    assert [len(piece) % BLOCK for piece in pieces] == [0] * 5
    assert sum(map(len, pieces)) == 1440


ANSWER = (
    "The boats went out early to the islands in the south, and the sea was calm that morning. "
    "My father packed a big blue umbrella, some bread and a map of all the harbours. "
    "Nobody knew when the weather would change, and nobody asked."
)


@pytest.fixture(scope="module")
def answer() -> NDArray[np.float32]:
    """The avatar's own voice, float32 (n_samples,) at 48 kHz."""
    return np.concatenate(list(resampled(synthesized(ANSWER, load_tts(load_config())), OUTPUT_RATE)))


@pytest.fixture(scope="module")
def question() -> NDArray[np.float32]:
    """Somebody else's voice, float32 (n_samples,) at 48 kHz."""
    engine = PiperEngine(PiperOptions(pause=0))
    said = from_int16(np.frombuffer(b"".join(engine.say("What is the capital of France?")), np.int16))
    return np.concatenate(list(resampled([AudioChunk(said, engine.sample_rate)], OUTPUT_RATE)))


async def voiced(sound: NDArray[np.float32]) -> float:
    """Returns the longest speech, in seconds, that interrupts would be judged by."""
    speech = np.concatenate(list(resampled([AudioChunk(sound, OUTPUT_RATE)], SPEECH_RATE)))
    stream = VoicedVAD(silero_vad(SileroOptions())).stream()
    for piece in np.array_split(to_int16(speech), len(speech) // 320):
        stream.push_frame(rtc.AudioFrame(piece.tobytes(), SPEECH_RATE, 1, len(piece)))
    stream.end_input()
    lengths = [event.speech_duration async for event in stream if event.type is vad.VADEventType.INFERENCE_DONE]
    await stream.aclose()
    return max(lengths)


@pytest.mark.model
@pytest.mark.parametrize("delay", [0.02, 0.08, 0.2])
async def test_the_avatar_does_not_interrupt_itself_by_its_voice_at_20_db_less_but_somebody_does(
    answer: NDArray[np.float32], question: NDArray[np.float32], delay: float
):
    enough = load_config().turns.min_interruption
    late = round(delay * OUTPUT_RATE)
    room = np.random.default_rng(0).normal(0, 0.0005, len(answer)).astype(np.float32)
    echo = room + 0.1 * np.pad(answer, (late, 0))[: len(answer)]
    assert await voiced(echo) > enough  # without the canceller it would
    assert await voiced(cleaned(answer, echo)) < enough
    begins = len(answer) // 2
    both = echo.copy()
    both[begins : begins + len(question)] += question[: len(both) - begins]
    assert await voiced(cleaned(answer, both)) > enough
