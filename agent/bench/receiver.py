"""A WebRTC client that notes when flashes and clicks arrive; `agent.bench.skew` starts it as a process of its own.

It speaks JSON, a line a message: its offer on standard output; the answer on standard input; that it is connected; at
the end, for which it is asked, what it measured. Arrival is that of the packets: what a player does with them
afterwards is its own affair.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from avatar.types import OUTPUT_RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiortc import RTCRtpReceiver

_WRAP: Final = 0xFFFFFFFF
_WHITE: Final = 200
_LOUD: Final = 6000
_PAIR_SECONDS: Final = 0.45
_APART_SECONDS: Final = 0.3


class Arrivals:
    """When the packets of one track arrived, by their time on the track.

    Args:
        receiver: Its receiver.
    """

    def __init__(self, receiver: RTCRtpReceiver) -> None:
        self._moments: dict[int, float] = {}
        self._first: int | None = None
        private: Any = receiver
        handle: Callable[..., Any] = private._handle_rtp_packet  # noqa: SLF001 - aiortc tells nobody when packets come

        async def note(packet: Any, *rest: Any, **more: Any) -> None:  # noqa: ANN401 - aiortc's packet
            if self._first is None:
                self._first = packet.timestamp
            self._moments[(packet.timestamp - self._first) & _WRAP] = time.monotonic()
            await handle(packet, *rest, **more)

        private._handle_rtp_packet = note  # noqa: SLF001 - likewise

    def of(self, pts: int) -> float | None:
        """Returns when the last packet of a time on the track came."""
        # aiortc counts a wrap of the 32 bits more when packets change places
        return self._moments.get(pts & _WRAP)


async def watch(receiver: RTCRtpReceiver, arrivals: Arrivals, flashes: list[float]) -> None:
    """Notes when white pictures arrive, the first of each run, until the track ends."""
    white = False
    while (frame := await _next(receiver)) is not None:
        before, white = white, isinstance(frame, av.VideoFrame) and _luma(frame) > _WHITE
        moment = arrivals.of(frame.pts or 0)
        if white and not before and moment is not None:
            flashes.append(moment)


async def listen(receiver: RTCRtpReceiver, arrivals: Arrivals, clicks: list[float]) -> None:
    """Notes when clicks arrive, until the track ends."""
    while (frame := await _next(receiver)) is not None:
        if not isinstance(frame, av.AudioFrame):
            continue
        pcm = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
        loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _LOUD)
        moment = arrivals.of(frame.pts or 0)
        if len(loud) and moment is not None:
            at = moment + int(loud[0]) / OUTPUT_RATE
            if not clicks or at - clicks[-1] > _APART_SECONDS:
                clicks.append(at)


def skews(flashes: Sequence[float], clicks: Sequence[float]) -> list[float]:
    """Returns by how many seconds each flash came after the click that is nearest to it, if one is near."""
    pairs = ((flash, min(clicks, key=lambda click: abs(click - flash))) for flash in flashes if clicks)
    return [flash - click for flash, click in pairs if abs(flash - click) < _PAIR_SECONDS]


async def main() -> None:
    """Receives until it is told to end."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    receivers = [connection.addTransceiver(kind, direction="recvonly").receiver for kind in ("audio", "video")]
    arrivals = [Arrivals(receiver) for receiver in receivers]
    connected = asyncio.Event()
    connection.on(
        "connectionstatechange", lambda: connected.set() if connection.connectionState == "connected" else None
    )
    await connection.setLocalDescription(await connection.createOffer())
    _tell({"offer": connection.localDescription.sdp})
    answer = json.loads(await asyncio.to_thread(sys.stdin.readline))
    await connection.setRemoteDescription(RTCSessionDescription(answer["answer"], "answer"))
    await connected.wait()
    _tell({"connected": True})
    flashes: list[float] = []
    clicks: list[float] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listen(receivers[0], arrivals[0], clicks))
        tasks.create_task(watch(receivers[1], arrivals[1], flashes))
        await asyncio.to_thread(sys.stdin.readline)
        await connection.close()
    _tell({"skew": skews(flashes, clicks)})


async def _next(receiver: RTCRtpReceiver) -> Any:  # noqa: ANN401 - a frame of either kind
    try:
        return await receiver.track.recv()
    except MediaStreamError:
        return None


def _luma(frame: av.VideoFrame) -> float:
    return float(frame.reformat(width=16, height=16, format="gray").to_ndarray().mean())


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
