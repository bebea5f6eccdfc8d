"""A call: a conversation on a camera and on a real sound server's virtual cables."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import jiwer
import numpy as np
import pytest

from agent.call import Call, CallDevices
from agent.commands.camera import take_calls
from agent.commands.speak import synthesized
from agent.config import load_config
from agent.options import WhisperOptions
from agent.parts import load_tts
from agent.recogniser import Recogniser
from agent.sound import HELD, Microphone, PlayBuffer, Speaker
from agent.web.conversation import Choice, Say
from avatar.audio import Resampler, resampled
from avatar.motion.whisper import load_whisper
from avatar.publish.camera import VirtualCamera
from avatar.types import OUTPUT_RATE, SPEECH_RATE
from tests.web.talker import TONE, TalkingPhoto

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from numpy.typing import NDArray

    from tests.camera.memory_camera import MemoryCamera

pytestmark = pytest.mark.sound

IN_THE_MEETING = CallDevices(microphone="meeting.monitor", speaker="cable", cancel_echo=False)
FRAME = 1920


class Participant:
    """Somebody in the meeting: speaks into it, and hears what comes out of the avatar's cable."""

    def __init__(self) -> None:
        self.heard: list[NDArray[np.float32]] = []
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._buffer = PlayBuffer()
        self._speech: list[NDArray[np.float32]] = []

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[Participant]:
        async with (
            Speaker("meeting", self._buffer, self._feed, lambda _: None),
            Microphone("cable.monitor", self._hear, lambda _: None),
        ):
            yield self

    def say(self, speech: NDArray[np.float32]) -> None:
        """Says something, float32 (n_samples,) at 48 kHz; its pace is the device's."""
        self._speech = np.split(speech, range(FRAME, len(speech), FRAME))

    async def hears(self, seconds: float) -> NDArray[np.float32]:
        """Returns all that was heard as soon as that much of it was loud."""
        while sum(len(each) for each in self.heard if np.abs(each).max() > 0.02) < seconds * OUTPUT_RATE:
            self._came.clear()
            await self._came.wait()
        return np.concatenate(self.heard)

    async def hears_more(self, n_blocks: int) -> None:
        """Returns when that many blocks of sound have come, silent or not."""
        n_heard = len(self.heard)
        while len(self.heard) < n_heard + n_blocks:
            self._came.clear()
            await self._came.wait()

    def _feed(self, _: NDArray[np.float32]) -> None:
        while self._buffer.n_held < HELD // 2:
            self._buffer.push(self._speech.pop(0) if self._speech else np.full(FRAME, 1e-6, np.float32))

    def _hear(self, samples: NDArray[np.float32]) -> None:
        self.heard.append(samples)
        self._loop.call_soon_threadsafe(self._came.set)


async def test_the_meeting_sees_and_hears_the_avatar_and_it_hears_the_meeting(
    memory_camera: type[MemoryCamera], cables: None
):
    conversation = TalkingPhoto(Choice("astronaut", "joe", "friend"))
    notes: list[str] = []
    with VirtualCamera(1280, 720, backend="memory") as camera:
        async with Call(camera, IN_THE_MEETING, notes.append) as call, Participant().joined() as participant:
            talking = asyncio.create_task(call.run(conversation))
            participant.say(
                np.full(4 * OUTPUT_RATE, 0.0, np.float32)
                + 0.2 * np.sin(np.arange(4 * OUTPUT_RATE) / 20, dtype=np.float32)
            )
            await asyncio.wait_for(conversation.hear_more(2), 60)
            assert max(np.abs(samples).max() for samples in conversation.heard) > 0.1
            await conversation.do(Say("one two three four five six seven eight nine ten"))
            sound = await asyncio.wait_for(participant.hears(1), 60)
            talking.cancel()
            await asyncio.wait([talking])
        pictures = memory_camera.opened.pictures if memory_camera.opened else []
    assert len(pictures) >= 25
    assert np.abs(pictures[-1].astype(int) - pictures[0]).max() > 30
    spectrum = np.abs(np.fft.rfft(sound))
    assert abs(np.argmax(spectrum) * OUTPUT_RATE / len(sound) - TONE) < 15
    assert "hears Monitor of Meeting" in notes[0]
    assert "speaks through Cable" in notes[1]


@pytest.mark.model
async def test_a_question_in_a_meeting_is_answered_there(
    memory_camera: type[MemoryCamera], cables: None, capsys: pytest.CaptureFixture[str]
):
    config = load_config()
    question = np.concatenate(
        list(resampled(synthesized("What is the capital of France?", load_tts(config)), OUTPUT_RATE))
    )
    with VirtualCamera(640, 480, backend="memory") as camera:
        calls = asyncio.create_task(take_calls(config, camera, IN_THE_MEETING))
        said: list[str] = []

        async def written(start: str, times: int) -> str:
            while sum(line.startswith(start) for line in said) < times:
                assert not calls.done()
                said.extend(capsys.readouterr().err.splitlines())
                await asyncio.sleep(0.1)
            return [line for line in said if line.startswith(start)][times - 1].removeprefix(start)

        async with Participant().joined() as participant:
            await asyncio.wait_for(written("avatar: ", 1), 120)  # it greets
            await asyncio.wait_for(participant.hears_more(100), 60)  # the rest of it is still in the cable
            participant.heard.clear()
            participant.say(question)
            asked = await asyncio.wait_for(written("you: ", 1), 60)
            answer = await asyncio.wait_for(written("avatar: ", 2), 60)
            await asyncio.wait_for(participant.hears_more(100), 60)  # what is still on its way through the cable
            sound = np.concatenate(participant.heard)
        calls.cancel()
        await asyncio.wait([calls])
        assert len(memory_camera.opened.pictures if memory_camera.opened else []) > 100
    assert "france" in asked.lower()
    resampler = Resampler(OUTPUT_RATE, SPEECH_RATE)
    speech = np.concatenate([resampler.push(sound), resampler.finish()])
    # Whisper repeats itself when little speech stands in much silence.
    loud = np.flatnonzero(np.abs(speech) > 0.02)
    speech = speech[max(0, loud[0] - SPEECH_RATE // 4) : loud[-1] + SPEECH_RATE // 4]
    assert len(speech) < 10 * SPEECH_RATE
    heard = Recogniser(load_whisper(2), WhisperOptions()).recognise(speech).text
    plain = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.Strip()])
    assert jiwer.wer(plain(answer), plain(heard)) <= 0.5, (answer, heard)
