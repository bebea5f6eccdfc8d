"""An avatar in a LiveKit room: its tracks, and livekit-agents' video generator for `voice.avatar.AvatarRunner`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, VideoGenerator

from avatar.audio import from_int16, to_int16
from avatar.types import FRAME_RATE, OUTPUT_RATE, AudioChunk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from numpy.typing import NDArray

    from avatar.stream import AvatarStream, LiveStream
    from avatar.types import Playout, SyncedFrame

_PIECE: Final = OUTPUT_RATE // 100
"""Samples that a source without a queue takes at a time: 10 ms."""

_PACKET_SECONDS: Final = 0.02
"""Sound in one of WebRTC's packets; a frame has two."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the tracks are encoded; livekit's own choice is made for people in a gallery, not for one face that fills it.

    Attributes:
        codec: Every WebRTC client must be able to decode VP8 (RFC 7742), so nobody is left without a picture.
        video_bitrate: Bits a second at most.
        audio_bitrate: Bits a second at most; Opus in mono.
    """

    codec: rtc.VideoCodec.ValueType = rtc.VideoCodec.VP8
    video_bitrate: int = 1_500_000
    audio_bitrate: int = 48_000


class RoomPublisher:
    """The avatar's two tracks in a room.

    Sound goes out without a queue of its own: a queue would delay it against the picture by a time that changes, and
    keep every delay that it ever had. Both tracks belong to one media stream, so that receivers hold them together.

    Args:
        room: A connected room.
        size: Height and width of the pictures.
        encoding: How the tracks are encoded.
    """

    def __init__(self, room: rtc.Room, size: tuple[int, int], encoding: Encoding | None = None) -> None:
        self._room = room
        self._encoding = encoding or Encoding()
        self._pictures = rtc.VideoSource(width=size[1], height=size[0])
        self._sound = rtc.AudioSource(OUTPUT_RATE, 1, queue_size_ms=0)
        self._published: list[rtc.LocalTrackPublication] = []
        self._rest: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()

    @property
    def sound_track(self) -> str:
        """Identifier of the sound's track, or an empty string before it is published."""
        return self._published[0].sid if self._published else ""

    async def publish(self) -> None:
        """Publishes both tracks; whoever joins later gets them too."""
        mine = self._room.local_participant
        sound = rtc.LocalAudioTrack.create_audio_track("avatar_audio", self._sound)
        picture = rtc.LocalVideoTrack.create_video_track("avatar_video", self._pictures)
        for_sound = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_MICROPHONE,
            dtx=False,  # it would leave gaps in the sound's clock, which the picture follows
            red=True,
            stream="avatar",
        )
        for_sound.audio_encoding.max_bitrate = self._encoding.audio_bitrate
        for_picture = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            video_codec=self._encoding.codec,
            video_encoding=rtc.VideoEncoding(max_framerate=FRAME_RATE, max_bitrate=self._encoding.video_bitrate),
            simulcast=False,  # a small second layer would cost a fifth more and show no lips
            degradation_preference=rtc.DegradationPreference.MAINTAIN_FRAMERATE,  # pyright: ignore[reportArgumentType] # protobuf's type for it is not public
            stream="avatar",
        )
        self._published = [await mine.publish_track(sound, for_sound), await mine.publish_track(picture, for_picture)]

    async def show(self, frame: SyncedFrame) -> None:
        """Sends a picture with its sound, at the moment when they are due.

        Each of its sound's two packets leaves at its own moment, so that receivers need to hold less of it; two at once
        would also have them take the sound for a packet older than it is. The picture leaves with the second: receivers
        hold sound for longer than pictures.
        """
        await self._send_rest()
        moment = asyncio.get_running_loop().time() + _PACKET_SECONDS
        first, second = np.split(to_int16(frame.audio), 2)
        await self._send(first)
        self._hurry.clear()
        self._rest = asyncio.create_task(self._send_at(moment, second, frame.rgb), name="rest of a frame")

    async def _send_rest(self) -> None:
        """Sends what is left of the frame before, if its moment has not come yet."""
        if self._rest is not None:
            self._hurry.set()
            await self._rest
            self._rest = None

    async def _send_at(self, moment: float, samples: NDArray[np.int16], rgb: NDArray[np.uint8]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(moment):
                await self._hurry.wait()
        await self._send(samples)
        i420 = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
        height, width, _ = rgb.shape
        self._pictures.capture_frame(rtc.VideoFrame(width, height, rtc.VideoBufferType.I420, i420.tobytes()))

    async def _send(self, samples: NDArray[np.int16]) -> None:
        for piece in samples.reshape(-1, _PIECE):
            await self._sound.capture_frame(rtc.AudioFrame(piece.tobytes(), OUTPUT_RATE, 1, _PIECE))

    async def aclose(self) -> None:
        """Takes the tracks back and frees the sources."""
        await self._send_rest()
        if self._room.isconnected():
            for publication in self._published:
                await self._room.local_participant.unpublish_track(publication.sid)
        self._published = []
        await self._sound.aclose()
        await self._pictures.aclose()


def push_sound(stream: AvatarStream, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
    """Gives a stream livekit's speech of any rate, or its end.

    Raises:
        InputError: The sample rate changed within the segment.
    """
    if isinstance(frame, AudioSegmentEnd):
        stream.end_segment()
        return
    samples = from_int16(np.frombuffer(frame.data, np.int16)).reshape(-1, frame.num_channels)
    stream.push_audio(AudioChunk(samples.mean(axis=1, dtype=np.float32), frame.sample_rate))


class AvatarVideoGenerator(VideoGenerator):
    """livekit's `VideoGenerator`: speech in; pictures, and their sound while there is speech, out.

    `AvatarRunner` counts every sound that it gets as speech heard, so silence is not sent.

    Args:
        live: The running stream, whose listener this becomes.
    """

    def __init__(self, live: LiveStream) -> None:
        self._live = live
        self._sounding = False
        self._fading = False
        self._n_ended = 0
        live.stream.listener = self

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        """Takes speech of any rate, or its end.

        Raises:
            InputError: The sample rate changed within the segment.
        """
        push_sound(self._live.stream, frame)

    def clear_buffer(self) -> None:
        """Drops what was not heard."""
        self._live.stream.interrupt()

    async def __aiter__(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        """Yields 25 pictures a second, each followed by its sound while there is speech, and each segment's end."""
        async for frame in self._live.frames():
            yield _picture(frame)
            if self._sounding or self._n_ended:
                yield _sound(frame.audio)
            elif self._fading and np.any(frame.audio):
                yield _sound(frame.audio[: OUTPUT_RATE // 50])
            self._fading = False
            for _ in range(self._n_ended):
                yield AudioSegmentEnd()
            self._n_ended = 0

    def started(self, segment_id: str) -> None:
        """The first sound of a segment is shown."""
        self._sounding = True

    def finished(self, playout: Playout) -> None:
        """The last sound of a segment is shown, or the rest was dropped; the runner reports that by itself."""
        self._sounding = False
        if playout.interrupted:
            self._fading = True
        else:
            self._n_ended += 1


def _picture(frame: SyncedFrame) -> rtc.VideoFrame:
    height, width, _ = frame.rgb.shape
    return rtc.VideoFrame(width, height, rtc.VideoBufferType.RGB24, np.ascontiguousarray(frame.rgb).tobytes())


def _sound(samples: NDArray[np.float32]) -> rtc.AudioFrame:
    return rtc.AudioFrame(to_int16(samples).tobytes(), OUTPUT_RATE, 1, len(samples))
