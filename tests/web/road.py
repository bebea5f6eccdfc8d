"""The network between a page and the server, which can be cut, frozen and led elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Road:
    """Passes bytes on between whoever comes and a server on this machine; an async context manager.

    Args:
        url: The server's address.

    Attributes:
        url: The address of this end.
    """

    def __init__(self, url: str) -> None:
        self.lead_to(url)
        self.url = ""
        self._open = asyncio.Event()
        self._open.set()
        self._cut = False
        self._ends: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._come, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._listener.close()
        self.cut()

    def lead_to(self, url: str) -> None:
        """Sends whoever comes from now on to another server."""
        self._port = int(url.rstrip("/").rpartition(":")[2])

    def freeze(self) -> None:
        """Loses every packet, as a network without reception does: nobody is told."""
        self._open.clear()

    def cut(self) -> None:
        """Breaks every connection and refuses others."""
        self._cut = True
        self._open.set()
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        """Lets everything through again."""
        self._cut = False
        self._open.set()

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._known(writer):
            if self._cut:
                return
            await self._open.wait()
            try:
                on_reader, on_writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                return
            async with self._known(on_writer), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass(reader, on_writer))
                tasks.create_task(self._pass(on_reader, writer))

    @asynccontextmanager
    async def _known(self, writer: asyncio.StreamWriter) -> AsyncGenerator[None]:
        self._ends.add(writer)
        try:
            yield
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()
