"""A server with talking photos on a free port."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from agent.web.server import Address, serving
from tests.web.talker import Theatre

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


@pytest.fixture
def theatre(tmp_path: Path) -> Theatre:
    return Theatre(tmp_path)


class Visitor:
    """What a front end does: opens the socket, sends messages, waits for the ones it wants."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self.client = client
        self.url = url

    @asynccontextmanager
    async def page(self, resume: str = "") -> AsyncGenerator[Page]:
        query = {"resume": resume} if resume else {}
        async with self.client.ws_connect(f"{self.url}api/session", params=query) as socket:
            yield Page(socket)


class Page:
    """One open socket; messages that were not waited for yet stay."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.unread: list[dict] = []

    async def send(self, **message: object) -> None:
        await self.socket.send_json(message)

    async def wait_for(self, kind: str, **values: object) -> dict:
        """Returns the first message of a kind with these values that was not returned before."""
        for message in self.unread:
            if _fits(message, kind, values):
                self.unread.remove(message)
                return message
        while True:
            message = await self.socket.receive_json(timeout=10)
            if _fits(message, kind, values):
                return message
            self.unread.append(message)


def _fits(message: dict, kind: str, values: dict[str, object]) -> bool:
    return message["type"] == kind and all(message.get(name) == value for name, value in values.items())


@asynccontextmanager
async def visiting(theatre: Theatre, limit: int = 2) -> AsyncGenerator[Visitor]:
    """Serves `theatre` and yields a front end without a session."""
    async with (
        serving(theatre, theatre, Address(port=0), limit=limit) as (url, _),
        aiohttp.ClientSession() as client,
    ):
        yield Visitor(client, url)
