"""What this machine has and lacks for Visavis, each with how to mend it."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sys
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from avatar.assets import PackageFile, cache_dir, locate
from avatar.errors import VisavisError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from agent.config import Config
    from agent.devices import Direction

MODEL_MODULES: Final = ("avatar.audio", "avatar.motion.whisper", "agent.llm_server", "agent.tts", __name__)
"""Modules that declare the model files which packages carry."""

_HEART: Final = (
    PackageFile("hibari", "assets/hibari.onnx", "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"),
    PackageFile("hibari", "assets/oov.onnx", "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76"),
)
"""The voice heart, which its package loads by itself."""


_OWN_FILES: Final = Path(__file__).parents[1] / "avatar" / "checksums.txt"
_PACKAGES: Final = (
    "livekit-agents",
    "faster-whisper",
    "piper-tts",
    "xllamacpp",
    "onnxruntime",
    "numba",
    "av",
    "aiortc",
)
_ENCODERS: Final = ("libx264", "libopus", "libvpx", "aac")
_MEMORY: Final = 2 << 30
_DISK: Final = 1 << 30
_CORES: Final = 2
_PATIENCE: Final = 3.0


class Verdict(StrEnum):
    """How a check came out."""

    GOOD = "ok"
    OPTIONAL = "no"
    """Something is missing that only some commands need."""
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        verdict: How it came out.
        found: What was found.
        fix: How to mend it, or an empty string.
    """

    name: str
    verdict: Verdict
    found: str
    fix: str = ""


def examine(config: Config, port: int) -> Iterator[Check]:
    """Yields one check after the other; none takes more than a few seconds.

    Args:
        config: What the user will run; services that it names are asked for.
        port: Where the page shall listen.
    """
    yield from _machine()
    yield from _packages()
    yield from _model_files()
    yield from _encoders()
    yield _port(port)
    yield from _sound()
    yield _camera()
    yield from _services(config)


def _machine() -> Iterator[Check]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    verdict = Verdict.GOOD if cores >= _CORES else Verdict.BAD
    yield Check("cores", verdict, str(cores), "" if verdict is Verdict.GOOD else "Visavis needs two")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield _enough("memory", memory, _MEMORY, "close other programs: the default needs about 1 GB")
    folder = cache_dir()
    yield _enough(f"space in {folder}", shutil.disk_usage(folder).free, _DISK, "set VISAVIS_CACHE to a larger disk")


def _enough(name: str, there: int, wanted: int, fix: str) -> Check:
    good = there >= wanted
    return Check(name, Verdict.GOOD if good else Verdict.BAD, f"{there / (1 << 30):.1f} GB", "" if good else fix)


def _packages() -> Iterator[Check]:
    for name in _PACKAGES:
        try:
            yield Check(name, Verdict.GOOD, version(name))
        except PackageNotFoundError:
            yield Check(name, Verdict.BAD, "not installed", "uv sync")


def _model_files() -> Iterator[Check]:
    for module in MODEL_MODULES:
        for file in declared_files(import_module(module)):
            name = f"{file.package}/{Path(file.path).name}"
            try:
                locate(file)
            except VisavisError as error:
                yield Check(name, Verdict.BAD, str(error), error.hint)
            else:
                yield Check(name, Verdict.GOOD, f"sha256 {file.sha256[:12]}")
    for line in _OWN_FILES.read_text().splitlines():
        expected, name = line.split(maxsplit=1)
        yield _own_file(_OWN_FILES.parent / name, expected)


def _own_file(path: Path, expected: str) -> Check:
    name = f"{path.parent.parent.name}/{path.name}"
    if not path.is_file():
        return Check(name, Verdict.BAD, "no such file", "git checkout -- avatar")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != expected:
        return Check(name, Verdict.BAD, f"sha256 {digest[:12]}, not {expected[:12]}", "git checkout -- avatar")
    return Check(name, Verdict.GOOD, f"sha256 {digest[:12]}")


