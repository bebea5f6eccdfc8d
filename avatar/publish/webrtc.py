"""Sends synchronised frames over WebRTC: one encoding a frame, two tracks, one clock.

aiortc would encode for us, with settings made for cameras (libx264's "medium" costs 18 ms a frame at 512 x 512). Its
tracks also take packets that are encoded already, so we encode here, and both halves of a `SyncedFrame` leave together:
a receiver aligns sound and picture by when they were sent (RTCP sender reports), so any lead would become skew.
"""

from __future__ import annotations

import asyncio
import fractions
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import av
import cv2
import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.video.frame import PictureType

from avatar.types import FRAME_RATE, OUTPUT_RATE

if TYPE_CHECKING:
    from aiortc import RTCRtpSender
    from av.video.codeccontext import VideoCodecContext
    from numpy.typing import NDArray

    from avatar.types import SyncedFrame

    Packet = av.Packet[Any]

VideoCodec = Literal["H264", "VP8"]

VIDEO_CLOCK: Final = 90_000
"""RTP clock of video in Hz (RFC 6184, RFC 7741)."""

VIDEO_BIT_RATE: Final = 1_500_000
"""Bits a second; 39 dB on a moving 512 x 512 portrait with either codec."""

AUDIO_BIT_RATE: Final = 64_000
"""Bits a second; speech at 48 kHz in mono is transparent here."""

OPUS_SAMPLES: Final = 960
"""Samples in an Opus packet of 20 ms; a frame of 1 920 samples makes two."""

KEYFRAME_INTERVAL: Final = 10 * FRAME_RATE
"""Frames between complete pictures if nobody asks for one."""

_QUEUE_PACKETS: Final = 10

