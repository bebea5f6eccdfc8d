from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import motion_from
from avatar.render.renderer import PortraitRenderer

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

SIZE = 384


@pytest.fixture(scope="module")
def renderer(portrait: Portrait) -> PortraitRenderer:
    return PortraitRenderer(portrait, SIZE)


def mouth(renderer: PortraitRenderer, portrait: Portrait, **values: float) -> np.ndarray:
    x, y = portrait.landmarks[[13, 14], :2].mean(0).round().astype(int)
    return renderer.render(motion_from(values))[y - 6 : y + 40, x - 12 : x + 13].astype(int)


def test_the_tongue_between_the_teeth_fills_the_dark(renderer: PortraitRenderer, portrait: Portrait) -> None:
    without, with_ = (mouth(renderer, portrait, jawOpen=0.4, tongueOut=v) for v in (0.0, 0.5))
    assert (with_.sum(-1) < 180).sum() < 0.8 * (without.sum(-1) < 180).sum()


def test_a_tongue_that_is_out_hides_the_lower_lip(renderer: PortraitRenderer, portrait: Portrait) -> None:
    inside, out = (mouth(renderer, portrait, jawOpen=0.4, tongueOut=v) for v in (0.5, 1.0))
    lowest = [np.flatnonzero((np.abs(m - inside).sum(-1) > 40).any(1)) for m in (inside, out)]
    assert lowest[0].size == 0
    assert lowest[1].max() > 24


def test_upper_teeth_show_when_the_lips_part(renderer: PortraitRenderer, portrait: Portrait) -> None:
    parted = {"jawOpen": 0.25, "mouthUpperUpLeft": 0.5, "mouthUpperUpRight": 0.5}
    pale = [(np.ptp(mouth(renderer, portrait, **values), axis=-1) < 45) for values in ({}, parted)]
    assert pale[1].sum() > pale[0].sum() + 40


def test_rounded_lips_shade_the_teeth(renderer: PortraitRenderer, portrait: Portrait) -> None:
    parted = {"jawOpen": 0.3, "mouthUpperUpLeft": 0.6, "mouthUpperUpRight": 0.6}
    plain = np.percentile(mouth(renderer, portrait, **parted).min(-1), 95)
    assert np.percentile(mouth(renderer, portrait, **parted, mouthFunnel=0.6).min(-1), 95) < plain


def test_rounded_lips_shade_the_teeth_that_the_photo_shows(photo: Portrait) -> None:
    renderer, scale = PortraitRenderer(photo, SIZE), SIZE / len(photo.rgb)
    x, y = (photo.landmarks[[13, 14], :2].mean(0) * scale).round().astype(int)
    lightest = []
    for funnel in (0.0, 1.0):
        shown = renderer.render(motion_from({"jawOpen": 0.1, "mouthFunnel": funnel}))[y - 8 : y + 12, x - 8 : x + 9]
        lightest.append(np.percentile(shown.min(-1), 95))
    assert lightest[1] < 0.88 * lightest[0]


def test_teeth_lie_in_shade_beside_the_corners(renderer: PortraitRenderer, portrait: Portrait) -> None:
    x, y = portrait.landmarks[[13, 14], :2].mean(0).round().astype(int)
    half = round(0.5 * float(np.ptp(portrait.landmarks[[78, 308], 0])))
    parted = {
        "jawOpen": 0.2,
        **{name + side: 0.7 for name in ("mouthUpperUp", "mouthSmile") for side in ("Left", "Right")},
    }
    shown = renderer.render(motion_from(parted))[y - 12 : y + 8].astype(int).min(-1).max(0)
    assert max(shown[x - round(0.75 * half)], shown[x + round(0.75 * half)]) < 0.8 * shown[x - 4 : x + 5].max()
