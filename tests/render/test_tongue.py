from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import motion_from
from avatar.render.drive import Drive, Driver
from avatar.render.tongue import Tip, shadow_at, tip_at, tip_of, tongue_body, tongue_relief

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait
    from avatar.render.renderer import PortraitRenderer

LIP, TEETH, HALF_MOUTH, WIDTH = 0.0, 0.06, 0.2, 200.0


@pytest.fixture
def driver(portrait: Portrait) -> Driver:
    return Driver(portrait.head)


def drive_of(driver: Driver, out: float) -> Drive:
    return driver.drive(motion_from({"tongueOut": out}))


def tip_for(driver: Driver, out: float) -> Tip:
    return tip_of(drive_of(driver, out), LIP, TEETH, HALF_MOUTH)


def test_a_tongue_at_rest_lies_below_the_lip(driver: Driver) -> None:
    tip = tip_for(driver, 0.0)
    assert tip.top < LIP
    assert tip.over == 0


def test_the_little_that_speech_asks_for_reaches_the_upper_teeth(driver: Driver) -> None:
    assert tip_for(driver, 0.18).top > TEETH


def test_the_farther_out_the_lower_it_hangs(driver: Driver) -> None:
    lows = [tip_for(driver, v).low for v in (0.18, 0.4, 0.7, 1.0)]
    assert np.all(np.diff(lows) < -0.01)


def test_a_small_mouth_has_a_narrow_tongue(driver: Driver) -> None:
    assert tip_of(drive_of(driver, 1.0), LIP, TEETH, 0.08).half < 0.06 < tip_for(driver, 1.0).half


def test_the_tip_is_solid_inside_clear_outside_and_dark_far_back(driver: Driver) -> None:
    tip, relief = tip_for(driver, 1.0), tongue_relief()
    assert tip_at(tip, relief, 0.0, -0.05, WIDTH)[0] == 1
    assert tip_at(tip, relief, 0.0, tip.low - 0.02, WIDTH)[0] == 0
    assert tip_at(tip, relief, tip.half * 1.2, -0.05, WIDTH)[0] == 0
    assert tip_at(tip, relief, 0.0, 0.05, WIDTH)[1] < 0.6 * tip_at(tip, relief, 0.0, -0.02, WIDTH)[1]


def test_a_groove_runs_down_the_middle(driver: Driver) -> None:
    tip, relief = tip_for(driver, 1.0), tongue_relief()
    light = [np.mean([tip_at(tip, relief, p, q, WIDTH)[1] for q in np.linspace(-0.07, -0.02, 20)]) for p in (0.0, 0.04)]
    assert light[0] < 0.93 * light[1]


def test_only_a_tongue_that_is_out_casts_a_shadow(driver: Driver) -> None:
    tip = tip_for(driver, 1.0)
    assert shadow_at(tip, 0.0, tip.low) > 0.1
    assert shadow_at(tip, 0.0, tip.low - 0.05) == 0
    assert shadow_at(tip_for(driver, 0.1), 0.0, LIP) == 0


def test_the_body_is_premultiplied() -> None:
    rgba = tongue_body().rgba
    assert rgba.min() >= 0
    assert (rgba[..., :3] <= rgba[..., 3:] + 1e-5).all()


def below_the_teeth(drawn: PortraitRenderer, photo: Portrait, **values: float) -> np.ndarray:
    """Returns the picture around the middle of the lower lip, and as far below."""
    x, y = photo.landmarks[14, :2] / 2
    width = photo.face_width / 2
    rows, columns = slice(round(y - 0.02 * width), round(y + 0.14 * width)), slice(round(x - 15), round(x + 16))
    return drawn.render(motion_from(values))[rows, columns].astype(int)


@pytest.mark.model
def test_a_photos_tongue_shows_between_teeth_and_lip_for_th(drawn_photo: PortraitRenderer, photo: Portrait) -> None:
    shut, open_ = (below_the_teeth(drawn_photo, photo, jawOpen=0.3, tongueOut=v) for v in (0.0, 0.2))
    changed = np.abs(open_ - shut).sum(axis=-1) > 45
    red = open_[..., 0] - open_[..., 1] > 40
    assert (changed & red).mean() > 0.1


@pytest.mark.model
def test_a_photos_tongue_hangs_over_the_lip_when_it_is_out(drawn_photo: PortraitRenderer, photo: Portrait) -> None:
    inside, out = (below_the_teeth(drawn_photo, photo, jawOpen=0.4, tongueOut=v) for v in (0.18, 1.0))
    reddened = (out[..., 0] - out[..., 1]) > (inside[..., 0] - inside[..., 1]) + 20
    assert reddened.mean() > 0.3
