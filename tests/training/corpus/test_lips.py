from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.motion.layout import INDEX
from avatar.training.corpus.lip_targets import LIP_TARGETS
from avatar.training.corpus.lips import contact, lip_curves, to_coefficients
from avatar.training.corpus.phones import BILABIALS, PAUSE, Phone
from avatar.types import FRAME_RATE


def spoken(*names_and_lengths: tuple[str, float], start: float = 1.0) -> list[Phone]:
    phones: list[Phone] = []
    for name, length in names_and_lengths:
        phones.append(Phone(name, start, start + length))
        start += length
    return phones


def frame(seconds: float) -> int:
    return int(seconds * FRAME_RATE)


@given(start=st.floats(0.2, 1.0), length=st.floats(0.03, 0.2), name=st.sampled_from(sorted(BILABIALS)))
def test_a_bilabial_closes_the_lips_inside_its_phone_for_one_to_three_frames(
    start: float, length: float, name: str
) -> None:
    channel = contact([Phone("a", 0.0, start), Phone(name, start, start + length)], BILABIALS, 60)
    times = (np.flatnonzero(channel > 0.99) + 0.5) / FRAME_RATE
    assert 1 <= len(times) <= 3
    assert times.min() > start - 0.5 / FRAME_RATE - 0.01
    assert times.max() < start + length + 0.5 / FRAME_RATE + 0.01
    assert np.abs(np.diff(channel)).max() < 1.01


def test_open_vowels_open_the_mouth_and_bilabials_only_narrow_it() -> None:
    curves = lip_curves(spoken(("m", 0.08), ("a", 0.2), ("m", 0.08), ("a", 0.2)), 75)
    assert curves.openness[frame(1.14)] > 0.5
    assert 0.1 < curves.openness[frame(1.32)] < 0.5
    assert curves.closure[frame(1.31)] > 0.5
    jaw = to_coefficients(curves, np.ones(75, np.float32))[:, INDEX["jawOpen"]]
    assert 0.25 < jaw.max() < 0.5


def test_tongue_consonants_leave_the_lips_to_the_vowels() -> None:
    curves = lip_curves(spoken(("u", 0.15), ("t", 0.06), ("u", 0.15)), 75)
    assert curves.width[frame(1.18)] < -0.8


def test_rounding_is_seen_before_its_vowel_sounds() -> None:
    phones = spoken(("i", 0.15), ("s", 0.1), ("t", 0.08), ("u", 0.2))
    flat = spoken(("i", 0.15), ("s", 0.1), ("t", 0.08), ("i", 0.2))
    early = slice(frame(1.33 - 0.16), frame(1.33))
    rounded, spread = lip_curves(phones, 75).width, lip_curves(flat, 75).width
    assert (spread[early] - rounded[early]).min() > 0.15
    assert rounded[frame(1.43)] < -0.8


def test_lips_close_when_silence_lasts_0_7_seconds() -> None:
    phones = [*spoken(("a", 0.3)), *spoken(("a", 0.3), start=3.0)]
    curves = lip_curves(phones, 100)
    motion = to_coefficients(curves, np.ones(100, np.float32))
    silent = slice(frame(1.3 + 0.7), frame(3.0 - 0.25))
    assert np.abs(motion[silent]).max() < 0.01
    assert np.abs(motion[: frame(0.74)]).max() < 0.01


def test_lips_stay_relaxed_in_a_short_pause() -> None:
    phones = [*spoken(("a", 0.3)), Phone(PAUSE, 1.3, 1.6), *spoken(("a", 0.3), start=1.6)]
    curves = lip_curves(phones, 75)
    pause = curves.openness[frame(1.32) : frame(1.58)]
    assert pause.min() > 0.25
    assert pause.min() < 0.6


def test_a_track_without_phones_leaves_the_mouth_at_rest() -> None:
    curves = lip_curves([], 50)
    assert not to_coefficients(curves, np.ones(50, np.float32)).any()
    assert not curves.closure.any()


def test_lip_amplitude_scales_the_opening_and_not_the_contact() -> None:
    curves = lip_curves(spoken(("b", 0.08), ("a", 0.25), ("f", 0.1)), 75)
    quiet = to_coefficients(curves, np.full(75, 0.5, np.float32))
    loud = to_coefficients(curves, np.full(75, 1.5, np.float32))
    assert loud[:, INDEX["jawOpen"]].max() > 2.5 * quiet[:, INDEX["jawOpen"]].max()
    assert curves.closure.max() == pytest.approx(1.0)
    assert curves.tuck.max() == pytest.approx(1.0)


@pytest.mark.parametrize("name", sorted(set(LIP_TARGETS) - {PAUSE}))
def test_no_phone_moves_the_mouth_out_of_range(name: str) -> None:
    curves = lip_curves(spoken((name, 0.5)), 60)
    motion = to_coefficients(curves, np.full(60, 1.5, np.float32))
    assert motion.min() >= 0.0
    assert motion.max() <= 1.0
