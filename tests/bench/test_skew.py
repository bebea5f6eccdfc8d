from __future__ import annotations

import pytest

from agent.bench.receiver import skews
from agent.bench.skew import measure_skew
from avatar.stream import AvatarStream
from tests.fakes import FlashRenderer, LoudnessGenerator, voice


def test_each_flash_is_compared_with_the_click_next_to_it():
    assert skews([1.02, 2.0, 3.0], [1.0, 2.01, 9.0]) == pytest.approx([0.02, -0.01])
    assert skews([1.0], []) == []


async def test_flashes_and_clicks_reach_a_client_in_another_process():
    stream = AvatarStream(LoudnessGenerator(), FlashRenderer((128, 128)))
    measured = await measure_skew(stream, voice(1.5, 16_000), 4)
    assert 1 <= len(measured) <= 4
    assert all(abs(skew) < 0.45 for skew in measured)
