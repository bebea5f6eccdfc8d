from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.render.face import face_of, resized, smoothstep

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait


def test_the_face_has_the_same_share_of_the_picture_at_any_size(portrait: Portrait) -> None:
    small, large = face_of(portrait, 128), face_of(portrait, 512)
    assert small.width / 128 == pytest.approx(large.width / 512)
    np.testing.assert_allclose((small.points[:, 0] + 0.5) / 128, (large.points[:, 0] + 0.5) / 512, atol=1e-6)
    np.testing.assert_allclose(small.deltas * 4, large.deltas, atol=1e-6)


def test_a_portrait_resized_carries_its_measures_along(portrait: Portrait) -> None:
    half = resized(portrait, portrait.rgb.shape[0] // 2)
    assert half.rgb.shape[0] * 2 == portrait.rgb.shape[0]
    assert half.irises[0].radius * 2 == pytest.approx(portrait.irises[0].radius)
    np.testing.assert_allclose(half.landmarks[:, :2] * 2 + 0.5, portrait.landmarks[:, :2], atol=1e-3)
    np.testing.assert_allclose(half.landmarks[:, 2] * 2, portrait.landmarks[:, 2], atol=1e-3)


def test_the_drawn_face_has_closed_lips(portrait: Portrait) -> None:
    assert face_of(portrait, 256).mouth_closed


def test_smoothstep_rises_from_nothing_to_one() -> None:
    np.testing.assert_allclose(smoothstep(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])), [0, 0, 0.5, 1, 1])
