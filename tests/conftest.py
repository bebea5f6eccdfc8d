"""What every test shares."""

from __future__ import annotations

import os
import shutil
from ctypes.util import find_library
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.room.binary import find_server

if TYPE_CHECKING:
    from pathlib import Path

_TRAINING_PROGRAMS = ("flite", "festival", "espeak-ng")


def _missing() -> dict[str, list[str]]:
    """What each marker needs and this machine lacks."""
    torch = [] if find_spec("torch") else ["torch"]
    return {
        "coqui": [] if find_spec("TTS") else ["coqui-tts"],
        "livekit": ([] if find_server() else ["livekit-server (scripts/livekit_server builds it)"])
        + ([] if shutil.which("npm") else ["npm"]),
        "train": torch + [name for name in _TRAINING_PROGRAMS if shutil.which(name) is None],
        "sound": [name for name in ("pulseaudio", "pactl") if shutil.which(name) is None]
        + ([] if find_library("portaudio") else ["PortAudio"]),
        "browser": [] if shutil.which("chromium") or shutil.which("google-chrome") else ["chromium"],
    }


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what this machine can't run; in CI nothing may be missing."""
    for marker, missing in _missing().items():
        if not missing:
            continue
        if os.environ.get("CI"):
            pytest.exit(f"CI must run every test, but these are not installed: {', '.join(missing)}", returncode=1)
        skip = pytest.mark.skip(reason=f"needs {', '.join(missing)}: see README.md, Development")
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(skip)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("VISAVIS_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_avatars_of_the_user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the avatars of whoever runs the tests out of them."""
    monkeypatch.setenv("VISAVIS_AVATARS", str(tmp_path_factory.getbasetemp() / "no-avatars"))
