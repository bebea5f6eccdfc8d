"""A livekit-agents worker that joins rooms with the avatar.

Rooms run in threads of one process (`JobExecutorType.THREAD`), because the models are loaded once a machine: a process
a room would load 0.9 GB and take seconds each, and two cores carry few rooms anyway. What livekit's processes would
give in return, that one room's crash spares the others, is left to running more than one worker.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from livekit import rtc
from livekit.agents import AgentServer, AutoSubscribe, JobContext, JobExecutorType, JobProcess, JobRequest
from livekit.agents.types import ATTRIBUTE_PUBLISH_ON_BEHALF
from pydantic import ValidationError

from agent.options import Strict
from agent.room.faces import FaceLender
from agent.room.guest import RoomGuest
from agent.room.twins import has_elder, job_attributes
from avatar.errors import EndpointError, InputError, OutputError, VisavisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.room.account import Account
    from agent.room.models import ModelLoop
    from agent.web.conversation import Choice

HEALTH_PORT: Final = 8081
"""Where `start` answers health checks."""

_FOREVER: Final = 1_000_000_000
"""Times that a lost server is tried again; livekit waits up to 10 s in between."""

_LOST: Final = (
    rtc.DisconnectReason.UNKNOWN_REASON,
    rtc.DisconnectReason.STATE_MISMATCH,
    rtc.DisconnectReason.JOIN_FAILURE,
    rtc.DisconnectReason.SIGNAL_CLOSE,
    rtc.DisconnectReason.CONNECTION_TIMEOUT,
    rtc.DisconnectReason.MEDIA_FAILURE,
)
"""Reasons for which nobody meant a room to end."""

_SUPERFLUOUS: Final = "the conversation goes on in another participant"


class RoomRequest(Strict):
    """What a dispatch may ask for, as its metadata in JSON.

    Attributes:
        avatar: Name of the avatar, or nothing for the worker's own.
        persona: Name of the persona, likewise.
        speaks_for: Identity of another agent that only wants a face, or nothing for a conversation of our own.
        identity: The participant that the face then becomes.
    """

    avatar: str = ""
    persona: str = ""
    speaks_for: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How the worker works.

    Attributes:
        capacity: Rooms at a time.
        name: Joins only rooms that ask for an agent of this name; an empty string joins every new room.
        health_port: Port of the health check on this machine; 0 takes a free one.
        drain_seconds: How long conversations may go on after the worker is asked to end.
    """

    capacity: int
    name: str = ""
    health_port: int = HEALTH_PORT
    drain_seconds: int = 3600


