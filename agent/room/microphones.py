"""What the avatar hears in a room: everyone who talks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import numpy as np
from livekit import rtc

from agent.room.mixer import Mixer
from avatar.audio import from_int16
from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_PIECE_MS: Final = 20

_FORGETTING: Final = 0.98
"""Share of a microphone's loudness that 20 ms later is remembered: who spoke last second is who speaks."""


class Microphones:
    """Everyone's microphones in a room as one sound.

    Agents are not heard: two of them would talk to each other for ever. Used in the room's event loop.

    Args:
        room: The room, connected or not yet.
        on_sound: Takes the mixed sound, float32 (n_samples,) at 16 kHz.
        on_open: Told whether any microphone is open, when that changes.

    Attributes:
        is_open: Whether any microphone is open.
    """

    def __init__(
        self, room: rtc.Room, on_sound: Callable[[NDArray[np.float32]], None], on_open: Callable[[bool], None]
    ) -> None:
        self._room = room
        self._on_sound = on_sound
        self._on_open = on_open
        self._mixer = Mixer()
        self._loudness: dict[str, float] = {}
        self._owners: dict[str, str] = {}
        self._listening: dict[str, asyncio.Task[None]] = {}
        self._muted: set[str] = set()
        self.is_open = False
        room.on("track_subscribed", self._on_track)
        room.on("track_unsubscribed", self._on_track_gone)
        room.on("track_muted", self._on_muted)
        room.on("track_unmuted", self._on_unmuted)

    @property
    def speaker(self) -> str:
        """Identity of who was loudest lately, or an empty string if nobody has been heard."""
        track = max(self._loudness, key=lambda sid: self._loudness[sid], default="")
        return self._owners.get(track, "")

    def track_of(self, identity: str) -> str:
        """Returns the identifier of somebody's microphone, or an empty string."""
        return next((sid for sid, owner in self._owners.items() if owner == identity), "")

    async def aclose(self) -> None:
        """Stops listening."""
        self._room.off("track_subscribed", self._on_track)
        self._room.off("track_unsubscribed", self._on_track_gone)
        self._room.off("track_muted", self._on_muted)
        self._room.off("track_unmuted", self._on_unmuted)
        tasks = list(self._listening.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._listening.clear()

    def _on_track(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if track.kind != rtc.TrackKind.KIND_AUDIO or participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            return
        sid = publication.sid
        self._owners[sid] = participant.identity
        if publication.muted:
            self._muted.add(sid)
        self._listening[sid] = asyncio.create_task(self._listen(sid, track), name=f"microphone {sid}")
        self._note_open()

    def _on_track_gone(self, _: rtc.Track, publication: rtc.RemoteTrackPublication, __: rtc.RemoteParticipant) -> None:
        task = self._listening.pop(publication.sid, None)
        if task is not None:
            task.cancel()
        self._owners.pop(publication.sid, None)
        self._muted.discard(publication.sid)
        self._silence(publication.sid)
        self._note_open()

    def _on_muted(self, _: rtc.Participant, publication: rtc.TrackPublication) -> None:
        if publication.sid in self._listening:
            self._muted.add(publication.sid)
            self._silence(publication.sid)
            self._note_open()

    def _on_unmuted(self, _: rtc.Participant, publication: rtc.TrackPublication) -> None:
        if publication.sid in self._listening:
            self._muted.discard(publication.sid)
            self._note_open()

    async def _listen(self, sid: str, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=SPEECH_RATE, num_channels=1, frame_size_ms=_PIECE_MS)
        try:
            async for event in stream:
                if sid not in self._muted:
                    self._hear(sid, from_int16(np.frombuffer(event.frame.data, np.int16)))
        finally:
            await stream.aclose()

    def _hear(self, sid: str, samples: NDArray[np.float32]) -> None:
        loudness = float(np.sqrt(np.mean(samples**2)))
        self._loudness[sid] = _FORGETTING * self._loudness.get(sid, 0.0) + loudness
        self._pass_on(self._mixer.push(sid, samples))

    def _silence(self, sid: str) -> None:
        self._loudness.pop(sid, None)
        self._pass_on(self._mixer.remove(sid))

    def _pass_on(self, mixed: NDArray[np.float32]) -> None:
        if len(mixed):
            self._on_sound(mixed)

    def _note_open(self) -> None:
        is_open = any(sid not in self._muted for sid in self._listening)
        if is_open != self.is_open:
            self.is_open = is_open
            self._on_open(is_open)
