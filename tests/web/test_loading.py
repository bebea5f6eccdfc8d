"""In which order the models are loaded, and what that leaves on the terminal."""

from __future__ import annotations

import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from agent import parts
from agent.config import load_config
from agent.web import live
from agent.web.conversation import LoadStage, LoadState
from avatar.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

_FIRST_PHOTO = """
import asyncio, sys
from types import SimpleNamespace

from agent.config import load_config
from agent.web.live import LiveEngine
from avatar.errors import InputError


class Gallery:
    def options(self):
        return SimpleNamespace(default=lambda: SimpleNamespace(avatar="photo"))

    def portrait(self, avatar):
        print("requests.adapters" in sys.modules)
        raise InputError("reading the photo", expected="one", got="none")


try:
    asyncio.run(LiveEngine(load_config(), Gallery()).load(lambda _: None))
except InputError:
    pass
"""


def test_urllib3_has_been_imported_before_a_thread_can_take_the_filter_from_its_warning_away():
    ran = subprocess.run([sys.executable, "-c", _FIRST_PHOTO], capture_output=True, text=True, check=True)  # noqa: S603
    assert (ran.stdout.strip(), ran.stderr) == ("True", "")


class OnePhoto:
    """A gallery with one photo, which may be unusable."""

    def __init__(self, *, usable: bool = True) -> None:
        self.usable = usable

    def options(self) -> SimpleNamespace:
        return SimpleNamespace(default=lambda: SimpleNamespace(avatar="photo"))

    def portrait(self, avatar: str) -> None:
        if not self.usable:
            raise InputError("reading the photo", expected="one", got="none")


def engine(monkeypatch: pytest.MonkeyPatch, gallery: OnePhoto, photo: Path | None = None) -> live.LiveEngine:
    """Returns an engine whose faces are made at once."""
    monkeypatch.setattr(live, "settle", lambda: None)
    monkeypatch.setattr(live.LiveEngine, "_make_face", lambda *_: SimpleNamespace())
    return live.LiveEngine(load_config(portrait=photo), gallery)


async def test_the_face_is_there_while_what_it_hears_and_speaks_with_still_loads(monkeypatch: pytest.MonkeyPatch):
    seen = threading.Event()

    def load_parts(*_: object) -> SimpleNamespace:
        assert seen.wait(60)
        return SimpleNamespace()

    def report(stage: LoadStage) -> None:
        if stage == LoadStage("face", LoadState.READY):
            seen.set()

    monkeypatch.setattr(parts, "load_parts", load_parts)
    await engine(monkeypatch, OnePhoto()).load(report)


async def test_nothing_is_loaded_for_a_photo_that_can_not_be_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    async def nothing_to_import(_: object) -> None:
        pass

    monkeypatch.setattr(live, "_import_parts", nothing_to_import)
    monkeypatch.setattr(parts, "load_parts", lambda *_: pytest.fail("models were loaded"))
    with pytest.raises(InputError, match="reading the photo"):
        await engine(monkeypatch, OnePhoto(usable=False), tmp_path / "photo.jpg").load(lambda _: None)
