"""Microphones and speakers of this machine, by the names that its settings show.

PortAudio (behind sounddevice) lists them on macOS and Windows. On Linux it sees one device for the whole sound server,
so there PulseAudio or PipeWire is asked for its sinks and sources: a monitor source hears what a sink plays, which is
how an avatar hears a meeting.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from ctypes import CDLL, CFUNCTYPE, c_char_p, c_int
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from avatar.errors import InputError

if TYPE_CHECKING:
    from types import ModuleType

Direction = Literal["in", "out"]

_SERVER_DEVICE: Final = "pulse"
"""ALSA's name for the sound server."""

_SELECTORS: Final = {"in": "PULSE_SOURCE", "out": "PULSE_SINK"}
"""Environment variables by which libpulse chooses the device of the next stream."""

_WHAT: Final = {"in": "microphone", "out": "speaker"}
_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class AudioDevice:
    """A device that sound can be read from or written to.

    Attributes:
        name: The name that people know it by.
        direction: ``in`` or ``out``.
        port: PortAudio's device: its index, or its name.
        server_name: The sound server's own name of it, or an empty string where there is no server.
    """

    name: str
    direction: Direction
    port: int | str | None
    server_name: str = ""

    def select(self) -> None:
        """Has the next stream that this process opens use the device; not for several threads at a time."""
        if self.server_name:
            os.environ[_SELECTORS[self.direction]] = self.server_name
        else:
            os.environ.pop(_SELECTORS[self.direction], None)


def portaudio() -> ModuleType:
    """Returns the module sounddevice.

    Raises:
        InputError: It, or the PortAudio library that it needs, is missing.
    """
    try:
        import sounddevice  # noqa: PLC0415 - an extra, and it needs a library
    except ImportError as error:
        raise InputError(
            "opening the sound",
            expected="the package sounddevice",
            got="no such package",
            hint="uv sync --extra camera",
        ) from error
    except OSError as error:
        raise InputError(
            "opening the sound",
            expected="the PortAudio library",
            got=str(error),
            hint="sudo apt install libportaudio2 libasound2-plugins",
        ) from error
    _silence_alsa()
    return sounddevice


@cache
def _silence_alsa() -> object:
    """Keeps ALSA's own lines off the terminal: it writes one for each device that it tries and each gap in the sound.

    Returns:
        What ALSA calls instead, which has to stay.
    """
    handler = CFUNCTYPE(None, c_char_p, c_int, c_char_p, c_int, c_char_p)(lambda *_: None)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            CDLL("libasound.so.2").snd_lib_error_set_handler(handler)
    return handler


def list_devices(direction: Direction) -> list[AudioDevice]:
    """Returns the devices there are now, the default first.

    Raises:
        InputError: The package sounddevice or the PortAudio library is missing.
    """
    sounddevice = portaudio()
    served = _served(direction) if sys.platform == "linux" else []
    if served:
        return served
    channels = f"max_{direction}put_channels"
    default = sounddevice.default.device[direction == "out"]
    found = [
        AudioDevice(str(each["name"]), direction, int(each["index"]))
        for each in sounddevice.query_devices()
        if each[channels] > 0
    ]
    return sorted(found, key=lambda device: device.port != default)


def choose(direction: Direction, wanted: str | None) -> AudioDevice:
    """Returns the device with a name, or part of one in any case; None is the default.

    Raises:
        InputError: There is none, or several go by that name.
    """
    devices = list_devices(direction)
    what = f"choosing the {_WHAT[direction]}"
    if not devices:
        raise InputError(what, expected="a sound device", got="none on this machine", hint="see `run_agent.py doctor`")
    if wanted is None:
        return devices[0]
    exact = [device for device in devices if wanted in (device.name, device.server_name)]
    similar = [device for device in devices if wanted.casefold() in f"{device.name} {device.server_name}".casefold()]
    matching = exact or similar
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(device.name for device in matching or devices)
    raise InputError(
        what,
        expected="the name of one device",
        got=f"`{wanted}`, {'which several have' if matching else 'which none has'}",
        hint=f"{'they are' if matching else 'there are'}: {names}",
    )


def _served(direction: Direction) -> list[AudioDevice]:
    """The sound server's devices, the default first; none if there is no server, or PortAudio can't reach it."""
    names = [str(each["name"]) for each in portaudio().query_devices()]
    if shutil.which("pactl") is None or _SERVER_DEVICE not in names:
        return []
    kind = "sources" if direction == "in" else "sinks"
    rows, info = _ask("list", kind), _ask("info")
    default = info.get(f"default_{kind[:-1]}_name", "") if isinstance(info, dict) else ""
    found = [
        AudioDevice(str(row.get("description") or row["name"]), direction, _SERVER_DEVICE, str(row["name"]))
        for row in (rows if isinstance(rows, list) else [])
    ]
    return sorted(found, key=lambda device: device.server_name != default)


def _ask(*words: str) -> Any:  # noqa: ANN401 - JSON
    try:
        answer = subprocess.run(  # noqa: S603 - our own words
            ["pactl", "-f", "json", *words],  # noqa: S607 - where the system has it
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
        return json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
