from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from avatar.motion.layout import N_MOTION, motion_from
from avatar.portrait.landmarks import LandmarkModel, Landmarks
from avatar.portrait.setup import load_portrait
from avatar.portrait.topology import LIP_INNER_LOWER, OVAL
from avatar.render.renderer import PortraitRenderer
from avatar.render.topology import NOSE_TIP
from tests.render.conftest import ROOM

if TYPE_CHECKING:
    from avatar.portrait.types import Portrait

SIZE = 256
REST = np.zeros(N_MOTION, np.float32)
BUSY = motion_from({"jawOpen": 0.5, "mouthSmileLeft": 0.6, "eyeBlinkRight": 0.4, "yaw": 0.15, "roll": -0.1, "x": 0.1})


@pytest.fixture(scope="session")
def renderer(portrait: Portrait) -> PortraitRenderer:
    return PortraitRenderer(portrait, SIZE)


def picture_of(portrait: Portrait, size: int) -> np.ndarray:
    return cv2.resize(portrait.rgb, (size, size), interpolation=cv2.INTER_LINEAR)


def region(portrait: Portrait, size: int, indices: tuple[int, ...]) -> tuple[slice, slice]:
    places = (portrait.landmarks[list(indices), :2] + 0.5) * size / portrait.rgb.shape[0]
    (x0, y0), (x1, y1) = np.floor(places.min(0)).astype(int), np.ceil(places.max(0)).astype(int)
    return slice(y0, y1 + 1), slice(x0, x1 + 1)


def test_at_rest_the_picture_is_the_portrait(portrait: Portrait, renderer: PortraitRenderer) -> None:
    assert cv2.PSNR(renderer.render(REST), picture_of(portrait, SIZE)) > 38


def test_the_same_motion_gives_the_same_bytes(renderer: PortraitRenderer) -> None:
    first = renderer.render(BUSY)
    renderer.render(motion_from({"jawOpen": 1, "yaw": -0.3}))
    np.testing.assert_array_equal(renderer.render(BUSY), first)


def test_two_threads_draw_the_same_bytes_as_one(portrait: Portrait, renderer: PortraitRenderer) -> None:
    pair = PortraitRenderer(portrait, SIZE, threads=2)
    np.testing.assert_array_equal(pair.render(BUSY), renderer.render(BUSY))


def test_every_frame_is_a_picture_of_its_own(renderer: PortraitRenderer) -> None:
    first = renderer.render(REST)
    kept = first.copy()
    renderer.render(BUSY)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("size", [192, 256, 500, 768])
def test_pictures_have_the_size_asked_for(portrait: Portrait, size: int) -> None:
    renderer = PortraitRenderer(portrait, size)
    picture = renderer.render(BUSY)
    assert picture.shape == (*renderer.size, 3) == (size, size, 3)
    assert picture.dtype == np.uint8
    assert cv2.PSNR(renderer.render(REST), picture_of(portrait, size)) > 38


def test_an_opening_jaw_shows_the_dark_inside_of_the_mouth(portrait: Portrait, renderer: PortraitRenderer) -> None:
    rows, columns = region(portrait, SIZE, LIP_INNER_LOWER)
    below = slice(rows.start, rows.stop + 14)
    dark = [(renderer.render(motion_from({"jawOpen": v}))[below, columns].sum(-1) < 200).mean() for v in (0, 0.5, 1)]
    assert dark[0] < dark[1] < dark[2]
    assert dark[2] > 0.2


def test_lips_pressed_shut_under_a_dropped_jaw_hide_the_mouth(portrait: Portrait, renderer: PortraitRenderer) -> None:
    rows, columns = region(portrait, SIZE, LIP_INNER_LOWER)
    below = slice(rows.start, rows.stop + 14)
    shut = renderer.render(motion_from({"jawOpen": 0.4, "mouthClose": 0.4}))[below, columns]
    wide = renderer.render(motion_from({"jawOpen": 0.4}))[below, columns]
    rest = renderer.render(REST)[below, columns]
    assert (shut.sum(-1) < 200).mean() < (rest.sum(-1) < 200).mean() + 0.03
    assert (wide.sum(-1) < 200).mean() > (rest.sum(-1) < 200).mean() + 0.08


