"""The conversation as a video call's participant: a virtual camera, a microphone and a speaker of this machine."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from agent.echo import EchoCanceller
from agent.sound import Microphone, PlayBuffer, Speaker
from agent.web.conversation import Caption, Notice, SetMicrophone, StateChanged
from avatar.audio import Resampler
from avatar.types import OUTPUT_RATE, SPEECH_RATE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from agent.web.conversation import Conversation, Event
    from avatar.publish.camera import VirtualCamera
    from avatar.types import SyncedFrame


@dataclass(frozen=True, slots=True)
class CallDevices:
    """What the call uses.

    Attributes:
        microphone: Name of what the avatar hears, or None for the default.
        speaker: Name of what plays its voice, or None for the default.
        cancel_echo: Whether its own voice is taken out of what it hears.
    """

    microphone: str | None = None
    speaker: str | None = None
    cancel_echo: bool = True


class Call:
    """Feeds a conversation's pictures to a camera and its sound to a speaker, and a microphone to it.

    An async context manager, which opens the sound devices; it is the conversation's audience.

    Args:
        camera: The open camera.
        devices: The sound devices.
        note: Takes lines for the terminal.
    """

    def __init__(self, camera: VirtualCamera, devices: CallDevices, note: Callable[[str], None]) -> None:
        self._camera = camera
        self._devices = devices
        self._note = note
        self._buffer = PlayBuffer()
        self._echo: EchoCanceller | None = None
        self._resampler = Resampler(OUTPUT_RATE, SPEECH_RATE)
        self._conversation: Conversation | None = None
        self._stack = AsyncExitStack()
        self._loop = asyncio.get_running_loop()

    async def __aenter__(self) -> Self:
        """Opens the devices.

        Raises:
            InputError: A device is missing or can't be opened.
        """
        async with AsyncExitStack() as stack:
            out = Speaker(self._devices.speaker, self._buffer, self._played, self._changed("speaker"))
            await stack.enter_async_context(out)
            ears = Microphone(self._devices.microphone, self._heard, self._changed("microphone"))
            await stack.enter_async_context(ears)
            if self._devices.cancel_echo:
                self._echo = EchoCanceller(out.latency + ears.latency)
            for line, what in ((ears, "hears"), (out, "speaks through")):
                if line.device is not None:
                    self._note(f"  {what} {line.device.name}")
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the devices."""
        await self._stack.aclose()

    async def run(self, conversation: Conversation) -> None:
        """Lets a conversation take the call until it is cancelled.

        Raises:
            VisavisError: The avatar, a service or the camera can't be used.
        """
        self._conversation = conversation
        try:
            await conversation.do(SetMicrophone(live=True))
            await conversation.run(self)
        finally:
            self._conversation = None

    async def show(self, frame: SyncedFrame) -> None:
        """Shows a picture and plays its sound."""
        self._buffer.push(frame.audio)
        await self._camera.send(frame.rgb)

    def tell(self, event: Event) -> None:
        """Writes what is said to the terminal."""
        match event:
            case Caption(speaker=who, text=text, final=True) if text:
                self._note(f"{'you' if who == 'user' else 'avatar'}: {text}")
            case Notice(message=message, hint=hint):
                self._note(f"error: {message}" + (f"\nhint: {hint}" if hint else ""))
            case StateChanged() | _:
                pass

    def _played(self, samples: NDArray[np.float32]) -> None:
        if self._echo is not None:
            self._echo.played(samples)

    def _heard(self, samples: NDArray[np.float32]) -> None:
        clean = self._echo.heard(samples) if self._echo is not None else samples
        speech = self._resampler.push(clean)
        if len(speech) and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._hear, speech)

    def _hear(self, speech: NDArray[np.float32]) -> None:
        if self._conversation is not None:
            self._conversation.hear(speech)

    def _changed(self, what: str) -> Callable[[bool], None]:
        def tell(there: bool) -> None:  # noqa: FBT001 - the callback's one argument
            self._note(f"the {what} {'is back' if there else 'is gone; waiting for it ...'}")

        return tell
