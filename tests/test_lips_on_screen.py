"""What a viewer sees: the mouth in the rendered pictures, measured again with the landmark model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.generator import load_motion_model
from avatar.portrait.landmarks import LandmarkModel
from avatar.portrait.setup import default_portrait_path, load_portrait
from avatar.render.renderer import PortraitRenderer
from avatar.stream import FILES, AvatarStream, speaking_frames
from avatar.training.corpus.speech import speak
from avatar.training.corpus.voices import VOICES
from avatar.types import FRAME_RATE, SPEECH_RATE, AudioChunk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from avatar.training.corpus.phones import Phone
    from avatar.types import SyncedFrame

pytestmark = pytest.mark.model

TEXTS = (
    "Peter bought a big blue umbrella, but Barbara had no bag. Maybe my mother will move to Panama in May.",
    "The farmer's lamb jumped over a broken branch, and the baby bear began to hum above the pond.",
)
BILABIALS = frozenset("pbm")
OPEN_VOWELS = frozenset("aæɑʌɔ")
NEAR = 0.06
"""Seconds around a phone in which its lip shape may show."""


@dataclass(frozen=True)
class Watched:
    """A spoken text and the gap between the lips' inner edges in each picture, in widths of the face."""

    phones: tuple[Phone, ...]
    gaps: np.ndarray

    def near(self, letters: frozenset[str]) -> list[np.ndarray]:
        """The gaps while each phone of `letters` lasts."""
        middles = (np.arange(len(self.gaps)) + 0.5) / FRAME_RATE
        return [
            self.gaps[(middles > phone.start - NEAR) & (middles < phone.end + NEAR)]
            for phone in self.phones
            if phone.name[:1] in letters
        ]


def lip_gaps(frames: Iterable[SyncedFrame]) -> np.ndarray:
    model = LandmarkModel()
    points = None
    gaps: list[float] = []
    for frame in frames:
        if points is None:
            seen = model.landmarks(frame.rgb)
            assert seen is not None
            points = seen.points
        points, score = model.track(frame.rgb, points)
        assert score > 0.5
        gaps.append(float(np.linalg.norm(points[13, :2] - points[14, :2]) / np.ptp(points[:, 0])))
    return np.array(gaps)


@pytest.fixture(scope="module")
def watched() -> list[Watched]:
    renderer = PortraitRenderer(load_portrait(default_portrait_path(), note=lambda _: None), 512)
    seen: list[Watched] = []
    for utterance in speak(VOICES[0], TEXTS, 3):
        stream = AvatarStream(load_motion_model(seed=2), renderer, FILES)
        speech = [AudioChunk(utterance.samples, SPEECH_RATE)]
        seen.append(Watched(utterance.phones, lip_gaps(speaking_frames(stream, speech, stream.next_frame))))
    return seen


def test_lips_meet_on_bilabials_and_part_on_open_vowels(watched: list[Watched]) -> None:
    closed = np.array([gaps.min() for seen in watched for gaps in seen.near(BILABIALS)])
    parted = np.array([gaps.max() for seen in watched for gaps in seen.near(OPEN_VOWELS)])
    assert len(closed) >= 20
    assert len(parted) >= 10
    shut = np.median([seen.gaps[-1] for seen in watched])  # the landmark model never reports zero
    assert np.mean(closed < shut + 0.005) >= 0.8
    assert np.mean(parted > shut + 0.01) >= 0.8


def test_the_mouth_rests_after_the_last_word(watched: list[Watched]) -> None:
    for seen in watched:
        assert seen.gaps[-1] < np.percentile(seen.gaps, 40)