def test_a_blink_hides_iris_and_white(portrait: Portrait, renderer: PortraitRenderer) -> None:
    iris = (portrait.irises[0].centre + 0.5) * SIZE / portrait.rgb.shape[0]
    x, y = iris.round().astype(int)
    skin = renderer.render(motion_from({"eyeBlinkRight": 1}))[y - 3 : y, x - 1 : x + 2].mean((0, 1))
    assert skin[0] > 150
    assert renderer.render(REST)[y - 1 : y + 2, x - 1 : x + 2].mean() < 110


def test_the_iris_follows_the_gaze(portrait: Portrait, renderer: PortraitRenderer) -> None:
    x, y = ((portrait.irises[0].centre + 0.5) * SIZE / portrait.rgb.shape[0]).round().astype(int)

    def middle(**values: float) -> float:
        eye = renderer.render(motion_from(values))[y - 2 : y + 3, x - 8 : x + 9].astype(float).sum(-1).mean(0)
        dark = np.clip(500 - eye, 0, None)
        return float(dark @ np.arange(len(dark)) / dark.sum())

    assert middle(eyeLookInRight=0.8) > middle() + 0.7
    assert middle(eyeLookOutRight=0.8) < middle() - 0.7


def test_a_head_turned_too_far_stops_where_the_picture_ends(renderer: PortraitRenderer) -> None:
    far, farther = (renderer.render(motion_from({"yaw": yaw})) for yaw in (1.2, 1.5))
    np.testing.assert_array_equal(far, farther)


def test_pixels_far_from_the_person_stay_still(renderer: PortraitRenderer) -> None:
    rest, moved = (
        renderer.render(REST),
        renderer.render(motion_from({"yaw": 0.3, "pitch": 0.15, "x": 0.2, "jawOpen": 1})),
    )
    for corner in ((slice(0, 60), slice(0, 40)), (slice(0, 60), slice(-40, None)), (slice(-30, None), slice(0, 40))):
        np.testing.assert_array_equal(moved[corner], rest[corner])


