"""The worker against LiveKit's own server, with a conversation that has no models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.room.caller import calling
from tests.room.stage import working

if TYPE_CHECKING:
    from tests.room.server import LiveKitServer

pytestmark = pytest.mark.livekit


async def test_a_caller_sees_and_hears_the_avatar_in_time(server: LiveKitServer):
    async with working(server.account) as work, calling(server.account, "sync") as caller:
        await caller.until(lambda: len(caller.seen) > 12 * 15)
        assert caller.sizes == {(512, 512)}
        assert work.worker.n_rooms == 1
        measured = caller.skews(brightness=120, loudness=0.1)
    assert len(measured) >= 6
    assert abs(measured[len(measured) // 2]) <= 0.045