def declared_files(module: ModuleType) -> list[PackageFile]:
    """Returns the package files that a module names in its constants, alone, in tuples or as a dictionary's values."""
    found: list[PackageFile] = []

    def collect(value: object) -> None:
        if isinstance(value, PackageFile):
            found.append(value)
        elif isinstance(value, tuple | list):
            for each in value:
                collect(each)
        elif isinstance(value, dict):
            for each in value.values():
                collect(each)

    for name, value in vars(module).items():
        if name.strip("_").isupper():
            collect(value)
    return list(dict.fromkeys(found))


def _encoders() -> Iterator[Check]:
    import av  # noqa: PLC0415 - heavy

    for name in _ENCODERS:
        if name in av.codecs_available:
            yield Check(f"encoder {name}", Verdict.GOOD, "there")
        else:
            yield Check(f"encoder {name}", Verdict.BAD, "missing", "uv sync --reinstall-package av")


def _port(port: int) -> Check:
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            return Check(f"port {port}", Verdict.BAD, error.strerror or str(error), "run_agent.py web --port 0")
    return Check(f"port {port}", Verdict.GOOD, "free")


def _sound() -> Iterator[Check]:
    from agent.devices import list_devices  # noqa: PLC0415 - reaches for PortAudio

    directions: tuple[tuple[str, Direction], ...] = (("microphones", "in"), ("speakers", "out"))
    for name, direction in directions:
        try:
            devices = list_devices(direction)
        except VisavisError as error:
            yield Check(name, Verdict.OPTIONAL, str(error), f"for `camera`: {error.hint}")
            continue
        if devices:
            yield Check(name, Verdict.GOOD, ", ".join(device.name for device in devices))
        else:
            yield Check(
                name, Verdict.OPTIONAL, "none", f"for `camera`: {_SOUND_FIXES.get(sys.platform, 'connect one')}"
            )


_SOUND_FIXES: Final = {
    "linux": "start PipeWire or PulseAudio; a cable is `pactl load-module module-null-sink sink_name=cable`",
    "darwin": "allow the terminal to use the microphone in the privacy settings; BlackHole is a cable",
    "win32": "allow desktop apps to use the microphone in the privacy settings; VB-CABLE is a cable",
}


def _camera() -> Check:
    from avatar.publish.camera import VirtualCamera  # noqa: PLC0415 - reaches for a driver

    try:
        with VirtualCamera(640, 480) as camera:
            return Check("virtual camera", Verdict.GOOD, camera.name)
    except VisavisError as error:
        return Check("virtual camera", Verdict.OPTIONAL, str(error), f"for `camera`: {error.hint}")


def _services(config: Config) -> Iterator[Check]:
    for kind in ("vad", "stt", "llm", "tts"):
        part = getattr(config, kind)
        if part.key_env:
            there = bool(os.environ.get(part.key_env))
            yield Check(
                f"key of {kind}",
                Verdict.GOOD if there else Verdict.BAD,
                f"{part.key_env} {'is set' if there else 'is not set'}",
                "" if there else f"export {part.key_env}=...",
            )
        if url := str(part.args.get("base_url") or ""):
            yield _reached(f"service of {kind}", url, Verdict.BAD)
    url = os.environ.get("LIVEKIT_URL", "")
    if not url:
        yield Check("LiveKit", Verdict.OPTIONAL, "LIVEKIT_URL is not set", "for `room`: see docs/room.md")
        return
    keys = [name for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET") if not os.environ.get(name)]
    if keys:
        yield Check("LiveKit keys", Verdict.BAD, f"{' and '.join(keys)} not set", f"export {keys[0]}=...")
    yield _reached("LiveKit", url, Verdict.BAD)


def _reached(name: str, url: str, otherwise: Verdict) -> Check:
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
        with socket.create_connection((parts.hostname or "", port), _PATIENCE):
            return Check(name, Verdict.GOOD, f"{parts.hostname}:{port} answers")
    except (OSError, ValueError) as error:
        return Check(name, otherwise, f"{url}: {error}", "start it, or correct its address")
