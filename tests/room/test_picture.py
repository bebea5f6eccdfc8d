"""What is left of a picture when it has come through a room."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from avatar.types import FRAME_RATE, OUTPUT_RATE, AvatarState, SyncedFrame
from tests.room.caller import calling
from tests.room.stage import Flasher, working

if TYPE_CHECKING:
    from agent.web.conversation import Audience
    from tests.room.server import LiveKitServer

pytestmark = pytest.mark.livekit

N_PLACES = 8
FRAMES_A_PLACE = 3


def portrait(place: int) -> np.ndarray:
    """Returns a photo, uint8 (512, 512, 3), a few pixels to the side."""
    face = cv2.resize(astronaut()[0:300, 80:380], (512, 512), interpolation=cv2.INTER_CUBIC)
    return np.roll(face, place, axis=1)


class Swayer(Flasher):
    """A conversation that shows a photo which sways, in silence."""

    async def run(self, audience: Audience) -> None:
        loop = asyncio.get_running_loop()
        pictures = [portrait(place) for place in (*range(N_PLACES), *reversed(range(N_PLACES)))]
        silence = np.zeros(OUTPUT_RATE // FRAME_RATE, np.float32)
        began = loop.time()
        for index in count():
            await asyncio.sleep(began + index / FRAME_RATE - loop.time())
            picture = pictures[index // FRAMES_A_PLACE % len(pictures)]
            await audience.show(SyncedFrame(picture, silence, index, AvatarState.IDLE))


async def test_a_face_comes_through_a_room_sharp_and_in_its_colours(server: LiveKitServer):
    sent = [portrait(place).astype(np.float32) for place in range(N_PLACES)]
    best = 0.0

    def sharp() -> bool:
        nonlocal best
        came, caller.seen[:] = caller.seen[-1:], []
        for each in came:
            error = min(float(np.mean((each.rgb - picture) ** 2)) for picture in sent)
            best = max(best, 10 * np.log10(255**2 / error))
        return best > 40  # dB; a wrong colour matrix gives 39, a wrong range 27, coarse blocks 30

    async with working(server.account, conversation=Swayer), calling(server.account, "sharp", side=512) as caller:
        await caller.until(sharp, patience=60)
        assert caller.sizes == {(512, 512)}
