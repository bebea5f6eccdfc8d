"""The embedded language model as livekit-agents' LLM, which reads a question while it is being asked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from livekit.agents import utils
from livekit.plugins import openai
from openai import OpenAIError

from agent.llm_server import sampling

if TYPE_CHECKING:
    from livekit.agents import llm

    from agent.llm_server import LlamaServer
    from agent.options import LlamaOptions

_MODEL = "embedded"


class EmbeddedLLM(openai.LLM):
    """The embedded server behind OpenAI's interface.

    A token that llama.cpp has to read costs nearly as much time as one that it writes. What it has read it keeps, so a
    question of which all but the last words were read ahead is answered that much sooner.

    Args:
        server: Where the model listens.
        options: How it answers.
        seed: Same seed, same answers.
    """

    def __init__(self, server: LlamaServer, options: LlamaOptions, seed: int) -> None:
        self._own_fields = sampling(options, seed)
        super().__init__(
            model=_MODEL,
            base_url=server.base_url,
            api_key=server.key,
            temperature=options.temperature,
            top_p=options.top_p,
            max_completion_tokens=options.max_tokens,
            extra_body=self._own_fields,
        )
        self._reading: asyncio.Task[None] | None = None

    def read_ahead(self, chat_ctx: llm.ChatContext) -> None:
        """Has the model read a conversation that it may soon be asked to go on with, unless it still reads another."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(chat_ctx), name="reading ahead")

    async def aclose(self) -> None:
        """Reads no further."""
        if self._reading is not None:
            await utils.aio.cancel_and_wait(self._reading)
        await super().aclose()

    async def _read(self, chat_ctx: llm.ChatContext) -> None:
        messages: Any = chat_ctx.to_provider_format("openai")[0]
        with suppress(OpenAIError):  # who asks in earnest is told
            await self._client.chat.completions.create(
                messages=messages, model=_MODEL, max_completion_tokens=0, extra_body=self._own_fields
            )
