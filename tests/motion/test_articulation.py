from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.articulation import CLOSED_GAP, lip_gap, seal_lips
from avatar.motion.layout import INDEX, motion_from, neutral

OPEN = motion_from(
    {"jawOpen": 0.6, "mouthClose": 0.1, "mouthFunnel": 0.4, "mouthUpperUpLeft": 0.3, "mouthLowerDownRight": 0.5}
)


def channel(*values):
    return np.float32(values)


def test_a_full_closure_seals_an_open_mouth():
    sealed = seal_lips(OPEN[None], channel(0.8), channel(0))
    assert lip_gap(sealed)[0] < 0
    assert sealed[0, INDEX["mouthClose"]] == pytest.approx(sealed[0, INDEX["jawOpen"]])
    assert sealed[0, INDEX["mouthPressLeft"]] > 0.2


def test_without_closure_and_tuck_motion_is_untouched():
    np.testing.assert_array_equal(seal_lips(OPEN[None], channel(0.1), channel(0.1))[0], OPEN)


def test_the_gap_shrinks_as_closure_grows():
    closure = np.linspace(0, 1, 21, dtype=np.float32)
    gaps = lip_gap(seal_lips(np.tile(OPEN, (21, 1)), closure, np.zeros(21, np.float32)))
    assert (np.diff(gaps) <= 1e-6).all()
    assert gaps[0] > 0.2
    assert gaps[-1] < CLOSED_GAP


def test_a_tucked_lip_rolls_in_under_a_narrow_opening():
    tucked = seal_lips(OPEN[None], channel(0), channel(1))
    assert tucked[0, INDEX["mouthRollLower"]] >= 0.5
    assert tucked[0, INDEX["mouthLowerDownRight"]] == 0
    assert 0 < lip_gap(tucked)[0] < 0.5 * lip_gap(OPEN)


def test_sealing_is_memoryless_so_chunks_join():
    random = np.random.default_rng(0)
    motion = random.uniform(0, 1, (30, 58)).astype(np.float32)
    closure, tuck = random.uniform(0, 1, (2, 30)).astype(np.float32)
    whole = seal_lips(motion, closure, tuck)
    parts = [seal_lips(motion[a:b], closure[a:b], tuck[a:b]) for a, b in ((0, 4), (4, 17), (17, 30))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_mouth_at_rest_is_closed():
    assert lip_gap(neutral(1))[0] < CLOSED_GAP
    assert lip_gap(motion_from({"jawOpen": 0.1})) > CLOSED_GAP
