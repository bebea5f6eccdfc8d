"""`run_agent.py web` as a process: the page is there while models load, Ctrl-C ends it, mistakes are one line."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from agent.commands import web
from avatar.errors import InputError, OutputError

RUN_AGENT = Path(__file__).parents[2] / "run_agent.py"


@pytest.mark.model
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_the_page_is_served_at_once_and_ends_when_it_is_asked_to(ending: signal.Signals):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, RUN_AGENT, "web", "--no-open", "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    line = (await asyncio.wait_for(process.stdout.readline(), 120)).decode()
    assert line.startswith("Talk at http://127.0.0.1:")
    async with aiohttp.ClientSession() as client:
        url = line.split()[2]
        assert "Start talking" in await (await client.get(url)).text()
        assert not (await (await client.get(f"{url}api/status")).json())["ready"]
    process.send_signal(ending)
    _, errors = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0
    assert b"Traceback" not in errors


def arguments(**values: object) -> argparse.Namespace:
    given = {"config": None, "portrait": None, "seed": None, "host": "127.0.0.1", "port": 0, "sessions": 1}
    return argparse.Namespace(**{**given, "open": False, **values})


def test_a_missing_configuration_is_one_clear_line():
    with pytest.raises(InputError, match=r"nowhere\.yaml: expected a configuration file"):
        web.run(arguments(config=Path("nowhere.yaml")))


def test_a_taken_port_is_one_clear_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutputError, match="opening the page"):
            web.run(arguments(port=taken.getsockname()[1]))


@pytest.mark.parametrize("sessions", [0, -3])
def test_a_limit_without_a_session_is_refused(sessions: int):
    with pytest.raises(InputError, match="at least 1"):
        web.run(arguments(sessions=sessions))


def test_a_photo_without_a_face_is_refused_before_the_page_opens(tmp_path: Path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"no photo")
    with pytest.raises(InputError, match=r"photo\.jpg"):
        web.run(arguments(portrait=photo))
