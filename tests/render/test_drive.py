from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.motion.layout import INDEX, N_MOTION, motion_from
from avatar.render.drive import Driver

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait


@pytest.fixture
def driver(portrait: Portrait) -> Driver:
    return Driver(portrait.head)


def test_rest_asks_for_nothing(driver: Driver) -> None:
    drive = driver.drive(np.zeros(N_MOTION, np.float32))
    assert not drive.units.any()
    np.testing.assert_allclose(drive.turn, np.eye(3))
    assert drive.gaze == ((0, 0), (0, 0))


def test_both_eyes_look_to_the_pictures_right_when_the_left_one_looks_out(driver: Driver) -> None:
    drive = driver.drive(motion_from({"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5}))
    assert drive.gaze == ((0.5, 0), (0.5, 0))


def test_a_closed_eye_does_not_squint_or_follow_the_gaze(driver: Driver) -> None:
    drive = driver.drive(motion_from({"eyeBlinkLeft": 1, "eyeSquintLeft": 1, "eyeLookDownLeft": 1}))
    assert drive.units[INDEX["eyeSquintLeft"]] == 0
    assert drive.units[INDEX["eyeLookDownLeft"]] == 0


def test_coefficients_beyond_their_range_are_clipped(driver: Driver) -> None:
    drive = driver.drive(motion_from({"jawOpen": 1.7, "mouthClose": -0.4}))
    assert drive.units[INDEX["jawOpen"]] == 1
    assert drive.units[INDEX["mouthClose"]] == 0


def smiling(portrait: Portrait, residual: float = 0.008, *, relaxed: bool = False) -> Driver:
    expression = np.zeros(52, np.float32)
    expression[INDEX["mouthSmileLeft"]] = 0.6
    return Driver(replace(portrait.head, expression=expression, residual=residual), relaxed=relaxed)


def test_a_relaxed_face_rests_with_a_gentle_smile_and_still_smiles_as_broadly(portrait: Portrait) -> None:
    driver = smiling(portrait, relaxed=True)
    smiles = [
        float(driver.drive(motion_from({"mouthSmileLeft": wanted})).units[INDEX["mouthSmileLeft"]])
        for wanted in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert smiles[0] == pytest.approx(0.15 - 0.6)
    assert smiles[-1] == pytest.approx(0.4)
    np.testing.assert_allclose(np.diff(smiles), 0.2125, rtol=1e-5)
    assert driver.drive(motion_from({"mouthPucker": 1})).units[INDEX["mouthSmileLeft"]] == pytest.approx(-0.48)
    assert driver.drive(motion_from({"mouthSmileLeft": -0.3})).units[INDEX["mouthSmileLeft"]] == pytest.approx(-0.45)
    assert driver.drive(motion_from({"mouthSmileLeft": -0.6})).units[INDEX["mouthSmileLeft"]] == pytest.approx(-0.6)


def test_a_face_whose_expression_is_not_known_rests_as_it_is(portrait: Portrait) -> None:
    assert not smiling(portrait, 0.02, relaxed=True).drive(np.zeros(N_MOTION, np.float32)).units.any()


def test_a_photo_that_smiles_has_only_the_rest_of_the_smile_to_give(portrait: Portrait) -> None:
    drive = smiling(portrait).drive(motion_from({"mouthSmileLeft": 1, "mouthSmileRight": 1}))
    assert drive.units[INDEX["mouthSmileLeft"]] == pytest.approx(0.4)
    assert drive.units[INDEX["mouthSmileRight"]] == 1


def test_rounded_lips_take_the_photos_smile_back(portrait: Portrait) -> None:
    assert smiling(portrait).drive(motion_from({"mouthPucker": 1})).units[INDEX["mouthSmileLeft"]] < -0.3


def test_a_frown_takes_the_photos_smile_back(portrait: Portrait) -> None:
    frown = motion_from({"mouthFrownLeft": 1, "mouthFrownRight": 1})
    assert smiling(portrait).drive(frown).units[INDEX["mouthSmileLeft"]] < -0.3


def test_an_expression_from_a_poor_fit_is_not_believed(portrait: Portrait) -> None:
    drive = smiling(portrait, residual=0.02).drive(motion_from({"mouthSmileLeft": 1}))
    assert drive.units[INDEX["mouthSmileLeft"]] == 1


def test_a_funnel_is_partly_a_pucker_and_rounds_the_lips(driver: Driver) -> None:
    drive = driver.drive(motion_from({"mouthFunnel": 0.5}))
    assert 0 < drive.units[INDEX["mouthPucker"]] < drive.units[INDEX["mouthFunnel"]] < 0.5
    assert drive.rounding == pytest.approx(0.5)


def test_what_is_below_rest_takes_off_expressions_and_parts_lips_but_never_opens_eyes(driver: Driver) -> None:
    drive = driver.drive(motion_from({"jawOpen": -0.3, "mouthClose": -0.8, "eyeBlinkLeft": -0.5, "tongueOut": -0.5}))
    assert drive.units[INDEX["jawOpen"]] == pytest.approx(-0.3)
    assert drive.parted == pytest.approx(0.8)
    assert drive.units[INDEX["mouthClose"]] == 0
    assert drive.units[INDEX["eyeBlinkLeft"]] == 0
    assert drive.tongue == 0


def test_what_presses_open_lips_together_is_taken_off_only_a_little(driver: Driver) -> None:
    drive = driver.drive(motion_from({"mouthClose": -1.2}))
    assert drive.parted == 1
    assert drive.units[INDEX["mouthClose"]] == pytest.approx(-0.2)
    assert driver.drive(motion_from({"mouthClose": -2})).units[INDEX["mouthClose"]] == pytest.approx(-0.3)


def test_lips_that_the_photo_closes_are_opened_by_the_jaw_alone(portrait: Portrait) -> None:
    drive = Driver(portrait.head, parts=False).drive(motion_from({"mouthClose": -1}))
    assert drive.units[INDEX["mouthClose"]] == 0
    assert drive.parted == 0


def test_a_tongue_that_is_out_opens_a_shut_mouth_and_one_between_the_teeth_does_not(driver: Driver) -> None:
    jaws = [driver.drive(motion_from({"tongueOut": out})).units[INDEX["jawOpen"]] for out in (0.15, 0.3, 0.6, 1.0)]
    assert jaws[0] == 0
    assert 0 < jaws[1] < jaws[2] == jaws[3] < 0.3
    wide = driver.drive(motion_from({"tongueOut": 1.0, "jawOpen": 0.7}))
    assert wide.units[INDEX["jawOpen"]] == pytest.approx(0.7, abs=0.01)
