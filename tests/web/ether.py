"""The packets between two ends of a WebRTC connection, which can be lost for a while."""

from __future__ import annotations

import asyncio
import re
from typing import Self

_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", re.MULTILINE)


class _End(asyncio.DatagramProtocol):
    def __init__(self, ether: Ether) -> None:
        self._ether = ether
        self.other: _End | None = None
        self.address: tuple[str, int] | None = None
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def own(self) -> tuple[str, int]:
        """Where it listens."""
        assert self._transport is not None
        return self._transport.get_extra_info("sockname")[:2]

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.address = addr
        if not self._ether.dark and self.other is not None:
            self.other.send(data)
        elif self._ether.dark:
            self._ether.n_lost += 1

    def send(self, data: bytes) -> None:
        if self._transport is not None and self.address is not None:
            self._transport.sendto(data, self.address)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Ether:
    """Passes packets on between a browser and a server; an async context manager.

    Attributes:
        dark: Whether packets are lost.
        n_lost: Packets that were lost so far.
    """

    def __init__(self) -> None:
        self.dark = False
        self.n_lost = 0
        self._ends: list[_End] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        for end in self._ends:
            end.close()

    async def offered(self, offer: str) -> str:
        """Returns a browser's offer as the server shall see it: with an address of the ether."""
        host, port = _address(offer)
        loop = asyncio.get_running_loop()
        for _ in range(2):
            _, end = await loop.create_datagram_endpoint(lambda: _End(self), local_addr=(host, 0))
            self._ends.append(end)
        to_server, to_browser = self._ends
        to_server.other, to_browser.other = to_browser, to_server
        to_browser.address = (host, port)
        return _led_to(offer, to_server)

    def answered(self, answer: str) -> str:
        """Returns the server's answer as the browser shall see it."""
        to_server, to_browser = self._ends
        to_server.address = _address(answer)
        return _led_to(answer, to_browser)


def _address(description: str) -> tuple[str, int]:
    found = _CANDIDATE.search(description)
    if found is None:
        raise ValueError(f"expected a host candidate, got {description}")
    return found.group(1), int(found.group(2))


def _led_to(description: str, end: _End) -> str:
    host, port = end.own
    line = f"a=candidate:1 1 udp 2130706431 {host} {port} typ host"
    return re.sub(r"(^a=candidate:.*\r\n)+", line + "\r\n", description, flags=re.MULTILINE)
