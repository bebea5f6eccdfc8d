"""Somebody who joins a room, talks and keeps what comes back."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
from livekit import rtc

from avatar.audio import from_int16, to_int16

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from numpy.typing import NDArray

    from agent.room.account import Account

RATE = 16_000


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of sound, float32 (n_samples,) at 16 kHz, when it came, and the index of its first sample."""

    moment: float
    samples: NDArray[np.float32]
    start: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture, uint8 (side, side, 3), its brightness, and when WebRTC would show it."""

    moment: float
    rgb: NDArray[np.uint8]
    brightness: float


@dataclass
class Caller:
    """One participant.

    Attributes:
        room: The room.
        heard: The avatar's sound.
        seen: The avatar's pictures.
        lines: Transcripts: final or not, who, and the text, by segment.
        sizes: Width and height of the pictures that came.
        states: The avatar's states.
        side: Width and height in which pictures are kept.
    """

    room: rtc.Room = field(default_factory=rtc.Room)
    heard: list[Heard] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    lines: dict[str, tuple[bool, str, str]] = field(default_factory=dict)
    sizes: set[tuple[int, int]] = field(default_factory=set)
    states: list[str] = field(default_factory=list)
    side: int = 128
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _microphone: rtc.AudioSource | None = None
    _track: rtc.LocalTrackPublication | None = None

    def listen(self) -> None:
        """Keeps what comes from now on; before the room is joined."""
        self.room.on("track_subscribed", self._on_track)
        self.room.on("participant_attributes_changed", self._on_attributes)
        for event in ("participant_connected", "participant_disconnected", "disconnected", "track_published"):
            self.room.on(event, lambda *_: self._news.set())
        self.room.register_text_stream_handler("lk.transcription", self._on_line)

    @property
    def avatar(self) -> rtc.RemoteParticipant | None:
        """The avatar, if it is in the room."""
        agent = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        return next((each for each in self.room.remote_participants.values() if each.kind == agent), None)

    async def until(self, what: Callable[[], bool], patience: float = 120) -> None:
        """Returns when something is so; not all that changes is told, so it also looks from time to time."""
        async with asyncio.timeout(patience):
            while not what():
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.1)

    async def open_microphone(self) -> None:
        """Publishes a microphone that is silent."""
        self._microphone = rtc.AudioSource(RATE, 1, queue_size_ms=1000)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._microphone)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        self._track = await self.room.local_participant.publish_track(track, options)

    def mute(self) -> None:
        """Closes the microphone."""
        assert self._track is not None
        assert isinstance(self._track.track, rtc.LocalAudioTrack)
        self._track.track.mute()

    def unmute(self) -> None:
        """Opens the microphone again."""
        assert self._track is not None
        assert isinstance(self._track.track, rtc.LocalAudioTrack)
        self._track.track.unmute()

    async def say(self, samples: NDArray[np.float32], pause: float = 1.5) -> None:
        """Says float32 (n_samples,) at 16 kHz in real time, and stays silent for a while."""
        assert self._microphone is not None
        sound = to_int16(np.concatenate([samples, np.zeros(round(pause * RATE), np.float32)]))
        for piece in np.array_split(sound, max(1, len(sound) // 320)):
            await self._microphone.capture_frame(rtc.AudioFrame(piece.tobytes(), RATE, 1, len(piece)))
        await self._microphone.wait_for_playout()

    def sound_since(self, moment: float) -> NDArray[np.float32]:
        """Returns all sound heard since a moment, float32 (n_samples,)."""
        return np.concatenate(
            [np.zeros(0, np.float32), *(each.samples for each in self.heard if each.moment >= moment)]
        )

    def skews(
        self, brightness: float, loudness: float, light: Callable[[Seen], float] = lambda seen: seen.brightness
    ) -> list[float]:
        """Returns by how many seconds the sound of each flash came after its picture, in order of size.

        WebRTC plays sound without gaps, so its clock is that of the piece that waited least to be taken here.

        Args:
            brightness: What is a flash.
            loudness: What is its sound.
            light: Where to look for flashes.
        """
        began = min(each.moment - each.start / RATE for each in self.heard)
        first = began + self.heard[0].start / RATE
        sound = np.concatenate([each.samples for each in self.heard])
        loud = np.abs(sound[: len(sound) // 16 * 16].reshape(-1, 16)).max(axis=1) > loudness
        clicks = [first + index / 1000 for index in np.flatnonzero(loud) if not loud[max(0, index - 50) : index].any()]
        bright = [light(each) > brightness for each in self.seen]
        flashes = [
            each.moment
            for each, now, before in zip(self.seen[1:], bright[1:], bright[:-1], strict=True)
            if now and not before
        ]
        nearest = [min(clicks, key=lambda click: abs(click - flash)) - flash for flash in flashes]
        return sorted(skew for skew in nearest if abs(skew) < 0.3)  # a lost one has no partner

    def loud_seconds(self, until: float = float("inf")) -> float:
        """Returns for how long sound was heard that is not silence."""
        return sum(len(each.samples) for each in self._loud() if each.moment < until) / RATE

    def sounding(self) -> list[Seen]:
        """Returns the pictures beside which sound was heard."""
        loud = np.array([-np.inf, *(each.moment for each in self._loud())])
        return [each for each in self.seen if np.abs(loud - each.moment).min() < 0.04]

    def _loud(self) -> list[Heard]:
        return [each for each in self.heard if np.abs(each.samples).max() > 0.02]

    async def aclose(self) -> None:
        """Leaves."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.room.disconnect()
        if self._microphone is not None:
            await self._microphone.aclose()

    def _on_track(self, track: rtc.Track, *_: object) -> None:
        watch = self._watch if track.kind == rtc.TrackKind.KIND_VIDEO else self._hear
        self._tasks.add(asyncio.create_task(watch(track)))

    def _on_attributes(self, changed: dict[str, str], _: rtc.Participant) -> None:
        if "lk.agent.state" in changed:
            self.states.append(changed["lk.agent.state"])
            self._news.set()

    def _on_line(self, reader: rtc.TextStreamReader, identity: str) -> None:
        self._tasks.add(asyncio.create_task(self._read(reader, identity)))

    async def _read(self, reader: rtc.TextStreamReader, identity: str) -> None:
        attributes = reader.info.attributes or {}
        text = await reader.read_all()
        self.lines[attributes["lk.segment_id"]] = (attributes["lk.transcription_final"] == "true", identity, text)
        self._news.set()

    async def _watch(self, track: rtc.Track) -> None:
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.RGB24)
        try:
            async for event in stream:
                frame = event.frame
                self.sizes.add((frame.width, frame.height))
                rgb = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.width, 3)
                kept = np.asarray(cv2.resize(rgb, (self.side, self.side), interpolation=cv2.INTER_AREA), np.uint8)
                self.seen.append(Seen(event.timestamp_us / 1e6, kept, float(kept.mean())))
                self._news.set()
        finally:
            await stream.aclose()

    async def _hear(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
        n_samples = 0
        try:
            async for event in stream:
                samples = from_int16(np.frombuffer(event.frame.data, np.int16))
                self.heard.append(Heard(time.monotonic(), samples, n_samples))
                n_samples += len(samples)
                self._news.set()
        finally:
            await stream.aclose()


@asynccontextmanager
async def calling(account: Account, room: str, identity: str = "caller", side: int = 128) -> AsyncGenerator[Caller]:
    """Yields somebody who has joined a room."""
    caller = Caller(side=side)
    caller.listen()
    await caller.room.connect(account.url, account.token(room, identity))
    try:
        yield caller
    finally:
        await caller.aclose()
