"""Our face for other people's agents: in their own process, or lent by a worker of ours."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

from livekit import api, rtc
from livekit.agents import get_job_context
from livekit.agents.types import ATTRIBUTE_AGENT_STATE
from livekit.agents.voice.avatar import AvatarSession, DataStreamAudioOutput, DataStreamAudioReceiver

from agent.room.face_output import FaceOutput
from agent.room.microphones import Microphones
from avatar.publish.livekit import RoomPublisher, push_sound
from avatar.stream import AvatarStream, LiveStream
from avatar.stream.motion import LIVE
from avatar.types import OUTPUT_RATE, SPEECH_RATE, AudioChunk, AvatarState

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from livekit.agents import AgentSession
    from numpy.typing import NDArray

    from agent.room.models import ModelLoop
    from agent.web.conversation import Choice
    from avatar.types import Playout

WORKER: Final = "visavis-avatar"
"""Name of the worker that lends faces, unless another is given."""

_SIZE: Final = 512


class FaceSession(AvatarSession[Any]):
    """Gives an `AgentSession` our face, in its own process: the agent's participant gets a picture and our sound.

    ``await FaceSession().start(session, room=ctx.room)``, before ``session.start``.

    Args:
        portrait: A photo, or an avatar's name; None is the portrait that comes with Visavis.
        seed: Same seed, same motion.
        threads: CPU threads.
        face: A face that was made already, in the place of the others.
    """

    def __init__(
        self, portrait: Path | None = None, *, seed: int = 0, threads: int = 1, face: AvatarStream | None = None
    ) -> None:
        super().__init__()
        self._portrait = portrait
        self._seed = seed
        self._threads = threads
        self._face = face
        self._joined: rtc.Room | None = None
        self._showing: asyncio.Task[None] | None = None

    @property
    def avatar_identity(self) -> str:
        """The agent's own: it has the face."""
        return self._joined.local_participant.identity if self._joined else ""

    @property
    def provider(self) -> str:
        """Who makes the face."""
        return "visavis"

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Takes over the session's sound and shows the face as soon as the room is connected.

        Raises:
            InputError: The photo can't be used.
        """
        if self._face is None:
            self._face = await asyncio.to_thread(self._make)
        self._joined = room
        agent_session.output.audio = FaceOutput(self._face)
        agent_session.on("agent_state_changed", self._on_state)
        self._showing = asyncio.create_task(self._show(room, self._face), name="face")
        await super().start(agent_session, room)

    async def aclose(self) -> None:
        """Takes the face away; the agent stays."""
        if self._agent_session is not None:
            self._agent_session.off("agent_state_changed", self._on_state)
        if self._showing is not None:
            self._showing.cancel()
            await asyncio.wait([self._showing])
        room, self._room = self._room, None  # livekit would remove the avatar from the room, who is the agent itself
        if room is not None:
            room.off("connection_state_changed", self._on_connection_state_changed)
        await super().aclose()

    def _make(self) -> AvatarStream:
        from avatar.motion.generator import load_motion_model  # noqa: PLC0415 - heavy
        from avatar.portrait.folder import load_face  # noqa: PLC0415 - heavy
        from avatar.render.renderer import PortraitRenderer  # noqa: PLC0415 - heavy

        portrait = load_face(self._portrait, note=lambda _: None)
        renderer = PortraitRenderer(portrait, _SIZE, threads=self._threads, relaxed=True)
        return AvatarStream(load_motion_model(self._seed, self._threads), renderer, LIVE)

    async def _show(self, room: rtc.Room, face: AvatarStream) -> None:
        await _connection(room)
        publisher = RoomPublisher(room, face.size)
        microphones = Microphones(room, lambda sound: _listen(face, sound), lambda _: None)
        try:
            await publisher.publish()
            await _present(face, publisher)
        finally:
            await microphones.aclose()
            await publisher.aclose()

    def _on_state(self, event: Any) -> None:  # noqa: ANN401 - livekit's event
        if self._face is not None:
            self._face.set_state(_state(event.new_state))


class LentFaceSession(AvatarSession[Any]):
    """Gives an `AgentSession` a face that a worker of ours lends (``run_agent.py room start --name visavis-avatar``).

    The worker joins as a participant of its own, which speaks for the agent.

    Args:
        avatar: Name of the worker's avatar, or an empty string for its default.
        worker: The worker's name.
        identity: The participant that the face becomes.
    """

    def __init__(self, avatar: str = "", *, worker: str = WORKER, identity: str = "visavis-avatar") -> None:
        super().__init__()
        self._avatar = avatar
        self._worker = worker
        self._identity = identity

    @property
    def avatar_identity(self) -> str:
        """The participant that the face is."""
        return self._identity

    @property
    def provider(self) -> str:
        """Who makes the face."""
        return "visavis"

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Asks the worker for a face and sends it the session's sound; the room must be connected."""
        request = {"avatar": self._avatar, "speaks_for": room.local_participant.identity, "identity": self._identity}
        dispatch = api.CreateAgentDispatchRequest(agent_name=self._worker, room=room.name, metadata=json.dumps(request))
        context = get_job_context(required=False)
        if context is not None:
            await context.api.agent_dispatch.create_dispatch(dispatch)
        else:
            async with api.LiveKitAPI() as server:
                await server.agent_dispatch.create_dispatch(dispatch)
        agent_session.output.audio = DataStreamAudioOutput(
            room,
            destination_identity=self._identity,
            wait_remote_track=rtc.TrackKind.KIND_VIDEO,
            wait_playback_start=True,
        )
        await super().start(agent_session, room)


