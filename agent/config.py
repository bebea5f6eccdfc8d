"""Configuration: one YAML file, checked strictly, read once.

A part of the voice loop (``vad``, ``stt``, ``llm``, ``tts``) is named by its class: one of ours by a short name
(``silero``, ``webrtc``, ``whisper``, ``llama``, ``hibari``, ``piper``, ``coqui``) or any class below
``livekit.plugins`` by its dotted name, with its arguments. Keys of services come from the environment, never from the
file.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from agent.manner import MotionConfig
from agent.options import HEART, OUR_PARTS, HibariOptions, Seconds, Strict, Threads
from avatar.errors import InputError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

DEFAULT_CONFIG: Final = Path(__file__).parents[1] / "configs" / "default.yaml"

DEFAULT_PERSONA: Final = Path(__file__).parents[1] / "prompts" / "default.md"

Options = TypeVar("Options", bound=BaseModel)

OUR_DETECTIONS: Final = ("words", "vad")
"""What may end a turn, besides classes that are not ours."""

PLUGINS: Final = "livekit.plugins."
"""Where classes that are not ours may come from."""


class PartConfig(Strict):
    """One part of the voice loop.

    Attributes:
        name: A short name of ours or a dotted class name below ``livekit.plugins``; written ``class`` in the file.
        args: Arguments of the class.
        key_env: The environment variable that holds the service's key, or null if it needs none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(alias="class")
    args: dict[str, Any] = Field(default_factory=dict)
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _keys_stay_out_of_the_file(self) -> PartConfig:
        if "api_key" in self.args:
            raise ValueError("a key in the environment, named by `key_env`|`api_key` in the file")
        return self


class AvatarConfig(Strict):
    """The face.

    Attributes:
        portrait: A photo or an avatar's folder, relative to the configuration file, or an avatar's name; null is the
            photo that comes with Visavis.
        seed: Same seed, same motion.
        threads: CPU threads of motion and rendering.
    """

    portrait: Path | None = None
    seed: int = 0
    threads: Threads = 1


