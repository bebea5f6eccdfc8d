"""Who the avatar is: a text file with the instructions, and a head of settings above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.config import nearest
from avatar.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = "---"

DIRECTIONS = (
    "Before a word you may put a stage direction for your face, which nobody hears: [happy], [sad 0.5], [angry], "
    "[surprise], [fear], [neutral], [nod], [shake], [wink], [tilt], [look away], [look down] or [brows up]. "
    "For example: [happy] Hello! [nod] Yes, I do. Use no other brackets."
)
"""What a language model is taught of `agent.directions`; each word of it costs it time."""


class Example(BaseModel):
    """An exchange that shows how the avatar speaks.

    Attributes:
        user: What a user says.
        avatar: How the avatar answers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: str
    avatar: str


class Persona(BaseModel):
    """Who the avatar is and how it speaks.

    Attributes:
        instructions: What the LLM is told.
        name: What the avatar is called.
        greeting: What it says first in a live conversation, or an empty string.
        examples: Exchanges placed before the conversation; small models follow them better than instructions.
        max_sentences: Longest answer; a model that goes on is cut off there. Null is no limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    instructions: str
    name: str = "Visavis"
    greeting: str = ""
    examples: tuple[Example, ...] = ()
    max_sentences: Annotated[int, Field(ge=1)] | None = None

    def opening(self) -> list[tuple[str, str]]:
        """Returns what the LLM reads before the conversation: roles and texts."""
        examples = [
            turn for example in self.examples for turn in (("user", example.user), ("assistant", example.avatar))
        ]
        return [("system", self.instructions), *examples]


def load_persona(path: Path, *, directions: bool = False) -> Persona:
    """Reads a persona: plain text, or text below a YAML head between two lines of ``---``.

    Args:
        path: The file.
        directions: Whether its instructions go on with stage directions.

    Raises:
        InputError: The file can't be read, is empty, or its head has an unknown key or a wrong value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"reading {path}", expected="a text file", got=str(error)) from error
    head, body = _split(path, text)
    if not body.strip():
        raise InputError(f"reading {path}", expected="a text that says who the avatar is", got="no text")
    try:
        instructions = f"{body.strip()}\n{DIRECTIONS}" if directions else body.strip()
        return Persona.model_validate({**head, "instructions": instructions})
    except ValidationError as error:
        line = min(error.errors(), key=lambda line: line["type"] != "extra_forbidden")
        where = ".".join(str(part) for part in line["loc"])
        if line["type"] == "extra_forbidden":
            model = Example if line["loc"][0] == "examples" else Persona
            valid = [key for key in model.model_fields if key != "instructions"]
            raise InputError(
                f"reading {path}",
                expected="only known keys",
                got=f"`{where}`",
                hint=nearest(str(line["loc"][-1]), valid),
            ) from error
        raise InputError(f"reading {path}", expected=f"`{where}`: {line['msg']}", got=repr(line["input"])) from error


def _split(path: Path, text: str) -> tuple[dict[str, Any], str]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != _FENCE:
        return {}, text
    ends = [index for index, line in enumerate(lines[1:], 1) if line.strip() == _FENCE]
    if not ends:
        raise InputError(f"reading {path}", expected=f"a second line {_FENCE} below the head", got="none")
    try:
        head = yaml.safe_load("\n".join(lines[1 : ends[0]])) or {}
    except yaml.YAMLError as error:
        problem = str(getattr(error, "problem", None) or error)
        raise InputError(f"reading the head of {path}", expected="YAML", got=problem) from error
    if not isinstance(head, dict):
        raise InputError(f"reading the head of {path}", expected="keys with values", got=type(head).__name__)
    return head, "\n".join(lines[ends[0] + 1 :])
