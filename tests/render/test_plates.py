from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from avatar.render.plates import plates_of

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait


def test_without_a_known_room_the_whole_portrait_is_on_the_sheet(portrait: Portrait) -> None:
    plates = plates_of(portrait, 192)
    assert plates.behind is None
    assert (plates.sheet >> np.uint32(24)).min() == 255
    assert plates.resting.shape == (192, 192, 3)


def test_the_person_laid_over_the_room_gives_the_photo_back(portrait: Portrait) -> None:
    room = np.random.default_rng(4).integers(60, 200, portrait.rgb.shape).astype(np.uint8)
    soft = replace(portrait, behind=room, person=(0.7 * portrait.person).astype(np.float32))
    plates = plates_of(soft, 192)
    opacity = (plates.sheet >> np.uint32(24)).astype(float)[..., None] / 255
    colour = np.stack([(plates.sheet >> np.uint32(shift)) & np.uint32(255) for shift in (0, 8, 16)], -1)
    np.testing.assert_allclose(colour + (1 - opacity) * room, portrait.rgb, atol=1.01)


def test_where_photo_and_room_agree_the_sheet_is_clear(portrait: Portrait) -> None:
    known = replace(portrait, behind=portrait.rgb.copy(), person=np.zeros_like(portrait.person))
    np.testing.assert_array_equal(plates_of(known, 192).sheet, 0)


def test_what_moves_with_the_head_is_the_person_even_where_the_matte_leaves_it_out(portrait: Portrait) -> None:
    behind = np.full_like(portrait.rgb, 128)
    portrait = replace(portrait, behind=behind, person=np.zeros_like(portrait.person))
    person = plates_of(portrait, 192).person
    differs = np.abs(portrait.rgb.astype(int) - behind).max(-1) > 80
    seen = cv2.resize(differs.astype(np.float32), (192, 192), interpolation=cv2.INTER_AREA) > 0.99
    assert seen.any()
    assert person[seen].min() > 0.6