class RoomWorker:
    """Serves rooms until it is asked to end.

    Args:
        account: The server and the keys.
        models: Where conversations run.
        options: How it works.
        note: Takes lines for the terminal, from any thread.
    """

    def __init__(
        self, account: Account, models: ModelLoop, options: WorkerOptions, note: Callable[[str], None]
    ) -> None:
        self._account = account
        self._models = models
        self._options = options
        self._note = note
        self.registered = asyncio.Event()
        self._server = AgentServer(
            job_executor_type=JobExecutorType.THREAD,
            load_fnc=self._load,
            load_threshold=1.0,
            num_idle_processes=options.capacity,
            initialize_process_timeout=60.0,
            drain_timeout=options.drain_seconds,
            host="127.0.0.1",
            port=options.health_port,
            max_retry=_FOREVER,
            ws_url=account.url,
            api_key=account.key,
            api_secret=account.secret,
            setup_fnc=_keep,
        )
        self._server.rtc_session(self._join, agent_name=options.name, on_request=_accept)
        self._server.on("worker_registered", self._on_registered)

    @property
    def n_rooms(self) -> int:
        """Rooms it is in."""
        return len(self._server.active_jobs)

    async def run(self, ending: asyncio.Event, *, drain: bool) -> None:
        """Serves until `ending` is set; with `drain`, conversations that run then are not cut, but none begins.

        Raises:
            OutputError: The port of the health check is taken.
        """
        lines = _ServerLines(self._note)
        logger = logging.getLogger("livekit.agents")
        level, propagates = logger.level, logger.propagate
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        logger.addHandler(lines)
        serving = asyncio.create_task(self._server.run())
        asked = asyncio.create_task(ending.wait())
        try:
            await asyncio.wait([serving, asked], return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                await serving
            elif drain:
                await self._drain()
        except OSError as error:
            raise OutputError(
                "starting the worker", expected=f"port {self._options.health_port} to be free", got=str(error)
            ) from None
        finally:
            asked.cancel()
            await self._let_threads_start()
            await self._server.aclose()
            serving.cancel()
            await asyncio.wait([serving, asked])
            logger.removeHandler(lines)
            logger.setLevel(level)
            logger.propagate = propagates

    async def _drain(self) -> None:
        if self.n_rooms:
            self._note(f"ending after {self.n_rooms} conversation(s); again to end at once ...")
        try:
            await self._server.drain()
        except TimeoutError:
            self._note(f"ending although conversations go on after {self._options.drain_seconds} s")

    async def _let_threads_start(self) -> None:
        """Waits for the rooms' threads that are just being started.

        livekit-agents 1.8 waits for ever when it is closed before a thread has answered for the first time: it cancels
        `ThreadJobExecutor.initialize`, which then never sets the future that the thread's own task waits for.
        """
        pool = getattr(self._server, "_proc_pool", None)  # there is none before it runs
        if pool is not None:
            pool.set_target_idle_processes(0)
            while pool._spawn_tasks:  # noqa: SLF001
                await asyncio.wait(pool._spawn_tasks)  # noqa: SLF001

    def _load(self) -> float:
        return self.n_rooms / self._options.capacity

    def _on_registered(self, *_: object) -> None:
        self.registered.set()
        which = f"rooms that ask for {self._options.name}" if self._options.name else "every new room"
        self._note(f"joins {which} of {self._account.url}, {self._options.capacity} at a time")

    async def _join(self, context: JobContext) -> None:
        """Takes part in a room until it closes; called in the room's own thread and loop."""
        room = context.room.name
        try:
            request = read_request(context.job.metadata)
            choice = await self._models.run(self._choose(request))
            await context.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
        except VisavisError as error:
            self._give_up(context, error)
            return
        except rtc.ConnectError as error:
            self._give_up(context, connect_error(room, error))
            return
        if has_elder(context.room):
            context.shutdown(reason=_SUPERFLUOUS)
            return
        if request.speaks_for:
            guest = FaceLender(context.room, self._models, request.speaks_for)
        else:
            guest = RoomGuest(context.room, self._models, self._note)
        talking = asyncio.create_task(guest.run(choice), name=f"guest of {room}")
        talking.add_done_callback(lambda task: self._on_end(context, task))
        context.room.on("disconnected", lambda reason: self._on_disconnected(room, reason))
        context.room.on("participant_connected", lambda _: _step_aside(context))

        async def leave(_: str) -> None:
            talking.cancel()
            await asyncio.wait([talking])

        context.add_shutdown_callback(leave)

    async def _choose(self, request: RoomRequest) -> Choice:
        """Returns what a room asked for; runs in the models' loop.

        Raises:
            InputError: It asked for what there is not.
        """
        options = self._models.engine.gallery.options()
        choice = options.default()
        for kind, name, known in (
            ("avatar", request.avatar, options.avatars),
            ("persona", request.persona, options.personas),
        ):
            names = [option.id for option in known]
            if name and name not in names:
                raise InputError("joining a room", expected=f"the {kind} to be one of {', '.join(names)}", got=name)
        return replace(choice, avatar=request.avatar or choice.avatar, persona=request.persona or choice.persona)

    def _on_disconnected(self, room: str, reason: int) -> None:
        """Called after livekit tried for about half a minute to come back into the room."""
        if reason in _LOST:
            self._note(f"{room}: the connection was lost and did not come back; the conversation has ended")

    def _on_end(self, context: JobContext, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._give_up(context, error)

    def _give_up(self, context: JobContext, error: BaseException) -> None:
        if isinstance(error, VisavisError):
            self._note(f"{context.room.name}: {error}" + (f" (hint: {error.hint})" if error.hint else ""))
        else:
            self._note(f"{context.room.name}: the conversation broke off: {type(error).__name__}: {error}")
        context.shutdown(reason="the conversation broke off")


def read_request(metadata: str) -> RoomRequest:
    """Reads what a dispatch asks for.

    Raises:
        InputError: It is something else.
    """
    try:
        return RoomRequest.model_validate_json(metadata or "{}")
    except ValidationError as error:
        raise InputError(
            "joining a room",
            expected='metadata such as {"avatar": "me", "persona": "default"}',
            got=error.errors()[0]["msg"],
        ) from None


async def _accept(request: JobRequest) -> None:
    """Takes a job; a face for another agent joins under the identity that the agent expects."""
    try:
        wanted = read_request(request.job.metadata)
    except InputError:  # said when the room is joined
        wanted = RoomRequest()
    attributes = job_attributes(request.job.metadata)
    if wanted.speaks_for:
        attributes[ATTRIBUTE_PUBLISH_ON_BEHALF] = wanted.speaks_for
    await request.accept(identity=wanted.identity, name="Visavis", attributes=attributes)


def _step_aside(context: JobContext) -> None:
    if has_elder(context.room):
        context.shutdown(reason=_SUPERFLUOUS)


def connect_error(room: str, error: rtc.ConnectError) -> VisavisError:
    """Says in one line why a room could not be joined."""
    got = error.message.splitlines()[0]
    lower = got.lower()
    if "401" in lower or "unauthorized" in lower or "token" in lower:
        return InputError(f"joining {room}", expected="a token that the server takes", got=got, hint="has it expired?")
    return EndpointError(f"joining {room}", expected="a LiveKit server", got=got)


def _keep(_: JobProcess) -> None:
    """Sets nothing up in a room's thread: what it needs is loaded already."""


class _ServerLines(logging.Handler):
    """Says once that the server is gone; what else livekit logs stays unsaid, since it quotes what people say."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        if "failed to connect to livekit" in record.getMessage() and getattr(record, "retry_count", 0) == 1:
            self._note("the server is gone; trying again until it answers ...")
