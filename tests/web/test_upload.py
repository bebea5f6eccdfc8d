"""Photos that pages send: those that become avatars, and those that don't."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import cv2
import pytest
from skimage.data import astronaut

from agent.web import upload
from tests.web.conftest import visiting

if TYPE_CHECKING:
    from tests.web.talker import Theatre

JPEG = {"Content-Type": "image/jpeg"}


def photo() -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))[1].tobytes()


async def test_a_photo_becomes_an_avatar_with_progress(theatre: Theatre):
    async with visiting(theatre) as visitor, visitor.page() as page:
        session = (await page.wait_for("welcome"))["session"]
        query = {"session": session, "label": "Eileen"}
        answer = await visitor.client.post(f"{visitor.url}api/portraits", params=query, data=photo(), headers=JPEG)
        option = await answer.json()
        assert option["label"] == "Eileen"
        assert (await page.wait_for("progress", task="portrait"))["stage"] == "Finding the face"
        options = await page.wait_for("options")
        while option["id"] not in [avatar["id"] for avatar in options["avatars"]]:
            options = await page.wait_for("options")


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        (b"no photo", JPEG, 422),
        (b"", JPEG, 422),
        (b"GIF89a", {"Content-Type": "image/gif"}, 415),
        (b"%PDF", {"Content-Type": "application/pdf"}, 415),
        (b"\xff" * (upload.MAX_PHOTO + 1), JPEG, 413),
    ],
    ids=["no photo", "empty", "a GIF", "a PDF", "too large"],
)
async def test_an_upload_that_is_no_photo_is_refused(theatre: Theatre, data: bytes, headers: dict, status: int):
    async with visiting(theatre) as visitor:
        answer = await visitor.client.post(f"{visitor.url}api/portraits", data=io.BytesIO(data), headers=headers)
        assert answer.status == status
        assert ": expected " in (await answer.json())["message"]
        assert len(theatre.options().avatars) == 1


async def test_an_upload_that_dawdles_is_ended(theatre: Theatre, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upload, "UPLOAD_SECONDS", 0.05)
    done = asyncio.Event()

    async def dawdling():
        yield photo()[:100]
        await done.wait()

    async with visiting(theatre) as visitor:
        answer = await visitor.client.post(f"{visitor.url}api/portraits", data=dawdling(), headers=JPEG)
        assert answer.status == 408
        done.set()
