"""What a session tells whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.latency import LatencyReport
    from avatar.types import AvatarState


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The avatar does something else now."""

    state: AvatarState


@dataclass(frozen=True, slots=True)
class UserSpeaking:
    """The user began to speak, or stopped."""

    speaking: bool


@dataclass(frozen=True, slots=True)
class UserSaid:
    """The user's words.

    Attributes:
        text: Since the last final text.
        final: Whether they will not change any more.
    """

    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class AvatarWords:
    """More of the avatar's words, as they are heard."""

    text: str


@dataclass(frozen=True, slots=True)
class AvatarSaid:
    """What the avatar said in one reply: only what was heard.

    Attributes:
        text: The words.
        interrupted: Whether there was more to say.
    """

    text: str
    interrupted: bool


@dataclass(frozen=True, slots=True)
class TurnMeasured:
    """How long the user waited for the reply that begins now."""

    latency: LatencyReport


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong; a live session goes on."""

    error: Exception


SessionEvent = StateChanged | UserSpeaking | UserSaid | AvatarWords | AvatarSaid | TurnMeasured | Failed
