from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.commands import animate, render
from tests.fakes import FlashRenderer, LoudnessGenerator

if TYPE_CHECKING:
    from pathlib import Path


class Faces:
    """Stands in for the portrait and the motion model, and notes what was asked for."""

    def __init__(self) -> None:
        self.portraits: list[Path | None] = []
        self.seeds: list[int] = []

    def open_renderer(self, portrait: Path | None) -> FlashRenderer:
        self.portraits.append(portrait)
        return FlashRenderer()

    def open_generator(self, seed: int) -> LoudnessGenerator:
        self.seeds.append(seed)
        return LoudnessGenerator()


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> Faces:
    """Commands draw flashes instead of a face."""
    made = Faces()
    monkeypatch.setattr(animate, "open_renderer", made.open_renderer)
    monkeypatch.setattr(animate, "open_generator", made.open_generator)
    monkeypatch.setattr(render, "open_renderer", made.open_renderer)
    return made
