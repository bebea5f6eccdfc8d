"""The LiveKit server and the keys that a worker has, from the environment; what is wrong with them, in one line."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

import aiohttp
from livekit import api

from avatar.errors import EndpointError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HINT: Final = (
    "`livekit-server --dev` takes LIVEKIT_URL=ws://127.0.0.1:7880 LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET=secret"
)
_PATIENCE: Final = aiohttp.ClientTimeout(total=10)
_MEET: Final = "https://meet.livekit.io/custom"


@dataclass(frozen=True, slots=True)
class Account:
    """Where the server is, and who we are there.

    Attributes:
        url: ``ws://``, ``wss://``, ``http://`` or ``https://``.
        key: Identifies the project.
        secret: Signs tokens.
    """

    url: str
    key: str = field(repr=False)
    secret: str = field(repr=False)

    async def check(self) -> None:
        """Asks the server for its rooms.

        Raises:
            InputError: The server does not take the keys.
            EndpointError: It can't be reached; it may be later.
        """
        try:
            async with (
                aiohttp.ClientSession(timeout=_PATIENCE) as session,
                api.LiveKitAPI(self.url, self.key, self.secret, session=session) as server,
            ):
                await server.room.list_rooms(api.ListRoomsRequest())
        except api.TwirpError as error:
            raise InputError(
                f"connecting to {self.url}",
                expected="LIVEKIT_API_KEY and LIVEKIT_API_SECRET that the server knows",
                got=error.message.splitlines()[0] if error.message else error.code,
                hint="the server's configuration lists its keys; its clock and this machine's must agree",
            ) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise EndpointError(
                f"connecting to {self.url}",
                expected="a LiveKit server",
                got=str(error) or type(error).__name__,
                hint="is it running, and is LIVEKIT_URL right?",
            ) from None

    def token(self, room: str, identity: str, hours: float = 6.0) -> str:
        """Returns a token with which somebody can join a room.

        A room that it opens has its receivers hold picture and sound together, which livekit leaves off by default.
        """
        return (
            api.AccessToken(self.key, self.secret)
            .with_identity(identity)
            .with_ttl(dt.timedelta(hours=hours))
            .with_grants(api.VideoGrants(room_join=True, room=room))
            .with_room_config(api.RoomConfiguration(sync_streams=True))
            .to_jwt()
        )

    def link(self, room: str, identity: str = "guest") -> str:
        """Returns the address of LiveKit's own page, which joins a room of this server in a browser."""
        url = self.url.replace("http", "ws", 1) if self.url.startswith("http") else self.url
        return f"{_MEET}?liveKitUrl={quote(url, safe='')}&token={self.token(room, identity)}"


def read_account(environment: Mapping[str, str] = os.environ) -> Account:
    """Returns the account that LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET tell.

    Raises:
        InputError: One of them is missing, or the URL is none.
    """
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise InputError(
            "connecting to LiveKit",
            expected=f"{', '.join(names)} in the environment",
            got=f"no {missing[0]}",
            hint=_HINT,
        )
    url, key, secret = (environment[name] for name in names)
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss", "http", "https"} or not parts.netloc:
        raise InputError(
            "connecting to LiveKit", expected="LIVEKIT_URL as ws://HOST or wss://HOST", got=url, hint=_HINT
        )
    return Account(url, key, secret)


async def wait_for_server(account: Account, note: Callable[[str], None], pause: float = 2.0) -> None:
    """Returns when the server answers; says once that it does not.

    Raises:
        InputError: The server does not take the keys, so that waiting is of no use.
    """
    said = False
    while True:
        try:
            await account.check()
        except EndpointError as error:
            if not said:
                note(f"{error}\nhint: {error.hint}\ntrying again until it answers ...")
            said = True
            await asyncio.sleep(pause)
        else:
            return
