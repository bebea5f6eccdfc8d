from __future__ import annotations

import asyncio
import socket
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from agent.room.account import Account, read_account, wait_for_server
from avatar.errors import EndpointError, InputError
from tests.room.server import SECRET, LiveKitServer

GOOD = {"LIVEKIT_URL": "ws://127.0.0.1:7880", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": SECRET}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_missing_in_the_environment_is_named(name: str):
    environment = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(InputError, match=f"got no {name}") as caught:
        read_account(environment)
    assert "livekit-server --dev" in caught.value.hint


@pytest.mark.parametrize("url", ["127.0.0.1:7880", "ftp://host", "ws://"])
def test_an_address_that_is_none_is_refused(url: str):
    with pytest.raises(InputError, match="LIVEKIT_URL as ws://HOST"):
        read_account({**GOOD, "LIVEKIT_URL": url})


def test_neither_key_nor_secret_is_shown():
    assert SECRET not in repr(read_account(GOOD))
    assert "'key'" not in repr(read_account(GOOD))


def test_the_link_joins_the_room_on_our_server():
    link = urlsplit(read_account({**GOOD, "LIVEKIT_URL": "https://host"}).link("lobby"))
    query = parse_qs(link.query)
    assert query["liveKitUrl"] == ["wss://host"]
    claims = jwt.decode(query["token"][0], SECRET, algorithms=["HS256"])
    assert claims["video"]["room"] == "lobby"
    assert claims["roomConfig"]["syncStreams"]


@pytest.mark.livekit
async def test_wrong_keys_are_one_line_and_not_tried_again(server: LiveKitServer):
    wrong = Account(server.account.url, "testing", "another secret that is long enough for it")
    with pytest.raises(InputError, match="LIVEKIT_API_SECRET that the server knows, got "):
        await wait_for_server(wrong, print)


async def test_a_server_that_is_not_there_is_waited_for_and_told_once():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        account = Account(f"ws://127.0.0.1:{closed.getsockname()[1]}", "key", SECRET)
        with pytest.raises(EndpointError, match="expected a LiveKit server, got "):
            await account.check()
        lines: list[str] = []
        tries: asyncio.Queue[str] = asyncio.Queue()

        def note(line: str) -> None:
            lines.append(line)
            tries.put_nowait(line)

        waiting = asyncio.create_task(wait_for_server(account, note, pause=0))
        async with asyncio.timeout(30):
            await tries.get()
        waiting.cancel()
        await asyncio.wait([waiting])
    assert lines[0].endswith("trying again until it answers ...")
    assert len(lines) == 1
