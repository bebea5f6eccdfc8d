"""Functions that the LLM may call, from a Python file that the configuration names."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import inspect
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from livekit.agents import llm
from livekit.agents.llm import ToolError

from avatar.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from types import ModuleType

_MODULE: Final = "visavis_tools"


def load_tools(path: Path, timeout: float) -> list[llm.FunctionTool[..., Any]]:
    """Returns the public functions of a file as tools; the LLM sees their names, docstrings and type hints.

    Functions that the file imports are no tools. One that is not ``async`` runs in a thread, so that it holds up
    neither picture nor sound.

    Args:
        path: The Python file; it is run.
        timeout: Seconds that a call may take.

    Raises:
        InputError: The file can't be run, or has no function, or one without a docstring or with a hint that can't be
            described to an LLM.
    """
    what = f"reading the tools of {path}"
    if not path.is_file():
        raise InputError(what, expected="a Python file", got="no such file")
    module = _run(what, path)
    functions = [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    if not functions:
        raise InputError(what, expected="at least one public function", got="none")
    return [_tool(what, function, timeout) for function in functions]


def _run(what: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{_MODULE}.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(what, expected="a file whose name ends with .py", got=path.name)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise InputError(what, expected="Python", got=f"{error.msg} in line {error.lineno}") from error
    except Exception as error:  # whatever a user's file raises is the user's to mend
        got = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(what, expected="a file that runs", got=got) from error
    return module


def _tool(what: str, function: Callable[..., Any], timeout: float) -> llm.FunctionTool[..., Any]:
    if not inspect.getdoc(function):
        raise InputError(
            what, expected="a docstring that tells the LLM what it does", got=f"`{function.__name__}` without"
        )
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.annotation is parameter.empty:
            raise InputError(what, expected="a type hint for every argument", got=f"`{name}` of `{function.__name__}`")
    tool = llm.function_tool(_bounded(function, timeout))
    try:
        llm.utils.build_legacy_openai_schema(tool)
    except Exception as error:  # pydantic's, or a name that the hint's module doesn't have
        raise InputError(
            what,
            expected="type hints that can be described to an LLM",
            got=f"`{function.__name__}`: {str(error).splitlines()[0]}",
        ) from error
    return tool


def _bounded(function: Callable[..., Any], timeout: float) -> Callable[..., Awaitable[Any]]:
    """Returns a function that takes its time beside the event loop, and not too much; the LLM is told what fails."""

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the tool takes and gives
        try:
            async with asyncio.timeout(timeout):
                if inspect.iscoroutinefunction(function):
                    return await cast("Awaitable[Any]", function(*args, **kwargs))
                return await asyncio.to_thread(function, *args, **kwargs)
        except TimeoutError as error:
            raise ToolError(f"no result within {timeout:g} s") from error
        except Exception as error:
            raise ToolError(str(error) or type(error).__name__) from error

    return call
