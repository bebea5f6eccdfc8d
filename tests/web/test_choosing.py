"""Another avatar, voice or persona, chosen while a conversation goes on."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from agent.web import session
from agent.web.conversation import SetEmotion, SetMicrophone
from avatar.errors import InputError
from avatar.types import OUTPUT_RATE, Emotion
from tests.web.conftest import visiting

if TYPE_CHECKING:
    import pytest

    from tests.web.talker import Theatre


async def test_another_voice_opens_another_conversation(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        await page.send(type="choose", voice="amy")
        options = await page.wait_for("options", chosen={"avatar": "astronaut", "voice": "amy", "persona": "friend"})
        assert options["chosen"]["voice"] == "amy"
        await page.send(type="choose", voice="nobody")
        assert "joe, amy" in (await page.wait_for("error"))["message"]
        await theatre.opened(2)
        assert [talk.choice.voice for talk in theatre.conversations] == ["joe", "amy"]
        assert [choice.voice for choice in theatre.prepared] == ["amy"]


async def test_the_page_is_told_when_another_voice_is_ready(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        assert (await page.wait_for("options"))["changing"] is False
        theatre.open_door.clear()
        await page.send(type="choose", voice="amy")
        assert (await page.wait_for("options"))["changing"] is True
        theatre.open_door.set()
        assert (await page.wait_for("options"))["changing"] is False


async def test_another_voice_waits_for_the_end_of_what_is_being_said(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        await page.send(type="say", text="One two three four")
        await page.wait_for("caption", speaker="avatar", text="One")
        await page.send(type="choose", voice="amy")
        assert (await page.wait_for("caption", speaker="avatar", final=True))["text"] == "One two three four"
        assert len(theatre.conversations) == 1
        await theatre.opened(2)


async def test_another_voice_waits_for_the_answer_to_a_question_that_is_being_asked(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        session = (await page.wait_for("welcome"))["session"]
        await page.wait_for("loading", ready=True)
        async with visitor.client.ws_connect(f"{visitor.url}api/sessions/{session}/media", max_msg_size=0) as media:
            await media.send_bytes(np.full(OUTPUT_RATE // 2, 6000, "<i2").tobytes())
            await page.wait_for("caption", speaker="user", final=False)
            await page.send(type="choose", voice="amy")
            await page.wait_for("options", changing=True)
            assert len(theatre.conversations) == 1
            for _ in range(4):
                await media.send_bytes(np.zeros(OUTPUT_RATE // 2, "<i2").tobytes())
            await page.wait_for("caption", speaker="avatar", final=True)
            await theatre.opened(2)


async def test_another_voice_does_not_wait_for_an_answer_without_end(theatre: Theatre, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session, "LONGEST_WAIT", 0.1)
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        await page.send(type="say", text="and so on " * 100)
        await page.wait_for("caption", speaker="avatar")
        await page.send(type="choose", voice="amy")
        await theatre.opened(2)


async def test_what_can_not_be_had_leaves_what_there_is(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        await page.wait_for("options")
        theatre.fault = InputError("loading the voice", expected="a file", got="none")
        await page.send(type="choose", voice="amy")
        assert "loading the voice" in (await page.wait_for("error", code="conversation"))["message"]
        await page.wait_for("options", chosen={"avatar": "astronaut", "voice": "amy", "persona": "friend"})
        await page.wait_for("options", chosen={"avatar": "astronaut", "voice": "joe", "persona": "friend"})
        await page.send(type="ask", text="hello")
        await page.wait_for("caption", text="hello")
        assert len(theatre.conversations) == 1


async def test_another_voice_knows_what_was_said_and_another_persona_does_not(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        await page.wait_for("loading", ready=True)
        await page.send(type="ask", text="I am Bea")
        await page.wait_for("caption", speaker="avatar", final=True)
        await page.send(type="choose", voice="amy")
        await theatre.opened(2)
        await page.send(type="choose", persona="guide")
        await theatre.opened(3)
    assert [talk.history for talk in theatre.conversations] == [[("user", "I am Bea")], [("user", "I am Bea")], []]


async def test_the_lines_of_another_conversation_stand_below_those_of_the_one_before(theatre: Theatre):
    async with visiting(theatre) as visitor:
        async with visitor.page() as page:
            session = (await page.wait_for("welcome"))["session"]
            await page.wait_for("loading", ready=True)
            await page.send(type="ask", text="apples")
            await page.wait_for("caption", speaker="avatar", final=True)
            await page.send(type="choose", voice="amy")
            await theatre.opened(2)
            await page.send(type="ask", text="pears")
            await page.wait_for("caption", speaker="avatar", text="You asked pears", final=True)
        async with visitor.page(resume=session) as page:
            lines = [await page.wait_for("caption") for _ in range(4)]
    assert [line["text"] for line in lines] == ["apples", "You asked apples", "pears", "You asked pears"]
    assert len({line["utterance"] for line in lines}) == 4


async def test_another_avatar_has_the_microphone_and_the_emotion_and_goes_on_in_time(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        session = (await page.wait_for("welcome"))["session"]
        await page.wait_for("loading", ready=True)
        await page.send(type="microphone", live=True)
        await page.send(type="emotion", emotion="sad", intensity=0.4)
        async with visitor.client.ws_connect(f"{visitor.url}api/sessions/{session}/media", max_msg_size=0) as media:
            indices = [struct.unpack_from("<I", await media.receive_bytes(timeout=10))[0] for _ in range(5)]
            await page.send(type="choose", persona="guide")
            while len(theatre.conversations) < 2 or len(indices) < 15:
                indices.append(struct.unpack_from("<I", await media.receive_bytes(timeout=10))[0])
        assert min(np.diff(indices)) >= 1
        assert theatre.conversations[1].done == [SetMicrophone(live=True), SetEmotion(Emotion.SAD, 0.4)]