_X264_OPTIONS: Final = {
    "preset": "superfast",
    "tune": "zerolatency",
    "level": "31",
    "maxrate": str(VIDEO_BIT_RATE),
    "bufsize": str(VIDEO_BIT_RATE // 2),
}
_VPX_OPTIONS: Final = {
    "deadline": "realtime",
    "cpu-used": "-12",
    "lag-in-frames": "0",
    "static-thresh": "1",
    "minrate": str(VIDEO_BIT_RATE),
    "maxrate": str(VIDEO_BIT_RATE),
    "bufsize": str(VIDEO_BIT_RATE),
}


class VideoEncoder:
    """Encodes pictures for a live stream, with no frame held back.

    Args:
        codec: What the receiver decodes.
    """

    def __init__(self, codec: VideoCodec) -> None:
        self._codec: VideoCodec = codec
        self._context: VideoCodecContext | None = None
        self._keyframe = True

    def request_keyframe(self) -> None:
        """Makes the next packet a complete picture, for a receiver that lost some."""
        self._keyframe = True

    def encode(self, rgb: NDArray[np.uint8], index: int) -> list[Packet]:
        """Returns the packets of one picture, uint8 (height, width, 3); their time is that of frame `index`."""
        if self._context is None:
            self._context = self._open(rgb.shape[1], rgb.shape[0])
        planes = cast("NDArray[np.uint8]", cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420))
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = index * (VIDEO_CLOCK // FRAME_RATE)
        frame.time_base = fractions.Fraction(1, VIDEO_CLOCK)
        if self._keyframe:
            frame.pict_type = PictureType.I
            self._keyframe = False
        return self._context.encode(frame)

    def _open(self, width: int, height: int) -> VideoCodecContext:
        name, options = ("libx264", _X264_OPTIONS) if self._codec == "H264" else ("libvpx", _VPX_OPTIONS)
        context = av.CodecContext.create(name, "w")
        context.width, context.height = width, height
        context.pix_fmt = "yuv420p"
        context.bit_rate = VIDEO_BIT_RATE
        context.framerate = fractions.Fraction(FRAME_RATE)
        context.time_base = fractions.Fraction(1, VIDEO_CLOCK)
        context.gop_size = KEYFRAME_INTERVAL
        context.thread_count = 1
        context.options = options
        if self._codec == "H264":
            context.profile = "Baseline"
        else:
            context.qmin, context.qmax = 2, 56
        return context


class AudioEncoder:
    """Encodes the sound of frames as Opus (RFC 6716), mono at 48 kHz.

    Packets keep libopus' negative start, so that after the decoder's own delay each sample is at its time exactly.
    """

    def __init__(self) -> None:
        self._context = av.CodecContext.create("libopus", "w")
        self._context.sample_rate = OUTPUT_RATE
        self._context.layout = "mono"
        self._context.format = "s16"
        self._context.bit_rate = AUDIO_BIT_RATE
        self._context.time_base = fractions.Fraction(1, OUTPUT_RATE)
        self._context.options = {"application": "voip"}

    def encode(self, samples: NDArray[np.float32], index: int) -> list[Packet]:
        """Returns the packets of one frame's sound, float32 (1920,) in [-1, 1]; two of 20 ms."""
        pcm = np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)
        packets: list[Packet] = []
        for start in range(0, len(pcm), OPUS_SAMPLES):
            frame = av.AudioFrame.from_ndarray(pcm[None, start : start + OPUS_SAMPLES], format="s16", layout="mono")
            frame.sample_rate = OUTPUT_RATE
            frame.time_base = fractions.Fraction(1, OUTPUT_RATE)
            frame.pts = index * (OUTPUT_RATE // FRAME_RATE) + start
            packets += self._context.encode(frame)
        return packets


class PacketTrack(MediaStreamTrack):
    """A track whose packets are encoded already. It holds at most 0.2 s; what comes on top drops the oldest.

    Args:
        kind: ``"audio"`` or ``"video"``.
    """

    def __init__(self, kind: Literal["audio", "video"]) -> None:
        super().__init__()
        self.kind = kind
        self._packets: asyncio.Queue[Packet | None] = asyncio.Queue()

    def put(self, packet: Packet) -> bool:
        """Queues a packet; returns whether all packets before it are still on their way."""
        whole = self._packets.qsize() < _QUEUE_PACKETS
        if not whole:
            self._packets.get_nowait()
        self._packets.put_nowait(packet)
        return whole

    async def recv(self) -> Packet:
        """Returns the next packet.

        Raises:
            MediaStreamError: The track has ended.
        """
        packet = await self._packets.get() if self.readyState == "live" else None
        if packet is None:
            raise MediaStreamError
        return packet

    def stop(self) -> None:
        """Ends the track; who waits for a packet learns it."""
        super().stop()
        self._packets.put_nowait(None)


class WebRtcPublisher:
    """Encodes frames once and feeds a video and an audio track.

    Args:
        video: Track of the pictures.
        audio: Track of the sound.
        codec: What the receiver decodes.
    """

    def __init__(self, video: PacketTrack, audio: PacketTrack, codec: VideoCodec) -> None:
        self.video = video
        self.audio = audio
        self._video = VideoEncoder(codec)
        self._audio = AudioEncoder()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encode")
        self._due: list[tuple[asyncio.TimerHandle, Packet]] = []

    def answer_keyframe_requests(self, sender: RTCRtpSender) -> None:
        """Lets a receiver's picture-loss report reach our encoder."""
        # aiortc tells only its own encoders; it has no public hook for tracks that carry packets.
        cast("Any", sender)._send_keyframe = self._video.request_keyframe  # noqa: SLF001

    async def publish(self, frame: SyncedFrame) -> None:
        """Sends one frame now: its picture and its first 20 ms of sound together, the rest 20 ms later."""
        loop = asyncio.get_running_loop()
        video, audio = await loop.run_in_executor(self._thread, self._encode, frame)
        for packet in video:
            if not self.video.put(packet):
                self._video.request_keyframe()
        self._send_due()
        for position, packet in enumerate(audio):
            if position == 0:
                self.audio.put(packet)
            else:
                delay = position * OPUS_SAMPLES / OUTPUT_RATE
                self._due.append((loop.call_later(delay, self._send_next), packet))

    def _send_next(self) -> None:
        _, packet = self._due.pop(0)
        self.audio.put(packet)

    def _send_due(self) -> None:
        """Sends what waits for its time: after a held-up frame the next one comes sooner, and sound keeps its order."""
        for timer, packet in self._due:
            timer.cancel()
            self.audio.put(packet)
        self._due.clear()

    def close(self) -> None:
        """Ends both tracks; a frame that is being encoded is let through, so that who publishes it goes on."""
        for timer, _ in self._due:
            timer.cancel()
        self._due.clear()
        self.video.stop()
        self.audio.stop()
        self._thread.shutdown(wait=False)

    def _encode(self, frame: SyncedFrame) -> tuple[list[Packet], list[Packet]]:
        return self._video.encode(frame.rgb, frame.index), self._audio.encode(frame.audio, frame.index)