@pytest.fixture(scope="session")
def cut_out(portrait: Portrait) -> Portrait:
    room = np.full_like(portrait.rgb, ROOM)
    seen = cv2.dilate((portrait.person > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return replace(portrait, behind=np.where(seen[..., None], room, portrait.rgb))


@pytest.fixture(scope="session")
def cut_out_renderer(cut_out: Portrait) -> PortraitRenderer:
    return PortraitRenderer(cut_out, SIZE)


def test_before_a_known_room_the_picture_at_rest_is_the_portrait(
    portrait: Portrait, cut_out_renderer: PortraitRenderer
) -> None:
    assert cv2.PSNR(cut_out_renderer.render(REST), picture_of(portrait, SIZE)) > 38


def test_a_head_that_hardly_moves_hardly_changes_the_picture(cut_out_renderer: PortraitRenderer) -> None:
    moved = cut_out_renderer.render(motion_from({"x": 0.0005})).astype(int)
    assert np.abs(moved - cut_out_renderer.render(REST)).mean() < 0.6


def test_a_known_room_stays_still_right_up_to_the_head(cut_out: Portrait, cut_out_renderer: PortraitRenderer) -> None:
    turned = cut_out_renderer.render(motion_from({"roll": 0.2, "yaw": 0.2})).astype(int)
    rest = cut_out_renderer.render(REST).astype(int)
    person = cv2.resize(cut_out.person, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    upper = slice(0, SIZE // 2)
    room = cv2.dilate((person > 0).astype(np.uint8), np.ones((45, 45), np.uint8))[upper] == 0
    assert room.mean() > 0.1
    np.testing.assert_array_equal(turned[upper][room], rest[upper][room])
    uncovered = (person[upper] > 0.9) & (np.abs(turned[upper] - ROOM).max(-1) < 16)
    assert uncovered.sum() > 30


def test_before_a_known_room_two_threads_draw_the_same_bytes_as_one(
    cut_out: Portrait, cut_out_renderer: PortraitRenderer
) -> None:
    pair = PortraitRenderer(cut_out, SIZE, threads=2)
    np.testing.assert_array_equal(pair.render(BUSY), cut_out_renderer.render(BUSY))


def test_memory_stays_flat_over_many_frames(renderer: PortraitRenderer) -> None:
    motion = np.random.default_rng(1).uniform(0, 0.6, (40, N_MOTION)).astype(np.float32)
    motion[:, 52:] -= 0.3
    held: list[int] = []
    tracemalloc.start()
    try:
        for _ in range(6):
            for frame in motion:
                renderer.render(frame)
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[-1] - held[1] < 100_000  # 160 frames; a picture is 196 608 bytes


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    units=arrays(np.float32, 52, elements=st.floats(0, 1, width=32)),
    turn=arrays(np.float32, 3, elements=st.floats(-0.5, 0.5, width=32)),
    shift=arrays(np.float32, 3, elements=st.floats(-0.5, 0.5, width=32)),
)
def test_any_motion_gives_a_picture_that_keeps_its_corners(
    renderer: PortraitRenderer, units: np.ndarray, turn: np.ndarray, shift: np.ndarray
) -> None:
    picture = renderer.render(np.concatenate([units, turn, shift]))
    assert picture.shape == (SIZE, SIZE, 3)
    np.testing.assert_allclose(picture[0].astype(int), renderer.render(REST)[0], atol=2)


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory: pytest.TempPathFactory) -> Portrait:
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    cv2.imwrite(str(path), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
    return load_portrait(path, note=lambda _: None)


@pytest.fixture(scope="module")
def photo_renderer(astronaut: Portrait) -> PortraitRenderer:
    return PortraitRenderer(astronaut, 512)


@pytest.fixture(scope="module")
def landmark_model() -> LandmarkModel:
    return LandmarkModel()


def seen(model: LandmarkModel, picture: np.ndarray) -> Landmarks:
    found = model.landmarks(picture)
    assert found is not None
    return found


def lip_gap(face: Landmarks) -> float:
    points = face.points
    return float(np.linalg.norm(points[13, :2] - points[14, :2]) / np.ptp(points[list(OVAL), 0]))


def lid_gap(face: Landmarks) -> float:
    points = face.points
    return float(np.mean([points[145, 1] - points[159, 1], points[374, 1] - points[386, 1]]) / np.ptp(points[:, 0]))


@pytest.mark.model
def test_the_upper_face_of_a_photo_is_kept_at_rest(astronaut: Portrait, photo_renderer: PortraitRenderer) -> None:
    rows, columns = region(astronaut, 512, (*OVAL[:6], 1, *OVAL[-6:]))
    drawn, photo = photo_renderer.render(REST)[rows, columns], picture_of(astronaut, 512)[rows, columns]
    assert cv2.PSNR(np.ascontiguousarray(drawn), np.ascontiguousarray(photo)) > 38


@pytest.mark.model
def test_a_toothy_photo_rests_with_its_lips_closed(
    astronaut: Portrait, photo_renderer: PortraitRenderer, landmark_model: LandmarkModel
) -> None:
    assert lip_gap(seen(landmark_model, picture_of(astronaut, 512))) > 0.03
    assert lip_gap(seen(landmark_model, photo_renderer.render(REST))) < 0.025


@pytest.mark.model
def test_the_landmark_model_sees_the_jaw_open_and_mouth_close_cancel_it(
    photo_renderer: PortraitRenderer, landmark_model: LandmarkModel
) -> None:
    def gap(**values: float) -> float:
        return lip_gap(seen(landmark_model, photo_renderer.render(motion_from(values))))

    rest, half, full = gap(), gap(jawOpen=0.4), gap(jawOpen=0.8)
    assert rest + 0.04 < half < full - 0.04
    assert gap(jawOpen=0.3, mouthClose=0.3) < rest + 0.02


@pytest.mark.model
def test_the_landmark_model_sees_the_eyes_close(
    photo_renderer: PortraitRenderer, landmark_model: LandmarkModel
) -> None:
    opened = lid_gap(seen(landmark_model, photo_renderer.render(REST)))
    shut = motion_from({"eyeBlinkLeft": 1, "eyeBlinkRight": 1})
    assert lid_gap(seen(landmark_model, photo_renderer.render(shut))) < 0.65 * opened


@pytest.mark.model
def test_the_landmark_model_sees_the_head_turn_right(
    photo_renderer: PortraitRenderer, landmark_model: LandmarkModel
) -> None:
    def lean(yaw: float) -> float:
        points = seen(landmark_model, photo_renderer.render(motion_from({"yaw": yaw}))).points
        left, right = points[234, 0], points[454, 0]
        return float((points[NOSE_TIP, 0] - left) / (right - left))

    assert lean(-0.2) < lean(0.0) - 0.06 < lean(0.2) - 0.12
