"""What the web server asks of whoever talks: one engine for the process, one conversation a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from avatar.types import AvatarState, Emotion, SyncedFrame


@dataclass(frozen=True, slots=True)
class Ask:
    """The user's turn, typed instead of spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class Say:
    """Words that the avatar shall speak as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Ends what the avatar says."""


@dataclass(frozen=True, slots=True)
class SetEmotion:
    """The emotion of the face from now on; intensity in [0, 1]."""

    emotion: Emotion
    intensity: float


@dataclass(frozen=True, slots=True)
class SetMicrophone:
    """Whether the user's microphone is open: an avatar that can't hear need not wait for an answer."""

    live: bool


Command = Ask | Say | Interrupt | SetEmotion | SetMicrophone


@dataclass(frozen=True, slots=True)
class StateChanged:
    """What the avatar does now."""

    state: AvatarState


@dataclass(frozen=True, slots=True)
class Caption:
    """What somebody says, as far as it is known.

    Attributes:
        speaker: Who.
        utterance: Names the line; later captions of the same line replace it.
        text: The whole line so far; of the avatar only what was heard.
        final: Whether the line is complete.
    """

    speaker: Literal["user", "avatar"]
    utterance: str
    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """How long one answer took.

    Attributes:
        turn: Counts answers from 1.
        total: Seconds from the end of the user's speech to the first sound of the answer.
        stages: Seconds from the end of the user's speech until each stage was reached, by name, in order of time.
    """

    turn: int
    total: float
    stages: dict[str, float]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the user should know; `hint` says what they can do."""

    code: str
    message: str
    hint: str = ""


Event = StateChanged | Caption | TurnLatency | Notice


class Audience(Protocol):
    """Whoever sees and hears a conversation."""

    async def show(self, frame: SyncedFrame) -> None:
        """Takes the next frame at the moment it is due."""
        ...

    def tell(self, event: Event) -> None:
        """Takes an event."""
        ...


class Conversation(Protocol):
    """One person's talk with one avatar."""

    @property
    def history(self) -> list[tuple[str, str]]:
        """Who said what so far, ``user`` or ``assistant`` and the words that were heard."""
        ...

    async def run(self, audience: Audience) -> None:
        """Shows 25 frames a second and tells what happens until it is cancelled; then frees what it holds."""
        ...

    def hear(self, samples: NDArray[np.float32]) -> None:
        """Takes the user's next sound, float32 (n_samples,) in [-1, 1] at 16 kHz."""
        ...

    async def do(self, command: Command) -> None:
        """Carries out a command.

        Raises:
            VisavisError: It can't be done now.
        """
        ...


class LoadState(StrEnum):
    """How far one part has come."""

    WAITING = "waiting"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LoadStage:
    """One part of the engine that has to be loaded.

    Attributes:
        name: Names the part, e.g. ``"speech recognition"``.
        state: How far it has come.
        detail: What failed, or an empty string.
    """

    name: str
    state: LoadState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which avatar, voice and persona a conversation has, by their identifiers."""

    avatar: str
    voice: str
    persona: str


@dataclass(frozen=True, slots=True)
class Option:
    """One avatar, voice or persona to choose.

    Attributes:
        id: Names it.
        label: Its name for people.
        picture: A picture of it, where there is one.
        note: What its maker should know, e.g. that the photo shows several faces.
        disclosure: What viewers of an avatar are told about it.
        voice: The voice that an avatar brings with it, or an empty string.
        persona: The persona that an avatar brings with it, or an empty string.
    """

    id: str
    label: str
    picture: Path | None = None
    note: str = ""
    disclosure: str = ""
    voice: str = ""
    persona: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen; the first of each kind is the default."""

    avatars: list[Option] = field(default_factory=list)
    voices: list[Option] = field(default_factory=list)
    personas: list[Option] = field(default_factory=list)

    def default(self) -> Choice:
        """Returns the first of each kind."""
        return Choice(self.avatars[0].id, self.voices[0].id, self.personas[0].id)

    def with_avatar(self, avatar: str, now: Choice) -> Choice:
        """Returns a choice with another avatar: with the voice and the persona that it brings.

        What the avatar before had brought goes with it.

        Args:
            avatar: The avatar's identifier.
            now: What is chosen.
        """
        known = {option.id: option for option in self.avatars}
        comes, goes, default = known[avatar], known.get(now.avatar), self.default()
        voice, persona = now.voice, now.persona
        if goes and goes.id != avatar:
            voice = default.voice if voice == goes.voice else voice
            persona = default.persona if persona == goes.persona else persona
        return Choice(avatar, comes.voice or voice, comes.persona or persona)


class Engine(Protocol):
    """The loaded models, one set for the process."""

    async def load(self, report: Callable[[LoadStage], None]) -> None:
        """Loads everything that a conversation needs; `report` is called from the event loop.

        Raises:
            VisavisError: A part can't be loaded.
        """
        ...

    async def prepare(self, choice: Choice) -> None:
        """Makes ready what a conversation needs, so that it begins at once.

        Raises:
            VisavisError: It can't be had.
        """
        ...

    def open(self, choice: Choice, earlier: Sequence[tuple[str, str]] = ()) -> Conversation:
        """Returns a new conversation; also while models load: it shows its avatar as soon as that is there.

        Args:
            choice: Avatar, voice and persona.
            earlier: The history that it goes on from.
        """
        ...


class Gallery(Protocol):
    """The avatars, voices and personas there are."""

    def options(self) -> Options:
        """Returns what can be chosen now."""
        ...

    async def add_portrait(self, photo: bytes, label: str, report: Callable[[str, float], None]) -> Option:
        """Makes an avatar of a photo; `report` takes a stage's name and the fraction done, from the event loop.

        Raises:
            InputError: The photo can't be used.
        """
        ...
