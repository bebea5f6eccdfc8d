"""The messages between a page and the server, as docs/protocol.md describes them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.web.conversation import (
    Ask,
    Caption,
    Command,
    Event,
    Interrupt,
    Notice,
    Say,
    SetEmotion,
    SetMicrophone,
    StateChanged,
    TurnLatency,
)
from avatar.errors import InputError, VisavisError
from avatar.types import Emotion  # noqa: TC001 - pydantic reads the annotation

if TYPE_CHECKING:
    from agent.web.conversation import Choice, LoadStage, Option, Options

MAX_MESSAGE: Final = 64 * 1024
"""Bytes of one message; an SDP offer has about 6 000."""

MAX_TEXT: Final = 2000
"""Characters of a typed turn."""

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OfferMessage(_Message):
    """A WebRTC offer; the answer comes back as ``answer``."""

    type: Literal["offer"]
    sdp: str


class AskMessage(_Message):
    """The user's turn, typed."""

    type: Literal["ask"]
    text: Text


class SayMessage(_Message):
    """Words that the avatar shall speak."""

    type: Literal["say"]
    text: Text


class InterruptMessage(_Message):
    """Ends what the avatar says."""

    type: Literal["interrupt"]


class EmotionMessage(_Message):
    """The emotion of the face."""

    type: Literal["emotion"]
    emotion: Emotion
    intensity: Annotated[float, Field(ge=0, le=1)] = 1.0


class MicrophoneMessage(_Message):
    """Whether the microphone is open."""

    type: Literal["microphone"]
    live: bool


class ChooseMessage(_Message):
    """Another avatar, voice or persona; what is left out stays."""

    type: Literal["choose"]
    avatar: str | None = None
    voice: str | None = None
    persona: str | None = None


class EndMessage(_Message):
    """Ends the session for good."""

    type: Literal["end"]


ClientMessage = Annotated[
    OfferMessage
    | AskMessage
    | SayMessage
    | InterruptMessage
    | EmotionMessage
    | MicrophoneMessage
    | ChooseMessage
    | EndMessage,
    Field(discriminator="type"),
]
_CLIENT_MESSAGE: Final[TypeAdapter[ClientMessage]] = TypeAdapter(ClientMessage)


def parse_message(data: str | bytes) -> ClientMessage:
    """Reads a message of a page.

    Raises:
        InputError: It is no JSON, or not one of the messages.
    """
    try:
        return _CLIENT_MESSAGE.validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the message"
        raise InputError(
            "reading a message", expected="a message of docs/protocol.md", got=f"{where}: {first['msg'].lower()}"
        ) from error


def command_of(message: ClientMessage) -> Command | None:
    """Returns what a message asks of the conversation, or None if it is for the server."""
    match message:
        case AskMessage(text=text):
            return Ask(text.strip())
        case SayMessage(text=text):
            return Say(text.strip())
        case InterruptMessage():
            return Interrupt()
        case EmotionMessage(emotion=emotion, intensity=intensity):
            return SetEmotion(emotion, intensity)
        case MicrophoneMessage(live=live):
            return SetMicrophone(live)
        case OfferMessage() | ChooseMessage() | EndMessage():
            return None


def event_message(event: Event) -> dict[str, Any]:
    """Returns the message that tells a page of an event."""
    match event:
        case StateChanged(state=state):
            return {"type": "state", "state": state.value}
        case Caption():
            return {"type": "caption", **asdict(event)}
        case TurnLatency(turn=turn, total=total, stages=stages):
            seconds = {name: round(value, 3) for name, value in stages.items()}
            return {"type": "latency", "turn": turn, "total": round(total, 3), "stages": seconds}
        case Notice():
            return {"type": "notice", **asdict(event)}


def error_message(error: VisavisError, code: str = "refused") -> dict[str, Any]:
    """Returns the message that tells a page what failed."""
    return {"type": "error", "code": code, "message": str(error), "hint": error.hint}


def loading_message(stages: list[LoadStage], *, ready: bool) -> dict[str, Any]:
    """Returns the message that tells a page how far the models have come."""
    return {"type": "loading", "ready": ready, "stages": [asdict(stage) for stage in stages]}


def options_message(options: Options, choice: Choice, *, changing: bool = False) -> dict[str, Any]:
    """Returns the message that tells a page what can be chosen, what is, and whether that is still being made ready."""
    return {
        "type": "options",
        "avatars": [
            {
                **_named(avatar),
                # with its name, so that pages ask again when there is another picture of the same avatar
                "picture": f"/api/avatars/{avatar.id}/picture?{quote(avatar.picture.stem)}" if avatar.picture else None,
                "disclosure": avatar.disclosure,
            }
            for avatar in options.avatars
        ],
        "voices": [_named(voice) for voice in options.voices],
        "personas": [_named(persona) for persona in options.personas],
        "chosen": asdict(choice),
        "changing": changing,
    }


def _named(option: Option) -> dict[str, Any]:
    return {"id": option.id, "label": option.label}