class TurnsConfig(Strict):
    """Who speaks when.

    Attributes:
        detection: What ends a turn: ``words``: silence, longer after an English sentence that breaks off; ``vad``:
            silence; or a class below ``livekit.plugins``, with its arguments.
        min_delay: Seconds since the last speech before the turn can end.
        max_delay: Seconds after which it ends although the detector thinks that more will come.
        preemptive: Whether the answer is prepared before the turn's end is certain.
        interruptible: Whether the user can interrupt.
        hush: Seconds of the user's speech after which the voice holds its breath, to go on at once if that was no more
            than a listener's sound; null waits until it is clear that they interrupt.
        min_interruption: Seconds of the user's speech that interrupt.
        false_interruption: Seconds after which speech that turned out to be none lets the avatar resume.
        speak_first_after: Seconds of silence on both sides after which the avatar takes up the conversation, once
            until the user says something; null waits for the user.
    """

    detection: PartConfig = PartConfig.model_validate({"class": "words"})
    min_delay: Seconds = 0.4
    max_delay: Seconds = 2.0
    preemptive: bool = True
    interruptible: bool = True
    hush: Seconds | None = 0.06
    min_interruption: Seconds = 0.45
    false_interruption: Seconds = 0.6
    speak_first_after: Annotated[float, Field(gt=0, le=3600)] | None = None

    @field_validator("detection", mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        value = {"class": value} if isinstance(value, str) else value
        name = value.get("class") if isinstance(value, dict) else None
        if isinstance(name, str) and name not in OUR_DETECTIONS and not name.startswith(PLUGINS):
            raise ValueError(f"turns.detection to be `words`, `vad` or a class below {PLUGINS[:-1]}|`{name}`")
        return value


class Config(Strict):
    """Everything that a run needs to know.

    Attributes:
        persona: Text file that says who the avatar is; relative to the configuration file. An avatar's own persona
            takes the place of the default.
        avatar: The face.
        vad: Finds speech in the user's sound.
        stt: Speech to text.
        llm: The mind.
        tts: Text to speech.
        tools: Python file with functions that the LLM may call, relative to the configuration file.
        turns: Who speaks when.
        motion: How the face moves.
        timeout: Seconds that a service or a tool may take to answer.
    """

    persona: Path = DEFAULT_PERSONA
    avatar: AvatarConfig = AvatarConfig()
    vad: PartConfig = PartConfig.model_validate({"class": "silero"})
    stt: PartConfig = PartConfig.model_validate({"class": "whisper"})
    llm: PartConfig = PartConfig.model_validate({"class": "llama"})
    tts: PartConfig = PartConfig.model_validate({"class": "hibari"})
    tools: Path | None = None
    turns: TurnsConfig = TurnsConfig()
    motion: MotionConfig = MotionConfig()
    timeout: Annotated[float, Field(gt=0, le=600)] = 15.0

    @property
    def teaches_directions(self) -> bool:
        """Whether the language model is told of stage directions."""
        if self.motion.directions is None:
            return self.llm.name != "llama" or self.llm.args.get("model") is not None
        return self.motion.directions

    @model_validator(mode="before")
    @classmethod
    def _parts_are_known(cls, values: object) -> object:
        for kind, ours in OUR_PARTS.items():
            part = values.get(kind) if isinstance(values, dict) else None
            name = part.get("class") if isinstance(part, dict) else None
            if isinstance(name, str) and name not in ours and not name.startswith(PLUGINS):
                raise ValueError(f"{kind}.class to be {_any_of(ours)} or below {PLUGINS[:-1]}|`{name}`")
        return values


def load_config(path: Path | None = None, *, portrait: Path | None = None, seed: int | None = None) -> Config:
    """Reads a configuration; paths in it become absolute.

    Args:
        path: The YAML file; None is the one that comes with Visavis.
        portrait: A photo, or an avatar's folder or name, in the place of the file's.
        seed: Of the motion, in the place of the file's.

    Raises:
        InputError: The file is missing or unreadable, or something in it is unknown or wrong.
    """
    path = path or DEFAULT_CONFIG
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"reading {path}", expected="a configuration file", got="no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"reading {path}", expected="a readable YAML file", got=str(error)) from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise InputError(f"reading {path}", expected="YAML", got=f"{_problem(error)}{line}") from error
    if not isinstance(values, dict):
        raise InputError(f"reading {path}", expected="keys with values", got=_kind(values))
    try:
        config = Config.model_validate(values)
        for kind, ours in OUR_PARTS.items():
            part: PartConfig = getattr(config, kind)
            if part.name in ours:
                _check_options(ours[part.name], part, kind)
    except ValidationError as error:
        raise _first_error(path, error) from error
    if seed is not None:
        config = config.model_copy(update={"avatar": config.avatar.model_copy(update={"seed": seed})})
    absolute = _with_absolute_paths(config, path.resolve().parent)
    return _with_avatar(absolute, portrait, own_persona="persona" not in config.model_fields_set)


def options_of(part: PartConfig, options: type[Options]) -> Options:
    """Returns one of our own parts' arguments as its options, checked already by `load_config`."""
    return options.model_validate(part.args)


def with_voice(tts: PartConfig, voice: str) -> PartConfig:
    """Returns text to speech with an embedded voice or a Piper voice's file (.onnx), as fast and loud as `tts`."""
    shared = {name: tts.args[name] for name in HibariOptions.model_fields if name in tts.args}
    if voice == HEART:
        return PartConfig.model_validate({"class": "hibari", "args": shared})
    return PartConfig.model_validate({"class": "piper", "args": {**shared, "voice": voice}})


def nearest(key: str, valid: list[str]) -> str:
    """Returns a hint that names the valid key most like `key`, or all of them."""
    close = difflib.get_close_matches(key, valid, n=1)
    return f"did you mean `{close[0]}`?" if close else f"valid here: {', '.join(sorted(valid))}"


def _check_options(options: type[Strict], part: PartConfig, kind: str) -> None:
    try:
        options.model_validate(part.args)
    except ValidationError as error:
        raise ValidationError.from_exception_data(
            options.__name__,
            [{**line, "loc": (kind, "args", *line["loc"])} for line in error.errors()],  # pyright: ignore[reportArgumentType] # the lines are pydantic's own
        ) from error


def _with_absolute_paths(config: Config, folder: Path) -> Config:
    persona = (folder / config.persona).resolve()
    if not persona.is_file():
        raise InputError("reading the persona", expected=f"the file {persona}", got="no such file")
    tools = (folder / config.tools).resolve() if config.tools else None
    portrait = config.avatar.portrait
    if portrait and (len(portrait.parts) > 1 or portrait.suffix or (folder / portrait).exists()):
        portrait = folder / portrait
    avatar = config.avatar.model_copy(update={"portrait": portrait})
    llm = config.llm
    if llm.name == "llama" and llm.args.get("model"):
        llm = llm.model_copy(update={"args": {**llm.args, "model": folder / llm.args["model"]}})
    tts = config.tts
    if tts.name == "piper" and str(tts.args.get("voice", "")).endswith(".onnx"):
        tts = tts.model_copy(update={"args": {**tts.args, "voice": str(folder / tts.args["voice"])}})
    if tts.name == "coqui":
        reference = [folder / path for path in tts.args.get("reference", [])]
        tts = tts.model_copy(update={"args": {**tts.args, "model": folder / tts.args["model"], "reference": reference}})
    return config.model_copy(update={"persona": persona, "tools": tools, "avatar": avatar, "llm": llm, "tts": tts})


def _with_avatar(config: Config, portrait: Path | None, *, own_persona: bool) -> Config:
    """Puts a face in place; an avatar's persona and voice come with it where the file names none."""
    portrait = portrait or config.avatar.portrait
    if portrait is None:
        return config
    from avatar.portrait.folder import avatar_of  # noqa: PLC0415 - heavy

    changes: dict[str, Any] = {"avatar": config.avatar.model_copy(update={"portrait": portrait})}
    avatar, tts = avatar_of(portrait), config.tts
    if avatar and avatar.persona and own_persona:
        changes["persona"] = avatar.persona
    if avatar and avatar.voice and tts.name in {"hibari", "piper"} and "voice" not in tts.args:
        changes["tts"] = with_voice(tts, avatar.voice)
    return config.model_copy(update=changes)


def _first_error(path: Path, error: ValidationError) -> InputError:
    """Says the first error in one line, and how many more there are in the hint."""
    lines = sorted(error.errors(), key=lambda line: line["type"] != "extra_forbidden")
    line = lines[0]
    where = ".".join(str(part) for part in line["loc"])
    hint = ""
    if line["type"] == "extra_forbidden":
        valid = _valid_keys(line["loc"][:-1], error.title)
        expected, got = "only known keys", f"`{where}`"
        hint = nearest(str(line["loc"][-1]), valid)
    elif line["type"] == "missing":
        expected, got = f"`{where}`", "nothing"
    elif line["type"] == "value_error":
        expected, got = _split(line)
    else:
        message = line["msg"].removeprefix("Input should be ").partition(", ")[0]
        expected, got = f"`{where}` to be {message[:1].lower()}{message[1:]}", _kind(line["input"])
    if len(lines) > 1:
        hint = f"{hint} ({len(lines) - 1} more like this)".strip()
    return InputError(f"reading {path}", expected=expected, got=got, hint=hint)


def _split(line: ErrorDetails) -> tuple[str, str]:
    expected, _, got = line["msg"].removeprefix("Value error, ").partition("|")
    return expected, got


def _valid_keys(loc: tuple[str | int, ...], title: str) -> list[str]:
    model: type[BaseModel] = Config
    for options in (options for ours in OUR_PARTS.values() for options in ours.values()):
        if options.__name__ == title:
            return list(options.model_fields)
    for key in loc:
        field = model.model_fields.get(str(key))
        annotation = field.annotation if field else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return [field.alias or name for name, field in model.model_fields.items()]


def _any_of(names: dict[str, type[Strict]]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or "something else")


def _kind(value: object) -> str:
    return "nothing" if value is None else repr(value) if not isinstance(value, dict | list) else type(value).__name__
