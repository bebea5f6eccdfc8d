"""A conversation without models: a photo that sways, a mouth that moves with a voice-like tone, captions as they go."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import cv2
import numpy as np
from skimage.data import astronaut

from agent.web.conversation import (
    Ask,
    Caption,
    Choice,
    Interrupt,
    LoadStage,
    LoadState,
    Option,
    Options,
    Say,
    SetEmotion,
    SetMicrophone,
    StateChanged,
    TurnLatency,
)
from avatar.errors import InputError
from avatar.portrait.folder import DISCLOSURE
from avatar.types import FRAME_RATE, OUTPUT_RATE, SPEECH_RATE, AvatarState, SyncedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from agent.web.conversation import Audience, Command

SIZE = 512
TONE = 300.0
"""Hz of the fake voice."""

FRAMES_PER_WORD = 8
_LOUD = 0.02


class Picture:
    """Draws a photo that sways, with a mouth that opens."""

    def __init__(self) -> None:
        face = astronaut()[0:300, 80:380]
        self._face = cv2.resize(face, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)

    def draw(self, index: int, mouth: float) -> NDArray[np.uint8]:
        turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), 2 * np.sin(index / 20), 1)
        turn[:, 2] += 3 * np.sin(index / 15), 2 * np.cos(index / 11)
        picture = cv2.warpAffine(self._face, turn, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
        cv2.ellipse(picture, (254, 246), (30, 3 + round(16 * mouth)), 0, 0, 360, (70, 20, 25), -1)
        return np.asarray(picture, np.uint8)


class TalkingPhoto:
    """Repeats what it was asked, one word each 0.32 s. It answers a spoken turn with a fixed sentence."""

    def __init__(self, choice: Choice, earlier: Sequence[tuple[str, str]] = ()) -> None:
        self.choice = choice
        self.history = list(earlier)
        self.heard: list[NDArray[np.float32]] = []
        self.done: list[Command] = []
        self.fault: Exception | None = None
        self.begun = asyncio.Event()
        self._picture = Picture()
        self._words: list[str] = []
        self._spoken = 0
        self._turns = count(1)
        self._utterance = ""
        self._state = AvatarState.IDLE
        self._audience: Audience | None = None
        self._voiced = self._silent = 0
        self._sound_came = asyncio.Event()

    async def run(self, audience: Audience) -> None:
        self._audience = audience
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.begun.set()
        for index in count():
            await asyncio.sleep(max(0.0, began + index / FRAME_RATE - loop.time()))
            if self.fault is not None:
                raise self.fault
            await audience.show(self._frame(index))

    def hear(self, samples: NDArray[np.float32]) -> None:
        self.heard.append(samples)
        self._sound_came.set()
        if float(np.sqrt(np.mean(samples**2))) > _LOUD:
            self._voiced += len(samples)
            self._silent = 0
            if self._voiced > SPEECH_RATE // 4:
                self._stop()
                self._become(AvatarState.LISTENING)
                self._tell(Caption("user", "hearing", "…", final=False))
        elif self._voiced > SPEECH_RATE // 4:
            self._silent += len(samples)
            if self._silent > SPEECH_RATE // 2:
                self._voiced = self._silent = 0
                self._tell(Caption("user", "hearing", "", final=True))
                self._answer("You said something", "I heard you and I am glad that you talk to me today")

    async def hear_more(self, seconds: float) -> None:
        """Returns when that much sound has come."""
        before = len(self.heard)
        while sum(len(samples) for samples in self.heard[before:]) < seconds * SPEECH_RATE:
            self._sound_came.clear()
            await self._sound_came.wait()

    async def do(self, command: Command) -> None:
        self.done.append(command)
        match command:
            case Ask(text=text):
                self.history.append(("user", text))
                self._answer(text, f"You asked {text}")
            case Say(text=text):
                self._speak(text)
            case Interrupt():
                self._stop()
                self._become(AvatarState.LISTENING)
            case SetMicrophone(live=live):
                if self._state in (AvatarState.IDLE, AvatarState.LISTENING):
                    self._become(AvatarState.LISTENING if live else AvatarState.IDLE)
            case SetEmotion():
                pass

    def _answer(self, question: str, answer: str) -> None:
        turn = next(self._turns)
        self._tell(Caption("user", f"question{turn}", question, final=True))
        self._speak(answer)
        self._tell(
            TurnLatency(
                turn, 0.62, {"silence noticed": 0.36, "transcript final": 0.41, "first word": 0.55, "audible": 0.62}
            )
        )

    def _speak(self, text: str) -> None:
        self._stop()
        self._words, self._spoken = text.split(), 0
        self._utterance = f"answer{next(self._turns)}"
        self._become(AvatarState.SPEAKING)

    def _stop(self) -> None:
        if self._words:
            self._caption(final=True)
            self._words = []

    def _frame(self, index: int) -> SyncedFrame:
        time = (index * (OUTPUT_RATE // FRAME_RATE) + np.arange(OUTPUT_RATE // FRAME_RATE)) / OUTPUT_RATE
        if not self._words:
            return SyncedFrame(self._picture.draw(index, 0), np.zeros(len(time), np.float32), index, self._state)
        self._spoken += 1
        if self._spoken % FRAMES_PER_WORD == 0:
            self._caption(final=False)
        loudness = np.abs(np.sin(np.pi * 3.125 * time))
        sound = (0.3 * loudness * np.sin(2 * np.pi * TONE * time)).astype(np.float32)
        frame = SyncedFrame(self._picture.draw(index, float(loudness[0])), sound, index, AvatarState.SPEAKING)
        if self._spoken >= FRAMES_PER_WORD * len(self._words):
            self._stop()
            self._become(AvatarState.LISTENING)
        return frame

    def _caption(self, *, final: bool) -> None:
        heard = " ".join(self._words[: self._spoken // FRAMES_PER_WORD])
        self._tell(Caption("avatar", self._utterance, heard, final=final))

    def _become(self, state: AvatarState) -> None:
        if state is not self._state:
            self._state = state
            self._tell(StateChanged(state))

    def _tell(self, event: Caption | StateChanged | TurnLatency) -> None:
        if self._audience is not None:
            self._audience.tell(event)


class Theatre:
    """An engine and a gallery with talking photos. `folder` keeps the portraits' pictures."""

    def __init__(self, folder: Path, *, loaded: asyncio.Event | None = None) -> None:
        self.folder = folder
        self.conversations: list[TalkingPhoto] = []
        self.prepared: list[Choice] = []
        self.fault: InputError | None = None
        self.open_door = asyncio.Event()
        self.open_door.set()
        self._loaded = loaded
        self._opened = asyncio.Event()
        self.avatars = [
            Option(
                "astronaut",
                "Astronaut",
                self._keep("astronaut", astronaut()[0:300, 80:380]),
                disclosure=DISCLOSURE,
                voice="joe",
                persona="friend",
            )
        ]

    async def load(self, report: Callable[[LoadStage], None]) -> None:
        names = ("Portrait", "Speech recognition", "Language model", "Voice")
        for name in names:
            report(LoadStage(name, LoadState.WAITING))
        report(LoadStage(names[0], LoadState.READY))
        report(LoadStage(names[1], LoadState.LOADING))
        if self._loaded is not None:
            await self._loaded.wait()
        if self.fault is not None:
            raise self.fault
        for name in names:
            report(LoadStage(name, LoadState.READY))

    async def prepare(self, choice: Choice) -> None:
        if self.fault is not None:
            raise self.fault
        await self.open_door.wait()
        self.prepared.append(choice)

    def open(self, choice: Choice, earlier: Sequence[tuple[str, str]] = ()) -> TalkingPhoto:
        self.conversations.append(TalkingPhoto(choice, earlier))
        self._opened.set()
        return self.conversations[-1]

    async def opened(self, n_conversations: int) -> None:
        """Returns when so many conversations were opened."""
        async with asyncio.timeout(10):
            while len(self.conversations) < n_conversations:
                self._opened.clear()
                await self._opened.wait()

    def options(self) -> Options:
        voices = [Option("joe", "Joe"), Option("amy", "Amy")]
        personas = [Option("friend", "A good listener"), Option("guide", "Museum guide")]
        return Options(list(self.avatars), voices, personas)

    async def add_portrait(self, photo: bytes, label: str, report: Callable[[str, float], None]) -> Option:
        report("Finding the face", 0.1)
        picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            raise InputError("reading the photo", expected="a picture", got="something else")
        report("Fitting the head", 0.6)
        option = Option(f"photo{len(self.avatars)}", label or "Photo", self._keep(f"photo{len(self.avatars)}", picture))
        self.avatars.append(option)
        return option

    def _keep(self, name: str, picture: NDArray[np.uint8]) -> Path:
        path = self.folder / f"{name}.jpg"
        path.write_bytes(cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes())
        return path
