from __future__ import annotations

import numpy as np

from avatar.render.margins import carried_on
from avatar.render.texture import pack

SIDE, MARGIN = 64, 20


def picture(opacity: np.ndarray) -> np.ndarray:
    rgb = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3))
    return pack((rgb * (opacity[..., None] / 255)).astype(np.uint8), opacity.astype(np.uint8))


def opacity_of(sheet: np.ndarray) -> np.ndarray:
    return (sheet >> np.uint32(24)).astype(int)


def test_without_a_margin_the_picture_is_itself() -> None:
    sheet = picture(np.full((SIDE, SIDE), 255))
    assert carried_on(sheet, 0) is sheet


def test_inside_the_picture_nothing_changes() -> None:
    sheet = picture(np.random.default_rng(1).integers(0, 256, (SIDE, SIDE)))
    np.testing.assert_array_equal(carried_on(sheet, MARGIN)[MARGIN:-MARGIN, MARGIN:-MARGIN], sheet)


def test_what_covers_the_whole_picture_goes_on_as_its_mirror_image() -> None:
    sheet = picture(np.full((SIDE, SIDE), 255))
    np.testing.assert_array_equal(carried_on(sheet, MARGIN), np.pad(sheet, MARGIN, "symmetric"))


def test_what_is_cut_off_between_two_corners_ends_in_a_bow() -> None:
    opacity = np.zeros((SIDE, SIDE))
    opacity[:30, 12:52] = 255
    top = opacity_of(carried_on(picture(opacity), MARGIN))[:MARGIN, MARGIN:-MARGIN]
    heights = (top > 127).sum(0)
    assert heights[31] == heights.max() == 6
    assert 0 < heights[14] < heights[31]
    assert not heights[:12].any()
    assert not heights[52:].any()


def test_what_is_cut_off_at_a_corner_goes_on_to_the_end() -> None:
    opacity = np.zeros((SIDE, SIDE))
    opacity[40:, :20] = 255
    bottom = opacity_of(carried_on(picture(opacity), MARGIN))[-MARGIN:, MARGIN:-MARGIN]
    assert (bottom[:, :20] == 255).all()
    assert not bottom[:, 20:].any()


def test_colours_fade_with_their_opacity() -> None:
    opacity = np.zeros((SIDE, SIDE))
    opacity[:30, 12:52] = 255
    drawn = carried_on(picture(opacity), MARGIN).view(np.uint8).reshape(SIDE + 2 * MARGIN, SIDE + 2 * MARGIN, 4)
    assert (drawn[..., :3].max(-1) <= drawn[..., 3]).all()
