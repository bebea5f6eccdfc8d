from __future__ import annotations

import numpy as np
import pytest

from avatar.render.teeth import lower_teeth, upper_teeth


@pytest.mark.parametrize("patch", [upper_teeth(), lower_teeth()])
def test_colours_are_premultiplied(patch) -> None:
    assert patch.rgba.min() >= 0
    assert (patch.rgba[..., :3] <= patch.rgba[..., 3:] + 1e-5).all()


def test_upper_teeth_end_at_their_biting_edge() -> None:
    patch = upper_teeth()
    column, row = (int(v) for v in patch.origin)
    assert patch.rgba[row - 20, column + 12, 3] > 0.95
    assert patch.rgba[row + 12, column + 12, 3] < 0.05


def test_a_resized_patch_keeps_its_measures() -> None:
    patch = upper_teeth()
    small = patch.resized(patch.scale / 2)
    assert small.rgba[..., 3].sum() * 4 == pytest.approx(patch.rgba[..., 3].sum(), rel=0.02)
    columns = np.arange(small.rgba.shape[1])
    middle = (small.rgba[..., 3].sum(0) @ columns) / small.rgba[..., 3].sum()
    assert middle == pytest.approx(small.origin[0], abs=0.3)


def test_a_black_and_white_portrait_gets_grey_teeth() -> None:
    rgba = upper_teeth().coloured(np.array([0.5, 0.5, 0.5]), saturation=0).rgba
    np.testing.assert_allclose(rgba[..., 0], rgba[..., 2], atol=1e-6)
    assert rgba[..., :3].max() < 0.5
