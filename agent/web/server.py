"""The HTTP server: the page, its socket, uploads. docs/protocol.md describes what it answers."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from agent.web.answers import HUB, error_response
from agent.web.contract import (
    MAX_MESSAGE,
    ChooseMessage,
    EndMessage,
    OfferMessage,
    command_of,
    error_message,
    parse_message,
)
from agent.web.hub import Hub
from agent.web.session import Mailbox
from agent.web.upload import MAX_PHOTO, post_portrait
from agent.web.wire import MAX_SOUND
from avatar.errors import InputError, OutputError, VisavisError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from aiohttp.typedefs import Handler, Middleware

    from agent.web.conversation import Engine, Gallery, LoadStage
    from agent.web.session import Session

_LOG = logging.getLogger(__name__)

PAGE: Final = Path(__file__).parent / "page"

MESSAGE_SECONDS: Final = 10.0
"""How long a message over REST may take to arrive."""

_HEARTBEAT: Final = 25.0
_MESSAGES_PER_SECOND: Final = 20.0
_MESSAGE_BURST: Final = 60.0
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8765


@asynccontextmanager
async def serving(
    engine: Engine,
    gallery: Gallery,
    address: Address,
    *,
    limit: int,
    on_stage: Callable[[LoadStage], None] = lambda _: None,
) -> AsyncGenerator[tuple[str, Hub]]:
    """Serves the page while the block runs; the models load meanwhile.

    Yields:
        The page's address, and the sessions.

    Raises:
        OutputError: The address can't be listened on.
        VisavisError: The models can't be loaded.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            hub = Hub(engine, gallery, limit=limit, tasks=tasks, on_stage=on_stage)
            app = make_app(hub, address.host)
            runner = web.AppRunner(app, access_log=None, logger=_LOG, shutdown_timeout=2.0)
            await runner.setup()
            loading = None
            try:
                url = await _listen(runner, address)
                loading = tasks.create_task(hub.load(), name="load the models")
                yield url, hub
            finally:
                if loading is not None:
                    loading.cancel()
                await hub.close()
                await runner.cleanup()
    except BaseExceptionGroup as group:
        first, *others = group.exceptions
        if others:
            raise
        raise first from None


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Returns whether a log record tells of more than a client that speaks no HTTP: that gets its 400."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_LOG.addFilter(_is_our_fault)


def make_app(hub: Hub, host: str) -> web.Application:
    """Returns the application; `host` is what it will listen on."""
    app = web.Application(client_max_size=MAX_PHOTO, middlewares=[_guard(host), _plain_errors])
    app[HUB] = hub
    app.on_response_prepare.append(_add_headers)
    app.add_routes(
        [
            web.get("/", _index),
            web.static("/page", PAGE),
            web.get("/api/status", _status),
            web.get("/api/session", _socket),
            web.post("/api/sessions/{session}/messages", _post_message),
            web.get("/api/sessions/{session}/media", _media),
            web.post("/api/portraits", post_portrait),
            web.get("/api/avatars/{avatar}/picture", _picture),
        ]
    )
    return app


async def _listen(runner: web.AppRunner, address: Address) -> str:
    try:
        await web.TCPSite(runner, address.host, address.port).start()
    except OSError as error:
        raise OutputError(
            "opening the page",
            expected=f"a free address {address.host}:{address.port}",
            got=(error.strerror or str(error)).lower(),
            hint="choose another one with --port, or --port 0 for any",
        ) from error
    host, port = runner.addresses[0][:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}/"


