"""A page with LiveKit's own browser client, as npm has it, and a server for it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

VERSION: Final = "2.23.0"

_PAGE: Final = """<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<video id="video" autoplay playsinline muted></video>
<script src="livekit-client.umd.js"></script>
<script>
const { Room, RoomEvent, Track } = LivekitClient;
window.lines = {};
window.states = [];
window.refused = [];
window.join = async (url, token, talk) => {
    const room = window.room = new Room();
    const received = new MediaStream();
    document.getElementById("video").srcObject = received;
    room.on(RoomEvent.TrackSubscribed, (track) => received.addTrack(track.mediaStreamTrack));
    room.on(RoomEvent.TrackSubscriptionFailed, (track, who, why) => window.refused.push(why));
    room.on(RoomEvent.ParticipantAttributesChanged, (changed) => {
        if (changed["lk.agent.state"]) window.states.push(changed["lk.agent.state"]);
    });
    room.registerTextStreamHandler("lk.transcription", async (reader, who) => {
        const about = reader.info.attributes;
        window.lines[about["lk.segment_id"]] = [about["lk.transcription_final"], who.identity, await reader.readAll()];
    });
    await room.connect(url, token);
    await room.localParticipant.setMicrophoneEnabled(talk);
};
</script>
"""


def client() -> Path:
    """Returns LiveKit's client for browsers; npm fetches it once for this user."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "visavis" / f"livekit-client-{VERSION}"
    script = folder / "livekit-client.umd.js"
    if not script.is_file():
        with tempfile.TemporaryDirectory() as scratch:
            command = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", scratch)
            subprocess.run((*command, f"livekit-client@{VERSION}"), check=True, capture_output=True)  # noqa: S603 - ours
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(scratch) / "node_modules/livekit-client/dist/livekit-client.umd.js", folder / "part")
        (folder / "part").rename(script)
    return script


@asynccontextmanager
async def serving_page() -> AsyncGenerator[str]:
    """Yields the page's address."""
    script = await asyncio.to_thread(client)

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def library(_: web.Request) -> web.FileResponse:
        return web.FileResponse(script)

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/livekit-client.umd.js", library)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
