from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from livekit.agents import llm

from agent.config import load_config
from agent.embedded_llm import EmbeddedLLM
from agent.llm_server import LlamaServer
from agent.options import LlamaOptions
from agent.persona import load_persona
from tests.agent.fakes import FakeService

OPENING = load_persona(load_config().persona).opening()


def conversation(question: str) -> llm.ChatContext:
    chat = llm.ChatContext.empty()
    for role, text in [*OPENING, ("user", question)]:
        chat.add_message(role=role, content=text)
    return chat


@pytest.fixture
async def service():
    async with FakeService().running() as service:
        yield service


@pytest.fixture
async def mind(service):
    mind = EmbeddedLLM(SimpleNamespace(base_url=service.url, key="k"), LlamaOptions(), 0)
    yield mind
    await mind.aclose()


async def test_what_is_read_ahead_is_what_will_be_asked_and_nothing_is_written(mind, service):
    mind.read_ahead(conversation("What is the"))
    await mind._reading
    async with mind.chat(chat_ctx=conversation("What is the capital of France?")) as answer:
        async for _ in answer:
            pass
    (_, ahead), (_, asked) = service.requests
    assert ahead["max_completion_tokens"] == 0
    assert ahead["messages"][:-1] == asked["messages"][:-1]
    assert ahead["messages"][-1]["content"] == "What is the"
    assert ahead["cache_prompt"] is True


async def test_one_conversation_is_read_at_a_time(mind, service):
    service.silent = True
    mind.read_ahead(conversation("What"))
    reading = mind._reading
    mind.read_ahead(conversation("What is the"))
    assert mind._reading is reading
    service._released.set()
    await reading
    assert len(service.requests) == 1


async def test_who_only_reads_does_not_complain(mind, service):
    service.status = 500
    mind.read_ahead(conversation("What"))
    await mind._reading


async def test_an_llm_that_reads_can_be_closed(service):
    service.silent = True
    mind = EmbeddedLLM(SimpleNamespace(base_url=service.url, key="k"), LlamaOptions(), 0)
    mind.read_ahead(conversation("What"))
    async with asyncio.timeout(20):
        await service.asked.wait()
    await mind.aclose()
    assert mind._reading.cancelled()


@pytest.mark.model
async def test_the_embedded_model_reads_each_word_once():
    server = LlamaServer(LlamaOptions())
    server.warm_up(OPENING)
    mind = EmbeddedLLM(server, LlamaOptions(), 0)
    mind.read_ahead(conversation("What is the capital of France?"))
    await mind._reading
    async with mind.chat(chat_ctx=conversation("What is the capital of France?")) as answer:
        usage = [chunk.usage async for chunk in answer if chunk.usage][-1]
    await mind.aclose()
    server.close()
    assert usage.prompt_cached_tokens >= usage.prompt_tokens - 1
