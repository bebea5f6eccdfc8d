"""Classes below `livekit.plugins`, by name, with arguments from the configuration."""

from __future__ import annotations

import inspect
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from agent.config import PLUGINS, nearest
from avatar.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.config import PartConfig

T = TypeVar("T")


def make_plugin(kind: str, part: PartConfig, base: type[T]) -> T:
    """Returns an instance of the class that `part` names; only in the main thread, which livekit asks for.

    Args:
        kind: ``vad``, ``stt``, ``llm``, ``tts`` or ``turns.detection``, for messages.
        part: The class's name and arguments, and where its key is.
        base: What the class must be.

    Raises:
        InputError: The plugin is not installed, has no such class, or takes no such argument; or the key is missing.
    """
    make = _maker(kind, part.name, base)
    parameters = inspect.signature(make).parameters
    args = dict(part.args)
    for name in args:
        if name not in parameters:
            raise InputError(
                f"making {part.name}",
                expected=f"only arguments that it takes in `{kind}.args`",
                got=f"`{name}`",
                hint=nearest(name, [name for name in parameters if name not in {"self", "api_key"}]),
            )
    if part.key_env:
        key = os.environ.get(part.key_env)
        if not key:
            raise InputError(
                f"making {part.name}",
                expected=f"a key in the environment variable {part.key_env}",
                got="nothing",
                hint=f"set {part.key_env}, or remove `{kind}.key_env` for a server without keys",
            )
        args["api_key"] = key
    elif "api_key" in parameters and "base_url" in args:
        args["api_key"] = "none"  # a server of one's own asks for no key, but the client insists on one
    try:
        return make(**args)
    except (TypeError, ValueError) as error:
        got = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"making {part.name}", expected=f"arguments that it takes in `{kind}.args`", got=got
        ) from error


def _maker(kind: str, name: str, base: type[T]) -> Callable[..., T]:
    module_name, _, class_name = name.rpartition(".")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        plugin = name.removeprefix(PLUGINS).partition(".")[0]
        raise InputError(
            f"making {name}",
            expected=f"the plugin {plugin} to be installed",
            got=f"no module {error.name}",
            hint=f"uv pip install livekit-plugins-{plugin.replace('_', '-')}",
        ) from error
    made: Any = getattr(module, class_name, None)
    if made is None:
        classes = [key for key, value in vars(module).items() if inspect.isclass(value) and issubclass(value, base)]
        raise InputError(
            f"making {name}",
            expected=f"a class of {module_name}",
            got=f"`{class_name}`",
            hint=nearest(class_name, classes),
        )
    if not (inspect.isclass(made) and issubclass(made, base)):
        raise InputError(f"making {name}", expected=f"a class for `{kind}`", got="something else")
    return getattr(made, "load", made)  # livekit's detectors are made by a class method
