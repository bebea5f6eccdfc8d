"""A front end that knows docs/protocol.md alone: it sees, hears, is heard, asks, interrupts and brings a photo."""

from __future__ import annotations

import asyncio
import io
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from PIL import Image
from skimage.data import astronaut

from tests.web.conftest import visiting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from aiortc.mediastreams import MediaStreamTrack

    from tests.web.talker import Theatre


class FrontEnd:
    """One conversation with a server, by what its description says."""

    def __init__(self, client: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, url: str) -> None:
        self.client = client
        self.url = url
        self.told: list[str] = []
        self._kept: list[dict] = []
        self.tracks: dict[str, MediaStreamTrack] = {}
        self._socket = socket
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def send(self, kind: str, **fields: object) -> None:
        await self._socket.send_json({"type": kind, **fields})

    async def next(self, kind: str, **fields: object) -> dict:
        """Returns the first message of a kind with such fields that was not returned before."""
        for message in self._kept:
            if message["type"] == kind and fields.items() <= message.items():
                self._kept.remove(message)
                return message
        async with asyncio.timeout(20):
            while True:
                message = await self._socket.receive_json()
                self.told.append(message["type"])
                if message["type"] == kind and fields.items() <= message.items():
                    return message
                self._kept.append(message)

    async def connect(self) -> str:
        """Connects picture, sound and microphone; returns the answer."""
        connection = self._connection
        connection.on("track", lambda track: self.tracks.update({track.kind: track}))
        connection.addTransceiver(AudioStreamTrack(), direction="sendrecv")
        connection.addTransceiver("video", direction="recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        await self.send("offer", sdp=connection.localDescription.sdp)
        answer = (await self.next("answer"))["sdp"]
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return answer

    async def close(self) -> None:
        await self._connection.close()


@asynccontextmanager
async def front_end(theatre: Theatre) -> AsyncGenerator[FrontEnd]:
    async with visiting(theatre) as visitor, aiohttp.ClientSession() as client:
        address = visitor.url.replace("http", "ws", 1) + "api/session"
        async with client.ws_connect(address) as socket:
            talk = FrontEnd(client, socket, visitor.url)
            try:
                yield talk
            finally:
                await talk.close()


async def test_picture_and_sound_come_over_webrtc_as_described(theatre: Theatre):
    async with front_end(theatre) as talk:
        await talk.next("state")
        assert talk.told == ["welcome", "loading", "options", "state"]
        answer = await talk.connect()
        assert "a=candidate:" in answer
        assert "a=ptime:10\r\n" in answer
        assert "packetization-mode=1" in answer
        await talk.next("loading", ready=True)
        pictures, loudness = [await talk.tracks["video"].recv()], 0.0
        await talk.send("say", text="one two three four five six seven eight nine ten " * 4)
        async with asyncio.timeout(30):
            while len(pictures) < 25 or loudness < 0.02:
                pictures.append(await talk.tracks["video"].recv())
                sound = (await talk.tracks["audio"].recv()).to_ndarray() / 32768
                loudness = max(loudness, float(np.sqrt(np.mean(sound**2))))
        assert {(picture.width, picture.height) for picture in pictures} == {(512, 512)}
        steps = np.diff([picture.pts for picture in pictures])
        assert np.all(steps > 0)
        assert np.all(steps % 3600 == 0)


async def test_a_conversation_is_led_by_messages_alone(theatre: Theatre):
    async with front_end(theatre) as talk:
        session = (await talk.next("welcome", resumed=False))["session"]
        await talk.next("loading", ready=True)
        await talk.send("microphone", live=True)
        await talk.next("state", state="listening")
        await talk.send("ask", text="what is the time")
        await talk.next("caption", speaker="user", text="what is the time", final=True)
        latency = await talk.next("latency", turn=1)
        assert all(0 <= seconds <= latency["total"] for seconds in latency["stages"].values())
        line = await talk.next("caption", speaker="avatar", final=False)
        await talk.send("interrupt")
        heard = await talk.next("caption", speaker="avatar", utterance=line["utterance"], final=True)
        assert heard["text"].startswith(line["text"])
        await talk.send("emotion", emotion="happy", intensity=0.5)
        await talk.send("emotion", emotion="hungry")
        assert (await talk.next("error", code="refused"))["message"].startswith("reading a message: expected ")
        body = {"type": "say", "text": "dinner is ready"}
        assert (await talk.client.post(f"{talk.url}api/sessions/{session}/messages", json=body)).status == 200
        await talk.next("caption", speaker="avatar", text="dinner is ready", final=True)
        await talk.send("end")
        assert (await talk.next("ended"))["reason"]


async def test_a_photo_is_brought_and_chosen(theatre: Theatre):
    photo = io.BytesIO()
    Image.fromarray(astronaut()).save(photo, "JPEG")
    async with front_end(theatre) as talk:
        session = (await talk.next("welcome"))["session"]
        await talk.next("loading", ready=True)
        address = f"{talk.url}api/portraits?session={session}&label=Eileen"
        answer = await talk.client.post(address, data=photo.getvalue(), headers={"Content-Type": "image/jpeg"})
        avatar = await answer.json()
        assert (avatar["label"], avatar["note"]) == ("Eileen", "")
        assert 0 <= (await talk.next("progress", task="portrait"))["done"] <= 1
        await talk.next("options")
        await talk.send("choose", avatar=avatar["id"])
        chosen = await talk.next("options", changing=True)
        assert chosen["chosen"]["avatar"] == avatar["id"]
        offered = next(each for each in chosen["avatars"] if each["id"] == avatar["id"])
        picture = await talk.client.get(talk.url.rstrip("/") + offered["picture"])
        assert picture.content_type == "image/jpeg"
        await talk.next("options", changing=False)
