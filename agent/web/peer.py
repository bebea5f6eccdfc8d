"""One WebRTC connection: the avatar's picture and sound out, the user's microphone in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, sdp
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from avatar.errors import InputError
from avatar.publish.webrtc import PacketTrack, WebRtcPublisher
from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import RTCRtpCodecCapability
    from numpy.typing import NDArray

    from avatar.publish.webrtc import VideoCodec
    from avatar.types import SyncedFrame

_CODECS: Final[dict[str, VideoCodec]] = {"video/h264": "H264", "video/vp8": "VP8"}
"""What we encode, the cheapest first."""

_MICROPHONE_PTIME_MS: Final = 10
"""aiortc hands a packet on after four more have come; short packets keep that at 40 ms."""


class Peer:
    """A connection that was offered by a page.

    Args:
        hear: Takes the user's sound, float32 (n_samples,) at 16 kHz.
    """

    def __init__(self, hear: Callable[[NDArray[np.float32]], None]) -> None:
        self._hear = hear
        # No STUN server: the default would ask one on the internet.
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connection.on("track", self._take_track)
        self._publisher: WebRtcPublisher | None = None
        self._microphone: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether frames reach the page."""
        return self._connection.connectionState == "connected"

    @property
    def state(self) -> str:
        """The connection's state in WebRTC's words."""
        return self._connection.connectionState

    async def answer(self, offer: str) -> str:
        """Returns the answer to an SDP offer.

        Raises:
            InputError: The offer can't be read, or has no way to receive picture and sound.
        """
        video, audio = PacketTrack("video"), PacketTrack("audio")
        try:
            _check_media(offer)
            picture = self._connection.addTrack(video)
            self._connection.addTrack(audio)
            for transceiver in self._connection.getTransceivers():
                if transceiver.sender is picture:
                    transceiver.setCodecPreferences(_preferred_codecs())
            await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        except InputError:
            raise
        except Exception as error:  # aiortc's parser lets every look-up and assertion through
            raise InputError(
                "connecting the picture", expected="a WebRTC offer", got=f"{type(error).__name__}: {error}"[:200]
            ) from error
        answer = self._connection.localDescription.sdp
        self._publisher = WebRtcPublisher(video, audio, _codec_of(answer))
        self._publisher.answer_keyframe_requests(picture)
        return _with_short_packets(answer)

    async def publish(self, frame: SyncedFrame) -> None:
        """Sends one frame if the page is connected."""
        if self._publisher is not None and self.connected:
            await self._publisher.publish(frame)

    async def close(self) -> None:
        """Ends the connection."""
        if self._microphone is not None:
            self._microphone.cancel()
        if self._publisher is not None:
            self._publisher.close()
        await self._connection.close()

    def _take_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and self._microphone is None:
            self._microphone = asyncio.create_task(self._listen(track), name="microphone")

    async def _listen(self, track: MediaStreamTrack) -> None:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SPEECH_RATE)
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, av.AudioFrame):
                for mono in resampler.resample(frame):
                    self._hear(mono.to_ndarray()[0].astype(np.float32, copy=False))


def _check_media(offer: str) -> None:
    description = sdp.SessionDescription.parse(offer)
    kinds = sorted(media.kind for media in description.media)
    if kinds != ["audio", "video"]:
        raise InputError(
            "connecting the picture",
            expected="an offer with one audio and one video section",
            got=" and ".join(kinds) or "none",
        )


def _preferred_codecs() -> list[RTCRtpCodecCapability]:
    codecs = RTCRtpSender.getCapabilities("video").codecs
    wanted = [*_CODECS, "video/rtx"]
    return sorted(
        (codec for codec in codecs if codec.mimeType.lower() in wanted),
        key=lambda codec: wanted.index(codec.mimeType.lower()),
    )


def _codec_of(answer: str) -> VideoCodec:
    video = next(media for media in sdp.SessionDescription.parse(answer).media if media.kind == "video")
    return _CODECS[video.rtp.codecs[0].mimeType.lower()]


def _with_short_packets(answer: str) -> str:
    """Asks for short packets of sound (RFC 8866, section 6.4)."""
    head, audio, rest = answer.partition("m=audio")
    section, video, tail = rest.partition("m=video")
    section = section.replace("a=mid:", f"a=ptime:{_MICROPHONE_PTIME_MS}\r\na=mid:", 1)
    return head + audio + section + video + tail
