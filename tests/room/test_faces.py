"""Somebody else's agent with our face: in its own process, and lent by a worker."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from livekit import api, rtc
from livekit.agents import Agent, AgentSession, utils

from agent.room.faces import FaceSession, LentFaceSession
from avatar.audio import to_int16
from avatar.stream import AvatarStream
from avatar.stream.motion import LIVE
from tests.fakes import FlashRenderer, LoudnessGenerator
from tests.room.caller import calling
from tests.room.stage import working

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from agent.room.account import Account
    from tests.room.server import LiveKitServer

pytestmark = pytest.mark.livekit

RATE = 24_000


def face() -> AvatarStream:
    """Returns a face that is the brighter the louder it speaks."""
    return AvatarStream(LoudnessGenerator(), FlashRenderer((128, 128)), LIVE)


async def beeps(seconds: float) -> AsyncIterator[rtc.AudioFrame]:
    """Yields a tone that is on for half of each second."""
    for index in range(round(seconds * 10)):
        sound = 0.6 * np.sin(0.2 * np.arange(RATE // 10)) * (index % 10 < 5)
        yield rtc.AudioFrame(to_int16(sound.astype(np.float32)).tobytes(), RATE, 1, RATE // 10)


@asynccontextmanager
async def agent_in(
    account: Account, name: str
) -> AsyncGenerator[tuple[rtc.Room, AgentSession[Any], Callable[[], Awaitable[None]]]]:
    """Yields a room and a session that is not started, as somebody's agent has them; `connect` joins the room."""
    token = (
        api.AccessToken(account.key, account.secret)
        .with_identity("their agent")
        .with_kind("agent")
        .with_grants(api.VideoGrants(room_join=True, room=name, agent=True))
    )
    room = rtc.Room()
    async with utils.http_context.open():
        session: AgentSession[Any] = AgentSession()
        try:
            yield room, session, lambda: room.connect(account.url, token.to_jwt())
        finally:
            await session.aclose()
            await room.disconnect()


async def test_an_agent_gets_a_face_in_its_own_process(server: LiveKitServer):
    async with calling(server.account, "own") as caller, agent_in(server.account, "own") as (room, session, connect):
        await connect()
        avatar = FaceSession(face=face())
        await avatar.start(session, room=room)
        await session.start(Agent(instructions=""), room=room, record=False)
        await avatar.wait_for_join()
        assert avatar.avatar_identity == "their agent"
        await caller.until(lambda: len(caller.seen) > 3)
        said = session.say("beep", audio=beeps(2), add_to_chat_ctx=False)
        await said.wait_for_playout()
        await caller.until(lambda: max(each.brightness for each in caller.seen) > 100)
        await caller.until(lambda: np.abs(caller.sound_since(0)).max() > 0.4)
        await avatar.aclose()
        await caller.until(lambda: caller.avatar is not None and not caller.avatar.track_publications)


async def test_a_face_that_comes_before_the_agent_has_joined_is_shown_when_it_has(server: LiveKitServer):
    async with (
        calling(server.account, "early") as caller,
        agent_in(server.account, "early") as (room, session, connect),
    ):
        avatar = FaceSession(face=face())
        await avatar.start(session, room=room)
        await session.start(Agent(instructions=""), room=room, record=False)
        await connect()
        await caller.until(lambda: len(caller.seen) > 3)
        await avatar.aclose()


async def test_a_worker_lends_an_agent_a_face_that_can_be_interrupted(
    server: LiveKitServer, monkeypatch: pytest.MonkeyPatch
):
    account = server.account
    for name, value in (("URL", account.url), ("API_KEY", account.key), ("API_SECRET", account.secret)):
        monkeypatch.setenv(f"LIVEKIT_{name}", value)
    async with working(account, name="lender") as work, calling(account, "lent") as caller:
        work.stage.lend = face
        async with agent_in(account, "lent") as (room, session, connect):
            await connect()
            avatar = LentFaceSession("me", worker="lender")
            await avatar.start(session, room=room)
            await session.start(Agent(instructions=""), room=room, record=False)
            await avatar.wait_for_join()
            await caller.until(lambda: len(caller.seen) > 3)
            whole = session.say("beep", audio=beeps(1), add_to_chat_ctx=False)
            await whole.wait_for_playout()
            assert not whole.interrupted
            await caller.until(lambda: np.abs(caller.sound_since(0)).max() > 0.4)
            await caller.until(lambda: max(each.brightness for each in caller.seen) > 100)
            long = session.say("beep", audio=beeps(20))
            played: list[Any] = []
            session.output.audio.on("playback_finished", played.append)
            session.output.audio.on("playback_started", lambda _: session.interrupt())
            await long.wait_for_playout()
            assert long.interrupted
            await caller.until(lambda: bool(played))
            assert played[0].interrupted
            assert played[0].playback_position < 10
            lent = next(each for each in caller.room.remote_participants.values() if each.identity == "visavis-avatar")
            assert lent.attributes["lk.publish_on_behalf"] == "their agent"
            await avatar.aclose()
