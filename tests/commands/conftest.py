from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.commands import animate, render
from avatar.motion.gltf import HeadModel, HeadPart
from tests.fakes import FlashRenderer, LoudnessGenerator

if TYPE_CHECKING:
    from pathlib import Path


class Faces:
    """Stands in for the portrait and the motion model, and notes what was asked for."""

    def __init__(self) -> None:
        self.portraits: list[Path | None] = []
        self.relaxed: list[bool] = []
        self.seeds: list[int] = []

    def open_renderer(self, portrait: Path | None, *, relaxed: bool = True) -> FlashRenderer:
        self.portraits.append(portrait)
        self.relaxed.append(relaxed)
        return FlashRenderer()

    def open_head(self, portrait: Path | None) -> HeadModel:
        self.portraits.append(portrait)
        vertices = np.eye(3, dtype=np.float32)
        part = HeadPart("skin", vertices, np.int32([[0, 1, 2]]), np.zeros((52, 3, 3), np.float32), vertices)
        return HeadModel((part,), np.zeros(3, np.float32), 0.06)

    def open_generator(self, seed: int) -> LoudnessGenerator:
        self.seeds.append(seed)
        return LoudnessGenerator()


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> Faces:
    """Commands draw flashes instead of a face."""
    made = Faces()
    monkeypatch.setattr(animate, "open_renderer", made.open_renderer)
    monkeypatch.setattr(animate, "open_generator", made.open_generator)
    monkeypatch.setattr(animate, "open_head", made.open_head)
    monkeypatch.setattr(render, "open_renderer", made.open_renderer)
    return made
