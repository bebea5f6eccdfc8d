"""What loading the models leaves on the terminal."""

from __future__ import annotations

import subprocess
import sys

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