def _guard(host: str) -> Middleware:
    """Returns a middleware that turns away pages of other sites, also those that rebind a name to us."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        try:
            asked = urlsplit(f"//{request.host}").hostname
            asking = None if origin is None else urlsplit(origin).netloc
        except ValueError as error:
            return error_response(400, InputError("opening the page", expected="an address", got=str(error).lower()))
        if host in _LOOPBACK and asked not in _LOOPBACK:
            return error_response(403, InputError("opening the page", expected="a local address", got=request.host))
        if asking is not None and asking != request.host:
            return error_response(
                403, InputError("opening the page", expected="a page of this server", got=str(origin))
            )
        return await handler(request)

    return guard


@web.middleware
async def _plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400 or not request.path.startswith("/api/"):
            raise
        what = InputError(
            f"{request.method} {request.path}", expected="a request of docs/protocol.md", got=error.reason
        )
        return error_response(error.status, what)
    except VisavisError as error:
        return error_response(422, error)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


async def _index(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(PAGE / "index.html")


async def _status(request: web.Request) -> web.Response:
    hub = request.app[HUB]
    stages = [asdict(stage) for stage in hub.stages]
    return web.json_response({"ready": hub.ready, "stages": stages, "sessions": len(hub.sessions), "limit": hub.limit})


async def _picture(request: web.Request) -> web.StreamResponse:
    avatars = request.app[HUB].gallery.options().avatars
    for option in avatars:
        if option.id == request.match_info["avatar"] and option.picture is not None:
            return web.FileResponse(option.picture)
    raise web.HTTPNotFound


async def _post_message(request: web.Request) -> web.Response:
    session = request.app[HUB].session(request.match_info["session"])
    if session is None:
        raise web.HTTPNotFound
    try:
        async with asyncio.timeout(MESSAGE_SECONDS):
            data = await request.clone(client_max_size=MAX_MESSAGE).read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    await _act(request.app[HUB], session, data)
    return web.json_response({"type": "done"})


async def _act(hub: Hub, session: Session, data: str | bytes) -> None:
    message = parse_message(data)
    match message:
        case OfferMessage(sdp=offer):
            await session.connect(offer)
        case ChooseMessage():
            hub.choose(session, message)
        case EndMessage():
            session.send({"type": "ended", "reason": "as asked"})
            hub.end(session)
        case _:
            command = command_of(message)
            if command is None:
                return
            if not hub.ready:
                raise InputError(
                    "talking", expected="models that are loaded", got="some that are loading", hint="it takes seconds"
                )
            await session.do(command)


async def _socket(request: web.Request) -> web.StreamResponse:
    hub = request.app[HUB]
    socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, max_msg_size=MAX_MESSAGE)
    await socket.prepare(request)
    mailbox = Mailbox()
    try:
        session = hub.join(request.query.get("resume"), mailbox)
    except InputError as error:
        await socket.send_json(error_message(error, "busy"))
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
        return socket
    writer = asyncio.create_task(_write(mailbox, socket))
    try:
        await _read(hub, session, mailbox, socket)
    finally:
        hub.leave(session, mailbox)
        mailbox.close()
        await asyncio.wait([writer], timeout=2.0)
        writer.cancel()
    return socket


async def _media(request: web.Request) -> web.StreamResponse:
    session = request.app[HUB].session(request.match_info["session"])
    if session is None:
        raise web.HTTPNotFound
    socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, max_msg_size=MAX_SOUND, compress=False)
    await socket.prepare(request)
    await session.connect_socket(socket)
    return socket


async def _write(mailbox: Mailbox, socket: web.WebSocketResponse) -> None:
    while (message := await mailbox.next()) is not None:
        try:
            await socket.send_json(message)
        except ConnectionError:
            return
    await socket.close(code=WSCloseCode.POLICY_VIOLATION if mailbox.overflown else WSCloseCode.OK)


async def _read(hub: Hub, session: Session, mailbox: Mailbox, socket: web.WebSocketResponse) -> None:
    allowance, before = _MESSAGE_BURST, time.monotonic()
    async for message in socket:
        now = time.monotonic()
        allowance = min(_MESSAGE_BURST, allowance + (now - before) * _MESSAGES_PER_SECOND) - 1
        before = now
        if allowance < 0:
            error = InputError("reading messages", expected=f"{_MESSAGES_PER_SECOND:.0f} a second", got="a flood")
            await socket.send_json(error_message(error, "flood"))
            await socket.close(code=WSCloseCode.POLICY_VIOLATION)
            return
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            continue
        try:
            await _act(hub, session, message.data)
        except VisavisError as error:
            mailbox.put(error_message(error))
