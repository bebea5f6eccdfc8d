"""Photos that pages send."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from agent.web.answers import HUB, error_response
from avatar.errors import InputError

MAX_PHOTO: Final = 15 * 1024 * 1024
"""Bytes of an uploaded photo."""

UPLOAD_SECONDS: Final = 30.0
"""How long a photo may take to arrive."""

PHOTO_TYPES: Final = ("image/jpeg", "image/png", "image/webp")


async def post_portrait(request: web.Request) -> web.Response:
    """Makes an avatar of the photo in a request's body."""
    hub = request.app[HUB]
    if request.content_type not in PHOTO_TYPES:
        error = InputError("uploading a photo", expected="a JPEG, PNG or WebP picture", got=request.content_type)
        return error_response(415, error, "type")
    if (request.content_length or 0) > MAX_PHOTO:
        return error_response(413, _too_large(), "size")
    photo = bytearray()
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            async for block in request.content.iter_chunked(1 << 16):
                photo += block
                if len(photo) > MAX_PHOTO:
                    return error_response(413, _too_large(), "size")
    except TimeoutError:
        error = InputError(
            "uploading a photo", expected=f"all of it within {UPLOAD_SECONDS:.0f} s", got=f"{len(photo)} bytes"
        )
        return error_response(408, error, "slow")
    if not photo:
        return error_response(422, InputError("uploading a photo", expected="a picture", got="nothing"), "size")
    session = hub.session(request.query.get("session", ""))
    option = await hub.add_portrait(bytes(photo), request.query.get("label", "")[:60], session)
    return web.json_response({"id": option.id, "label": option.label, "note": option.note})


def _too_large() -> InputError:
    return InputError("uploading a photo", expected=f"at most {MAX_PHOTO >> 20} MB", got="more")
