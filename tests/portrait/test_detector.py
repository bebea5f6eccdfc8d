from __future__ import annotations

import numpy as np
import pytest

from avatar.portrait.detector import Detector, anchors, blend


@pytest.fixture(scope="module")
def detector():
    return Detector()


def test_anchors_of_one_stride_stand_together_cell_by_cell():
    places = anchors(128, (8, 16, 16, 16))
    assert places.shape == (896, 2)
    np.testing.assert_allclose(places[:3], [[0.03125, 0.03125], [0.03125, 0.03125], [0.09375, 0.03125]])
    np.testing.assert_allclose(places[512:518], np.full((6, 2), 0.0625))


def test_overlapping_boxes_become_one_and_far_ones_stay():
    boxes = np.array([[0, 0, 10, 10], [2, 0, 12, 10], [50, 50, 60, 60]], np.float32)
    found = blend(boxes, np.zeros((3, 6, 2), np.float32), np.array([0.6, 0.9, 0.7], np.float32))
    assert len(found) == 2
    np.testing.assert_allclose(found[0].box, [1.2, 0, 11.2, 10], rtol=1e-5)
    assert found[0].score == pytest.approx(0.9)
    np.testing.assert_allclose(found[1].box, boxes[2])


@pytest.mark.model
def test_the_astronauts_face_is_found_once(detector, astronaut):
    (face,) = detector(astronaut)
    middle = (face.box[:2] + face.box[2:]) / 2
    np.testing.assert_allclose(middle, [223, 120], atol=12)
    assert 70 < face.width < 120
    right_eye, left_eye, nose, mouth = face.keypoints[:4]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < mouth[1]


@pytest.mark.model
def test_two_faces_of_different_size_are_found_largest_first(detector, astronaut):
    picture = np.full((600, 900, 3), 128, np.uint8)
    picture[40:552, :512] = astronaut
    picture[300:500, 640:840] = astronaut[20:220, 120:320]
    picture[300:556, 600:856] = np.repeat(np.repeat(astronaut[60:188, 160:288], 2, 0), 2, 1)
    faces = detector(picture)
    assert len(faces) == 2
    assert faces[0].width > 1.5 * faces[1].width
    assert faces[0].box[0] > 600


@pytest.mark.model
def test_a_picture_without_a_face_has_none(detector, rng):
    assert detector(rng.integers(0, 255, (200, 300, 3), np.uint8)) == []
    assert detector(np.full((90, 60, 3), 128, np.uint8)) == []
