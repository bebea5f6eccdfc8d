"""`speak`: text to a talking video."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.commands.animate import write_video
from agent.commands.progress import stage
from agent.config import load_config
from agent.directions import without_directions
from avatar.audio import from_int16
from avatar.errors import EndpointError, InputError
from avatar.publish.file import check_output
from avatar.types import AudioChunk

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Callable, Iterator

    from livekit import rtc
    from livekit.agents.tts import TTS, ChunkedStream

    from avatar.types import Cue


def run(args: argparse.Namespace) -> int:
    """Speaks ``args.text`` into ``args.output``, with ``args.config``, ``args.portrait`` and ``args.seed``.

    Stage directions in the text (`agent.directions`) move the face and are not spoken.

    Raises:
        VisavisError: The input can't be used, a service refuses, or the output can't be written.
    """
    output = check_output(args.output, inputs=[args.portrait])
    text = sys.stdin.read() if args.text == "-" else args.text
    if not any(character.isalnum() for character in without_directions(text)):
        raise InputError("speaking", expected="words to say", got=repr(text.strip()) if text.strip() else "nothing")
    config = load_config(args.config, portrait=args.portrait)
    seed = config.avatar.seed if args.seed is None else args.seed
    from agent.parts import load_tts  # noqa: PLC0415 - loads livekit-agents

    with stage("loading the voice"):
        voice = load_tts(config)
    speech = synthesized(text, voice, config.motion.feel())
    write_video(output, speech, None, config.avatar.portrait, seed, config.motion)
    return 0


def synthesized(text: str, voice: TTS[Any], feel: Callable[[str], Cue] | None = None) -> Iterator[AudioChunk]:
    """Yields the speech of a text, with the cues of its stage directions, while it is being made in another thread.

    Args:
        text: What to say.
        voice: Says it.
        feel: Returns the emotion of a sentence, where no direction names one.

    Raises:
        EndpointError: The service refused or can't be reached.
    """
    arriving: queue.Queue[AudioChunk | BaseException | None] = queue.Queue()

    async def synthesize() -> None:
        from agent.cues import CUES, CueTimer  # noqa: PLC0415 - loads livekit-agents

        timer = CueTimer(feel)
        words = "".join([piece async for piece in timer.words(_whole(text))])
        async with voice, voice.synthesize(words) as sound:
            async for frame in timer.sound(_frames(sound)):
                mono = np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels)[:, 0]
                arriving.put(AudioChunk(from_int16(mono), frame.sample_rate, cues=frame.userdata.get(CUES, ())))

    def work() -> None:
        try:
            asyncio.run(synthesize())
            arriving.put(None)
        except BaseException as error:  # noqa: BLE001 - raised where the speech is used
            arriving.put(error)

    threading.Thread(target=work, name="speech", daemon=True).start()
    while (part := arriving.get()) is not None:
        if isinstance(part, BaseException):
            raise _refused(part) from part
        yield part


async def _whole(text: str) -> AsyncIterator[str]:
    yield text


async def _frames(sound: ChunkedStream) -> AsyncIterator[rtc.AudioFrame]:
    async for part in sound:
        yield part.frame


def _refused(error: BaseException) -> BaseException:
    from livekit.agents import APIError  # noqa: PLC0415 - heavy

    if isinstance(error, APIError):
        return EndpointError(
            "making speech",
            expected="an answer from the text-to-speech service",
            got=str(error).splitlines()[0],
            hint="check `tts` in the configuration and that the service runs",
        )
    return error
