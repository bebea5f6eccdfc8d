"""`run_agent.py room` as a process, with the real models, in a room of LiveKit's own server."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soxr
import yaml

from agent.config import DEFAULT_PERSONA
from agent.options import PiperOptions, WhisperOptions
from agent.recogniser import Recogniser
from agent.tts import PiperEngine
from avatar.motion.whisper import load_whisper
from tests.room.caller import RATE, Caller, calling
from tests.room.mouth import watch
from tests.room.process import command, joined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.room.caller import Seen
    from tests.room.server import LiveKitServer

GREETING = " ".join(
    (
        "The boats went out early to the islands in the south, and the sea was calm that morning.",
        "My father packed a big blue umbrella, some bread and a map of all the harbours.",
        "Nobody knew when the weather would change, and nobody asked.",
    )
    * 8
)
"""Longer than anybody waits."""


def spoken(text: str) -> NDArray[np.float32]:
    """Returns a text in the embedded voice, float32 (n_samples,) at 16 kHz."""
    engine = PiperEngine(PiperOptions(pause=0))
    sound = np.frombuffer(b"".join(engine.say(text)), np.int16).astype(np.float32) / 32768
    return soxr.resample(sound, engine.sample_rate, RATE)


def finals(caller: Caller, speaker: str) -> list[str]:
    return [text for final, who, text in caller.lines.values() if final and who == speaker]


def persona(folder: Path, greeting: str) -> Path:
    """Returns a configuration with the default persona, but for its greeting."""
    head, text = DEFAULT_PERSONA.read_text().removeprefix("---").split("---", 1)
    (folder / "persona.md").write_text(
        f"---\n{yaml.safe_dump({**yaml.safe_load(head), 'greeting': greeting})}---{text}"
    )
    (folder / "config.yaml").write_text("persona: persona.md\n")
    return folder / "config.yaml"


async def cut_greeting(caller: Caller, avatar: str, question: NDArray[np.float32]) -> float:
    """Asks while the avatar greets; returns when it had stopped. What it had said is what was heard."""
    await caller.open_microphone()
    await caller.until(lambda: caller.loud_seconds() > 5)
    await caller.say(question)
    await caller.until(lambda: len(finals(caller, avatar)) >= 1)
    cut = time.monotonic()
    greeting = finals(caller, avatar)[0]
    assert GREETING.startswith(greeting)
    n_words = len(greeting.split())
    assert 5 < n_words < len(GREETING.split()) / 2
    assert 0.1 < caller.loud_seconds(cut) / n_words < 0.7
    return cut


def mouth_moves(rest: Sequence[Seen], speech: Sequence[Seen]) -> None:
    """Lips part and meet while there is sound, by far more than before; the forehead stays as it was."""
    assert len(speech) > 25
    at_rest, speaking = watch(rest), watch(speech)
    assert np.median(speaking.gaps) > 1.5 * np.percentile(at_rest.gaps, 90)
    assert speaking.range > max(0.02, 2 * at_rest.range)
    assert abs(np.median(speaking.foreheads) / np.median(at_rest.foreheads) - 1) < 0.1


def is_heard(answer: str, sound: NDArray[np.float32]) -> None:
    """Whisper reads at least half of the answer's words in the sound."""
    begun = max(0, int(np.argmax(np.abs(sound) > 0.02)) - RATE // 2)
    heard = Recogniser(load_whisper(1), WhisperOptions()).recognise(sound[begun:]).text
    said, understood = (set(text.lower().replace(".", "").split()) for text in (answer, heard))
    assert len(said & understood) >= len(said) / 2, (answer, heard)


async def at_rest(caller: Caller) -> tuple[str, list[Seen]]:
    """Returns who the avatar is, and how it looks before it says anything."""
    await caller.until(lambda: caller.avatar is not None and len(caller.seen) > 60)
    assert caller.avatar is not None
    return caller.avatar.identity, list(caller.seen)


async def ask_for_a_story(caller: Caller) -> None:
    """Returns when a long answer has begun."""
    n_states = len(caller.states)
    await caller.room.local_participant.send_text("Tell me a story about the sea.", topic="lk.chat")
    await caller.until(lambda: "speaking" in caller.states[n_states:])


async def ended(process: asyncio.subprocess.Process, reading: asyncio.Task[bytes]) -> str:
    """Returns what the worker said at last: it ended well, told of nothing that went wrong and left no process."""
    async with asyncio.timeout(60):
        lines = (await reading).decode()
        assert await process.wait() == 0
    assert not re.search("Traceback|Exception|leaked|never awaited", lines), lines
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return lines


@pytest.mark.livekit
@pytest.mark.model
async def test_a_question_cuts_a_long_greeting_and_is_answered_aloud_and_the_end_of_the_worker_cuts_nothing(
    server: LiveKitServer, tmp_path: Path
):
    question = spoken("What is the capital of France?")
    arguments = ("start", "--port", "0", "--config", str(persona(tmp_path, GREETING)))
    async with command(server.account, *arguments) as process:
        reading = await joined(process)
        async with calling(server.account, "question", side=256) as caller:
            avatar, rest = await at_rest(caller)
            cut = await cut_greeting(caller, avatar, question)
            mouth_moves(rest, caller.sounding())
            caller.side = 16

            await caller.until(lambda: len(finals(caller, avatar)) >= 2)
            assert "france" in finals(caller, "caller")[0].lower()
            is_heard(finals(caller, avatar)[1], caller.sound_since(cut))

            await ask_for_a_story(caller)
            process.send_signal(signal.SIGTERM)
            n_states = len(caller.states)
            await caller.until(lambda: len(finals(caller, avatar)) >= 3 and "listening" in caller.states[n_states:])
            assert process.returncode is None
        assert "ending after 1 conversation(s)" in await ended(process, reading)


@pytest.mark.livekit
@pytest.mark.model
async def test_dev_answers_in_picture_and_sound_and_ends_at_once_by_ctrl_c(server: LiveKitServer, tmp_path: Path):
    question = spoken("What is the capital of France?")
    arguments = ("dev", "--rooms", "1", "--config", str(persona(tmp_path, "Hello, it is good to see you.")))
    async with command(server.account, *arguments) as process:
        reading = await joined(process)
        async with calling(server.account, "dev", side=256) as caller:
            avatar, rest = await at_rest(caller)
            await caller.open_microphone()
            await caller.until(lambda: len(finals(caller, avatar)) >= 1)
            asked = time.monotonic()
            await caller.say(question)
            await caller.until(lambda: len(finals(caller, avatar)) >= 2)
            mouth_moves(rest, caller.sounding())
            is_heard(finals(caller, avatar)[1], caller.sound_since(asked))
            await ask_for_a_story(caller)
            os.killpg(process.pid, signal.SIGINT)
            await caller.until(lambda: caller.avatar is None)
        assert "ending after" not in await ended(process, reading)
