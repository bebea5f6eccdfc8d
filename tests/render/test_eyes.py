from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from avatar.motion.layout import motion_from
from avatar.render.renderer import PortraitRenderer
from avatar.render.topology import EYES

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

ASIDE = {"eyeLookOutLeft": 0.7, "eyeLookInRight": 0.7}


def eye(drawn: PortraitRenderer, photo: Portrait, **values: float) -> np.ndarray:
    """Returns the luminance around the person's left iris, (31, 61)."""
    x, y = (photo.irises[1].centre / 2).round().astype(int)
    return drawn.render(motion_from(values))[y - 15 : y + 16, x - 30 : x + 31].astype(float).mean(-1)


def test_a_drawn_iris_larger_than_measured_leaves_nothing_in_the_white(portrait: Portrait) -> None:
    rgb, irises = portrait.rgb.copy(), portrait.irises
    for eye, iris in zip(EYES, irises, strict=True):
        ball, outline = rgb.copy(), portrait.landmarks[[*eye.upper, *eye.lower[::-1]], :2]
        inside = cv2.fillPoly(np.zeros(rgb.shape[:2], np.uint8), [outline.round().astype(np.int32)], (1,)) > 0
        cv2.circle(ball, tuple(int(v) for v in iris.centre), round(1.7 * iris.radius), (150, 205, 250), -1, cv2.LINE_AA)
        rgb[inside] = ball[inside]
    drawn = PortraitRenderer(replace(portrait, rgb=rgb), len(rgb))
    picture = drawn.render(motion_from({"eyeLookOutLeft": 1, "eyeLookInRight": 1})).astype(int)
    x, y = (irises[1].centre - [1.25 * irises[1].radius, 0]).round().astype(int)
    uncovered = picture[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).mean(0)
    assert uncovered[2] - uncovered[0] < 30


@pytest.mark.model
def test_a_photos_iris_moves_with_the_gaze(drawn_photo: PortraitRenderer, photo: Portrait) -> None:
    columns = np.arange(61)

    def dark_middle(picture: np.ndarray) -> float:
        dark = np.clip(90 - picture[11:20], 0, None).sum(0)
        return float(dark @ columns / dark.sum())

    ahead, aside = (eye(drawn_photo, photo, **values) for values in ({}, ASIDE))
    radius = photo.irises[1].radius / 2
    assert 0.4 * radius < dark_middle(aside) - dark_middle(ahead) < 1.2 * radius


@pytest.mark.model
def test_a_photos_catch_light_moves_less_than_its_iris(drawn_photo: PortraitRenderer, photo: Portrait) -> None:
    ahead, aside = (eye(drawn_photo, photo, **values) for values in ({}, ASIDE))
    radius = photo.irises[1].radius / 2
    near = slice(round(30 - 0.8 * radius), round(30 + 1.4 * radius))
    brightest = [
        np.unravel_index(picture[11:19, near].argmax(), picture[11:19, near].shape)[1] for picture in (ahead, aside)
    ]
    assert abs(int(brightest[1]) - int(brightest[0])) < 0.6 * radius


@pytest.mark.model
def test_a_photos_eye_is_its_own_while_it_looks_ahead(drawn_photo: PortraitRenderer, photo: Portrait) -> None:
    x, y = (photo.irises[1].centre / 2).round().astype(int)
    seen = eye(drawn_photo, photo)[12:19, 24:37]
    own = photo.rgb[2 * y - 30 : 2 * y + 32, 2 * x - 60 : 2 * x + 62].astype(float).mean(-1)
    own = own.reshape(31, 2, 61, 2).mean((1, 3))[12:19, 24:37]
    assert np.abs(seen - own).mean() < 8
