"""What can be wrong between a worker, its server and its callers: one clear line each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from livekit import api, rtc

from agent.room.account import Account
from tests.room.caller import calling
from tests.room.page import serving_page
from tests.room.process import command
from tests.room.server import LiveKitServer
from tests.room.stage import working
from tests.web.browser import browsing

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.livekit


async def test_a_room_whose_token_has_expired_is_given_up_in_one_line(
    server: LiveKitServer, monkeypatch: pytest.MonkeyPatch
):
    connect = rtc.Room.connect

    async def too_late(room: rtc.Room, url: str, token: str, options: rtc.RoomOptions | None = None) -> None:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        if claims["video"].get("agent"):
            token = jwt.encode({**claims, "nbf": 1000, "exp": 2000}, server.account.secret)
        await connect(room, url, token, options or rtc.RoomOptions())

    monkeypatch.setattr(rtc.Room, "connect", too_late)
    async with working(server.account) as work, calling(server.account, "expired"):
        async with asyncio.timeout(60):
            while not any(line.startswith("expired: ") for line in work.lines):  # noqa: ASYNC110 - a list of lines
                await asyncio.sleep(0.05)
        said = [line for line in work.lines if line.startswith("expired: ")]
    assert len(said) == 1
    assert said[0].startswith("expired: joining expired: expected a token that the server takes, got ")
    assert said[0].endswith("(hint: has it expired?)")
    assert "\n" not in said[0]
    assert not work.stage.conversations


async def test_a_full_room_takes_the_avatar_and_refuses_the_next_caller(server: LiveKitServer):
    account = server.account
    async with working(account), api.LiveKitAPI(account.url, account.key, account.secret) as admin:
        await admin.room.create_room(api.CreateRoomRequest(name="full", max_participants=1))
        async with calling(account, "full") as caller:
            await caller.until(lambda: len(caller.seen) > 3)
            with pytest.raises(rtc.ConnectError):
                async with calling(account, "full", "second"):
                    pass
            await caller.until(lambda: len(caller.seen) > 10)


async def test_wrong_keys_end_the_command_in_one_line(server: LiveKitServer):
    wrong = Account(server.account.url, server.account.key, "another secret that is long enough for it")
    async with command(wrong, "start") as process:
        async with asyncio.timeout(120):
            _, said = await process.communicate()
    lines = said.decode().splitlines()
    assert process.returncode == 2
    assert lines[0].startswith(
        f"error: connecting to {wrong.url}: expected LIVEKIT_API_KEY and LIVEKIT_API_SECRET that the server knows"
    )
    assert lines[1].startswith("hint: ")
    assert len(lines) == 2


async def test_the_command_waits_for_a_server_and_begins_when_it_is_there(tmp_path: Path):
    server = LiveKitServer(tmp_path / "server.log")
    async with command(server.account, "start") as process, asyncio.timeout(120):
        assert process.stderr is not None
        said = [(await process.stderr.readline()).decode().rstrip() for _ in range(3)]
        assert said[0].startswith(f"connecting to {server.account.url}: expected a LiveKit server, got ")
        assert said[1:] == ["hint: is it running, and is LIVEKIT_URL right?", "trying again until it answers ..."]
        server.start()
        try:
            assert await process.stderr.readline() == b"loading ...\n"
        finally:
            server.stop()


_WITHOUT = """(lacking) => {
    const without = (sdp) => {
        const gone = new Set();
        for (const [, id, name] of sdp.matchAll(/a=rtpmap:(\\d+) ([^/]+)/g)) if (lacking.includes(name)) gone.add(id);
        for (const [, id, repaired] of sdp.matchAll(/a=fmtp:(\\d+) apt=(\\d+)/g)) if (gone.has(repaired)) gone.add(id);
        const lines = sdp.split("\\r\\n").filter((line) => {
            const about = line.match(/^a=(?:rtpmap|fmtp|rtcp-fb):(\\d+) /);
            return !about || !gone.has(about[1]);
        });
        const known = (line) => line.split(" ").filter((word, index) => index < 3 || !gone.has(word)).join(" ");
        return lines.map((line) => line.startsWith("m=video") ? known(line) : line).join("\\r\\n");
    };
    for (const name of ["createOffer", "createAnswer"]) {
        const make = RTCPeerConnection.prototype[name];
        RTCPeerConnection.prototype[name] = async function (...options) {
            const made = await make.apply(this, options);
            return { type: made.type, sdp: without(made.sdp) };
        };
    }
}"""
"""Takes codecs away from a browser, in what it offers and answers."""


@pytest.mark.browser
@pytest.mark.parametrize("lacking", [["VP9", "H264", "AV1", "H265"], ["VP8"]], ids=["VP8 alone", "no VP8"])
async def test_a_browser_with_vp8_alone_sees_the_avatar_and_one_without_is_told_and_hears_it(
    server: LiveKitServer, lacking: list[str]
):
    account = server.account
    async with working(account), serving_page() as url, browsing() as browser:
        page = await (await browser.new_context()).new_page()
        await page.goto(url)
        await page.evaluate(_WITHOUT, lacking)
        name = f"without-{lacking[0]}"
        await page.evaluate("([url, token]) => join(url, token, false)", [account.url, account.token(name, "visitor")])
        if lacking == ["VP8"]:
            await page.wait_for_function("refused.length > 0", timeout=60_000)
            unsupported = 1  # SE_CODEC_UNSUPPORTED
            assert await page.evaluate("refused") == [unsupported]
            assert await page.evaluate("document.getElementById('video').videoWidth") == 0
        else:
            await page.wait_for_function("document.getElementById('video').videoWidth === 512", timeout=60_000)
            assert await page.evaluate("refused") == []
        heard = "document.getElementById('video').srcObject.getAudioTracks().length === 1"
        await page.wait_for_function(heard, timeout=60_000)
