from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agent.room.capacity import measure_capacity, usable_cores
from avatar.stream import AvatarStream
from avatar.stream.motion import LIVE
from tests.fakes import FlashRenderer, LoudnessGenerator

if TYPE_CHECKING:
    import numpy as np


class CostlyRenderer(FlashRenderer):
    """Uses the processor for a given time for each picture."""

    def __init__(self, seconds: float) -> None:
        super().__init__((16, 16))
        self.seconds = seconds

    def render(self, coefficients: np.ndarray) -> np.ndarray:
        until = time.process_time() + self.seconds
        while time.process_time() < until:
            pass
        return super().render(coefficients)


def test_capacity_follows_the_processor_time_of_a_picture():
    cheap, costly = (
        measure_capacity(AvatarStream(LoudnessGenerator(), CostlyRenderer(seconds), LIVE), cores=16)
        for seconds in (0.001, 0.01)
    )
    assert 8 < costly <= 16 * 0.85 / (0.25 + 0.2) < cheap


def test_there_is_a_core():
    assert usable_cores() >= 1
