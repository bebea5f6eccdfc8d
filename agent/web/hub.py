"""All sessions of the process, and how far its models have come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from agent.web.contract import loading_message, options_message
from agent.web.conversation import Choice, LoadStage, LoadState
from agent.web.session import Mailbox, Session
from avatar.errors import InputError, VisavisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.web.contract import ChooseMessage
    from agent.web.conversation import Engine, Gallery, Option

UNATTENDED_SECONDS: Final = 30.0
"""How long a session waits for its page to come back."""


class Hub:
    """Gives each page a session, up to a limit.

    Args:
        engine: The loaded models.
        gallery: What can be chosen.
        limit: Sessions at the same time.
        tasks: Where sessions run.
        on_stage: Takes progress, for the terminal.

    Attributes:
        ready: Whether everything is loaded, so that the avatar hears and answers.
    """

    def __init__(
        self,
        engine: Engine,
        gallery: Gallery,
        *,
        limit: int,
        tasks: asyncio.TaskGroup,
        on_stage: Callable[[LoadStage], None],
    ) -> None:
        self.gallery = gallery
        self.limit = limit
        self._engine = engine
        self._tasks = tasks
        self._on_stage = on_stage
        self._stages: dict[str, LoadStage] = {}
        self.ready = False
        self._sessions: dict[str, Session] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._upload = asyncio.Lock()
        self._told = gallery.options()

    @property
    def sessions(self) -> list[Session]:
        """The sessions there are."""
        return list(self._sessions.values())

    @property
    def stages(self) -> list[LoadStage]:
        """What is loaded and what is not."""
        return list(self._stages.values())

    async def load(self) -> None:
        """Loads the models; sessions show their avatars as soon as these are there.

        Raises:
            VisavisError: A part can't be loaded.
        """
        try:
            await self._engine.load(self._report)
        except VisavisError as error:
            self._report(LoadStage("start", LoadState.FAILED, str(error)))
            raise
        self.ready = True
        self._tell_loading()

    def join(self, resume: str | None, mailbox: Mailbox) -> Session:
        """Returns the session that a page had, or another one.

        Raises:
            InputError: There are as many sessions as there may be.
        """
        session = self._sessions.get(resume) if resume else None
        resumed = session is not None
        if session is None:
            self._make_room()
            session = Session(self._engine, self.gallery.options().default())
            self._sessions[session.id] = session
            self._running[session.id] = self._tasks.create_task(session.run(), name=f"session {session.id}")
        if timer := self._waiting.pop(session.id, None):
            timer.cancel()
        mailbox.put({"type": "welcome", "session": session.id, "resumed": resumed})
        mailbox.put(loading_message(self.stages, ready=self.ready))
        mailbox.put(self._options(session))
        session.attach(mailbox)
        return session

    def leave(self, session: Session, mailbox: Mailbox) -> None:
        """Notes that a page is gone; its session ends if it does not come back."""
        session.detach(mailbox)
        if session.id in self._sessions and not session.attended:
            loop = asyncio.get_running_loop()
            self._waiting[session.id] = loop.call_later(UNATTENDED_SECONDS, self.end, session)

    def end(self, session: Session) -> None:
        """Ends a session for good."""
        self._sessions.pop(session.id, None)
        if timer := self._waiting.pop(session.id, None):
            timer.cancel()
        if task := self._running.pop(session.id, None):
            task.cancel()

    def choose(self, session: Session, message: ChooseMessage) -> None:
        """Changes what a session talks with.

        Raises:
            InputError: There is no such avatar, voice or persona.
        """
        options = self.gallery.options()
        now = session.choice
        if message.avatar is not None:
            now = options.with_avatar(_known("avatar", message.avatar, options.avatars), now)
        choice = Choice(
            now.avatar,
            now.voice if message.voice is None else _known("voice", message.voice, options.voices),
            now.persona if message.persona is None else _known("persona", message.persona, options.personas),
        )
        session.choose(choice, lambda: session.send(self._options(session)))

    async def add_portrait(self, photo: bytes, label: str, session: Session | None) -> Option:
        """Makes an avatar of a photo and tells the session's page how far it is.

        Raises:
            InputError: The photo can't be used, or another one is being set up.
        """
        if self._upload.locked():
            raise InputError(
                "setting up the portrait",
                expected="one at a time",
                got="a second while the first is being set up",
                hint="try again in a moment",
            )

        def report(stage: str, done: float) -> None:
            if session is not None:
                session.send({"type": "progress", "task": "portrait", "stage": stage, "done": round(done, 3)})

        async with self._upload:
            option = await self.gallery.add_portrait(photo, label, report)
        self._tell_options()
        return option

    def session(self, session_id: str) -> Session | None:
        """Returns a session by its identifier."""
        return self._sessions.get(session_id)

    async def close(self) -> None:
        """Ends all sessions."""
        running = list(self._running.values())
        for session in self.sessions:
            session.send({"type": "ended", "reason": "the server stops"})
            self.end(session)
        if running:
            await asyncio.wait(running)

    def _options(self, session: Session) -> dict[str, Any]:
        return options_message(self.gallery.options(), session.choice, changing=session.changing)

    def _make_room(self) -> None:
        if len(self._sessions) < self.limit:
            return
        unattended = next((session for session in self._sessions.values() if not session.attended), None)
        if unattended is None:
            raise InputError(
                "starting a session",
                expected=f"at most {self.limit} at a time",
                got="another page is talking",
                hint="close the other page, or start with a higher --sessions",
            )
        self.end(unattended)

    def _report(self, stage: LoadStage) -> None:
        self._stages[stage.name] = stage
        self._on_stage(stage)
        self._tell_loading()
        self._tell_options()

    def _tell_options(self) -> None:
        """Tells all pages what can be chosen, if that is something else than before."""
        options = self.gallery.options()
        if options != self._told:
            self._told = options
            for session in self._sessions.values():
                session.send(self._options(session))

    def _tell_loading(self) -> None:
        for session in self._sessions.values():
            session.send(loading_message(self.stages, ready=self.ready))


def _known(kind: str, chosen: str, options: list[Option]) -> str:
    known = [option.id for option in options]
    if chosen not in known:
        raise InputError(f"choosing the {kind}", expected=f"one of {', '.join(known)}", got=chosen)
    return chosen