class FaceLender:
    """A face in a room for an agent that speaks there; runs in the room's event loop.

    Args:
        room: A connected room.
        models: Where faces are made.
        speaker: Identity of the agent.
    """

    def __init__(self, room: rtc.Room, models: ModelLoop, speaker: str) -> None:
        self._room = room
        self._models = models
        self._speaker = speaker
        self._loop = asyncio.get_running_loop()
        self._receiver = DataStreamAudioReceiver(room, sender_identity=speaker)

    async def run(self, choice: Choice) -> None:
        """Says what the agent sends until it is cancelled.

        Raises:
            InputError: The avatar can't be used.
        """
        face = await self._models.run(self._models.engine.face(choice.avatar))
        publisher = RoomPublisher(self._room, face.size)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(publisher.aclose)
            microphones = Microphones(self._room, lambda sound: _listen(face, sound), lambda _: None)
            stack.push_async_callback(microphones.aclose)
            stack.push_async_callback(self._receiver.aclose)
            face.listener = self
            await self._receiver.start()
            self._receiver.on("clear_buffer", face.interrupt)
            self._room.on("participant_attributes_changed", lambda changed, who: self._on_state(face, changed, who))
            await publisher.publish()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_present(face, publisher))
                async for sound in self._receiver:
                    push_sound(face, sound)

    def started(self, segment_id: str) -> None:
        """The first sound of a segment is shown."""
        self._loop.call_soon_threadsafe(self._receiver.notify_playback_started)

    def finished(self, playout: Playout) -> None:
        """The last sound of a segment is shown, or the rest was dropped."""
        position = playout.position / OUTPUT_RATE
        self._loop.call_soon_threadsafe(self._receiver.notify_playback_finished, position, playout.interrupted)

    def _on_state(self, face: AvatarStream, changed: dict[str, str], who: rtc.Participant) -> None:
        if who.identity == self._speaker and ATTRIBUTE_AGENT_STATE in changed:
            face.set_state(_state(changed[ATTRIBUTE_AGENT_STATE]))


async def _connection(room: rtc.Room) -> None:
    """Waits until a room is connected; livekit's SDK documents an event of that name, but never sends it."""
    connected = asyncio.Event()

    def look(_state: object = None) -> None:
        if room.isconnected():
            connected.set()

    room.on("connection_state_changed", look)
    try:
        look()
        await connected.wait()
    finally:
        room.off("connection_state_changed", look)


async def _present(face: AvatarStream, publisher: RoomPublisher) -> None:
    """Shows a face in a room until it is cancelled."""
    live = LiveStream(face)
    entering = asyncio.create_task(asyncio.to_thread(live.__enter__))
    try:
        await asyncio.shield(entering)
        async for frame in live.frames():
            await publisher.show(frame)
    finally:
        await asyncio.wait([entering])
        await asyncio.to_thread(live.__exit__, None, None, None)


def _listen(face: AvatarStream, sound: NDArray[np.float32]) -> None:
    face.push_user_audio(AudioChunk(sound, SPEECH_RATE))


def _state(name: str) -> AvatarState:
    return AvatarState(name) if name in set(AvatarState) else AvatarState.IDLE
