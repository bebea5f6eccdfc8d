"""The documented contract, as another front end would use it; and what people and programs send by mistake."""

from __future__ import annotations

import asyncio
import random
import socket
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from agent.web import server, session
from agent.web.conversation import Ask, Interrupt, SetEmotion, SetMicrophone
from agent.web.server import Address, serving
from avatar.errors import InputError, OutputError
from avatar.types import Emotion
from tests.web.conftest import visiting
from tests.web.talker import Theatre

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


async def test_a_page_is_welcomed_and_told_what_there_is(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        welcome = await page.wait_for("welcome")
        assert not welcome["resumed"]
        options = await page.wait_for("options")
        assert [voice["id"] for voice in options["voices"]] == ["joe", "amy"]
        assert options["chosen"] == {"avatar": "astronaut", "voice": "joe", "persona": "friend"}
        await page.wait_for("loading", ready=True)
        picture = await visitor.client.get(visitor.url.rstrip("/") + options["avatars"][0]["picture"])
        assert picture.content_type == "image/jpeg"


async def test_a_page_is_served_while_models_load_and_talks_when_they_are_ready(tmp_path: Path):
    loaded = asyncio.Event()
    theatre = Theatre(tmp_path, loaded=loaded)
    async with visiting(theatre) as visitor, visitor.page() as page:
        assert "Start talking" in await (await visitor.client.get(visitor.url)).text()
        loading = await page.wait_for("loading")
        while len(loading["stages"]) < 4 or loading["stages"][1]["state"] != "loading":
            loading = await page.wait_for("loading")
        assert not loading["ready"]
        await page.send(type="ask", text="hello")
        assert "some that are loading" in (await page.wait_for("error"))["message"]
        loaded.set()
        await page.wait_for("loading", ready=True)
        await page.send(type="ask", text="hello")
        await page.wait_for("caption", speaker="user", text="hello")


async def test_a_page_that_came_early_is_told_when_there_is_a_picture_of_the_avatar(tmp_path: Path):
    loaded = asyncio.Event()
    theatre = Theatre(tmp_path, loaded=loaded)
    measured = theatre.avatars
    theatre.avatars = [replace(option, picture=None) for option in measured]
    async with visiting(theatre) as visitor, visitor.page() as page:
        assert (await page.wait_for("options"))["avatars"][0]["picture"] is None
        theatre.avatars = measured
        loaded.set()
        assert (await page.wait_for("options"))["avatars"][0]["picture"] is not None


async def test_models_that_do_not_load_end_the_server_with_their_error(theatre: Theatre):
    theatre.fault = InputError("loading the voice", expected="a file", got="none")
    with pytest.raises(InputError, match="loading the voice"):
        async with serving(theatre, theatre, Address(port=0), limit=1):
            await asyncio.Event().wait()


async def test_a_typed_turn_is_answered_with_captions_states_and_latency(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        await page.send(type="ask", text="  how are you ")
        assert (await page.wait_for("caption", speaker="user"))["text"] == "how are you"
        await page.wait_for("state", state="speaking")
        latency = await page.wait_for("latency")
        assert latency["turn"] == 1
        assert list(latency["stages"].values())[-1] == latency["total"]
        answer = await page.wait_for("caption", speaker="avatar", final=True)
        assert answer["text"] == "You asked how are you"
        assert theatre.conversations[0].done == [Ask("how are you")]


async def test_an_interruption_ends_the_answer_where_it_was_heard(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        await page.send(type="say", text="one two three four five six seven eight nine ten")
        await page.wait_for("caption", text="one two")
        await page.send(type="interrupt")
        final = await page.wait_for("caption", speaker="avatar", final=True)
        assert "ten" not in final["text"]
        await page.wait_for("state", state="listening")
        assert theatre.conversations[0].done[-1] == Interrupt()


async def test_another_program_can_make_the_avatar_speak_over_rest(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        session = (await page.wait_for("welcome"))["session"]
        await page.wait_for("loading", ready=True)
        url = f"{visitor.url}api/sessions/{session}/messages"
        answer = await visitor.client.post(url, json={"type": "emotion", "emotion": "happy", "intensity": 0.5})
        assert answer.status == 200
        assert theatre.conversations[0].done == [SetEmotion(Emotion.HAPPY, 0.5)]
        await visitor.client.post(url, json={"type": "say", "text": "Hello"})
        await page.wait_for("caption", speaker="avatar", text="Hello", final=True)
        assert (await visitor.client.post(url, data=b"{")).status == 422
        assert (await visitor.client.post(f"{visitor.url}api/sessions/nobody/messages", json={})).status == 404


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        "[]",
        '{"type": "dance"}',
        '{"type": "ask"}',
        '{"type": "ask", "text": "   "}',
        '{"type": "ask", "text": "hi", "more": 1}',
        '{"type": "emotion", "emotion": "hungry"}',
        '{"type": "emotion", "emotion": "happy", "intensity": 7}',
        '{"type": "offer", "sdp": "garbage"}',
        '{"type": "offer", "sdp": ""}',
        '{"type": "offer", "sdp": "v=0\\r\\no=- 1 1 IN IP4 0.0.0.0\\r\\ns=-\\r\\nt=0 0\\r\\n"}',
        '{"type": "ask", "text": "' + "x" * 2001 + '"}',
    ],
)
async def test_a_wrong_message_gets_one_clear_line_and_changes_nothing(theatre: Theatre, message: str):
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        await page.socket.send_str(message)
        error = await page.wait_for("error")
        assert ": expected " in error["message"]
        assert len(error["message"]) < 400
        await page.send(type="ask", text="hello")
        await page.wait_for("caption", text="hello")


async def test_a_flood_of_messages_ends_that_page_alone(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as calm, visitor.page() as wild:
        await calm.wait_for("loading", ready=True)
        for _ in range(100):
            await wild.send(type="interrupt")
        await wild.wait_for("error", code="flood")
        await calm.send(type="ask", text="hello")
        await calm.wait_for("caption", text="hello")


@pytest.mark.parametrize("seed", range(8))
async def test_a_mangled_offer_is_refused_or_answered_and_the_page_goes_on(theatre: Theatre, seed: int):
    rng = random.Random(seed)  # noqa: S311 - no secret
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("audio")
    connection.addTransceiver("video", direction="recvonly")
    lines = (await connection.createOffer()).sdp.splitlines()
    await connection.close()
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        for _ in range(6):
            mangled = [line for line in lines if rng.random() > 0.15]
            at = rng.randrange(len(mangled))
            mangled[at] = "".join(rng.sample(mangled[at], len(mangled[at])))
            await page.send(type="offer", sdp="\r\n".join(mangled) + "\r\n")
        await page.send(type="ask", text="hello")
        await page.wait_for("caption", text="hello")
        errors = [message["message"] for message in page.unread if message["type"] == "error"]
        assert all(": expected " in error and "\n" not in error for error in errors)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
async def test_a_page_of_another_site_gets_nothing(theatre: Theatre, origin: str):
    async with visiting(theatre) as visitor:
        answer = await visitor.client.get(f"{visitor.url}api/status", headers={"Origin": origin})
        assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await visitor.client.ws_connect(f"{visitor.url}api/session", headers={"Origin": origin})


async def test_a_foreign_name_for_this_machine_gets_nothing(theatre: Theatre):
    async with visiting(theatre) as visitor:
        answer = await visitor.client.get(visitor.url, headers={"Host": "rebound.example"})
        assert answer.status == 403


async def test_a_conversation_that_breaks_off_is_begun_again_by_itself(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session, "FIRST_PAUSE", 0.01)
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        await page.send(type="microphone", live=True)
        await page.send(type="ask", text="hello")
        await page.wait_for("caption", text="hello")
        first, choice = theatre.conversations[0], theatre.conversations[0].choice
        first.fault = RuntimeError("out of luck")
        await page.wait_for("notice", code="conversation")
        await theatre.opened(2)
        second = theatre.conversations[1]
        await second.begun.wait()
        assert (second.choice, second.history) == (choice, [("user", "hello")])
        assert SetMicrophone(live=True) in second.done


@pytest.mark.parametrize("headers", [{"Host": "[::1"}, {"Origin": "http://[::1"}])
async def test_a_mangled_address_is_refused(theatre: Theatre, headers: dict):
    async with visiting(theatre) as visitor:
        answer = await visitor.client.get(f"{visitor.url}api/status", headers=headers)
        assert answer.status == 400
        assert ": expected an address, got " in (await answer.json())["message"]


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"])
async def test_what_is_no_http_is_answered_and_leaves_the_terminal_alone(
    theatre: Theatre, garbage: bytes, caplog: pytest.LogCaptureFixture
):
    async with visiting(theatre) as visitor:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(visitor.url).port)
        writer.write(garbage + b"\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_message_over_rest_is_neither_large_nor_slow(theatre: Theatre, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "MESSAGE_SECONDS", 0.05)
    done = asyncio.Event()

    async def large() -> AsyncGenerator[bytes]:
        for _ in range(100):
            yield b" " * 4096

    async def slow() -> AsyncGenerator[bytes]:
        yield b"{"
        await done.wait()

    async with visiting(theatre) as visitor, visitor.page() as page:
        address = f"{visitor.url}api/sessions/{(await page.wait_for('welcome'))['session']}/messages"
        answer = await visitor.client.post(address, data=slow())
        assert answer.status == 408
        done.set()
        monkeypatch.setattr(server, "MESSAGE_SECONDS", 10)
        answer = await visitor.client.post(address, data=large())
        assert answer.status == 413
        assert (await answer.json())["type"] == "error"


async def test_a_taken_port_is_one_clear_line(theatre: Theatre):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutputError, match="opening the page: expected a free address"):
            async with serving(theatre, theatre, Address(port=taken.getsockname()[1]), limit=1):
                pass


async def test_an_unknown_address_answers_in_json(theatre: Theatre):
    async with visiting(theatre) as visitor:
        answer = await visitor.client.get(f"{visitor.url}api/nothing")
        assert answer.status == 404
        assert (await answer.json())["type"] == "error"
