"""`run_agent.py room` as a process, with the real models, in a room of LiveKit's own server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soxr

from agent.options import PiperOptions, WhisperOptions
from agent.recogniser import Recogniser
from agent.tts import PiperEngine
from avatar.motion.whisper import load_whisper
from tests.room.caller import RATE, Caller, calling

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from numpy.typing import NDArray

    from agent.room.account import Account
    from tests.room.server import LiveKitServer

RUN_AGENT = Path(__file__).parents[2] / "run_agent.py"


@asynccontextmanager
async def command(account: Account, *arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "LIVEKIT_URL": account.url,
        "LIVEKIT_API_KEY": account.key,
        "LIVEKIT_API_SECRET": account.secret,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, RUN_AGENT, "room", *arguments), env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def spoken(text: str) -> NDArray[np.float32]:
    """Returns a text in the embedded voice, float32 (n_samples,) at 16 kHz."""
    engine = PiperEngine(PiperOptions(pause=0))
    sound = np.frombuffer(b"".join(engine.say(text)), np.int16).astype(np.float32) / 32768
    return soxr.resample(sound, engine.sample_rate, RATE)


def finals(caller: Caller, speaker: str) -> list[str]:
    return [text for final, who, text in caller.lines.values() if final and who == speaker]


@pytest.mark.livekit
@pytest.mark.model
async def test_a_spoken_question_is_answered_aloud_and_the_avatar_listens_again_when_talked_to(server: LiveKitServer):
    question = spoken("What is the capital of France?")
    stop = spoken("Stop please, that is enough for today.")
    async with command(server.account, "dev") as process:
        assert process.stderr is not None
        async with asyncio.timeout(400):
            while not (line := await process.stderr.readline()).startswith(b"joins every new room"):
                assert line, "the worker ended"
        reading = asyncio.create_task(process.stderr.read())
        async with calling(server.account, "question") as caller:
            await caller.until(lambda: caller.avatar is not None and len(caller.seen) > 3)
            assert caller.avatar is not None
            avatar = caller.avatar.identity
            await caller.open_microphone()
            await caller.until(lambda: len(finals(caller, avatar)) >= 1)  # the greeting
            await caller.until(lambda: caller.states[-1] == "listening")
            asked = time.monotonic()
            await caller.say(question)
            await caller.until(lambda: len(finals(caller, avatar)) >= 2)
            answered = time.monotonic()
            assert "france" in finals(caller, "caller")[0].lower()
            answer = finals(caller, avatar)[1]
            sound = caller.sound_since(asked)
            begun = max(0, int(np.argmax(np.abs(sound) > 0.02)) - RATE // 2)
            heard = Recogniser(load_whisper(1), WhisperOptions()).recognise(sound[begun:]).text
            said, understood = (set(text.lower().replace(".", "").split()) for text in (answer, heard))
            assert len(said & understood) >= len(said) / 2, (answer, heard)
            assert caller.mouth_movement(asked, answered) > 0.3  # a still picture has coding noise of 0.1
            await caller.room.local_participant.send_text("Tell me a long story about the sea.", topic="lk.chat")
            await caller.until(lambda: caller.states[-1] == "speaking")
            await caller.say(stop)
            await caller.until(lambda: caller.states[-1] != "speaking")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            lines = (await reading).decode()
        assert "Traceback" not in lines
        assert await process.wait() == 0
