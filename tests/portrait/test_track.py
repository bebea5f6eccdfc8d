from __future__ import annotations

import cv2
import numpy as np
import pytest

from avatar.errors import InputError
from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.portrait.landmarks import Landmarks
from avatar.portrait.track import follow_face, solve_motion, track_video
from tests.portrait.test_video import written

pytestmark = pytest.mark.model


def test_a_face_is_followed_lost_and_found_again(model, astronaut):
    gone = np.full_like(astronaut, 90)
    pictures = [np.roll(astronaut, 3 * k, axis=1) for k in range(4)] + [gone] * 2 + [np.roll(astronaut, 100, axis=1)]
    counted = []
    seen = follow_face(pictures, model, progress=counted.append)
    assert [landmarks is not None for landmarks in seen] == [True] * 4 + [False] * 2 + [True]
    xs = [landmarks.points[4, 0] for landmarks in seen if landmarks]
    np.testing.assert_allclose(np.diff(xs), [3, 3, 3, 91], atol=1.5)
    assert counted == [1, 2, 3, 4, 5, 6, 7]


@pytest.fixture(scope="module")
def solved(fitter, seen):
    """Twenty frames of the astronaut: the jaw opens in the middle, the head shifts, three frames show no face."""
    base = fitter.fit(seen.points)
    frames = []
    for k in range(20):
        expression = base.expression.copy()
        expression[INDEX["jawOpen"]] = 0.1 + (0.6 if 8 <= k < 12 else 0.0)
        points = base.pose.apply(fitter.shape(base.identity, expression)) * [1, -1, -1]
        points[:, 0] += 0.5 * k
        frames.append(None if k in (15, 16, 17) else Landmarks(points.astype(np.float32), 1.0, seen.irises))
    return solve_motion(fitter, frames)


def test_an_opening_jaw_is_read_off_the_landmarks(solved):
    jaw = solved.motion.coefficients[:, INDEX["jawOpen"]]
    assert jaw[9:11].min() - jaw[:7].max() > 0.4
    assert abs(jaw[:7] - 0.1).max() < 0.12


def test_frames_without_a_face_are_marked_and_at_rest(solved):
    assert solved.face.tolist() == [k not in (15, 16, 17) for k in range(20)]
    assert (solved.motion.coefficients[~solved.face] == 0).all()
    assert (solved.residual[~solved.face] == 0).all()
    assert solved.residual[solved.face].max() < 0.01


def test_the_pose_starts_at_rest_and_follows_the_head(solved):
    pose = solved.motion.coefficients[solved.face][:, N_BLENDSHAPES:]
    np.testing.assert_allclose(pose[0], 0, atol=0.03)
    assert pose[-1, 3] > pose[0, 3] + 0.1
    assert abs(pose[:, :3]).max() < 0.08


def test_a_video_without_a_face_is_refused(tmp_path):
    path = written(tmp_path / "wall.mp4", [90, 100, 110], 25)
    with pytest.raises(
        InputError, match=r"tracking wall\.mp4: expected a video that shows a face, got no frame with one"
    ):
        track_video(path)


def test_a_video_of_a_still_face_is_still(tmp_path, astronaut, fitter):
    path = tmp_path / "still.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (300, 300))
    for _ in range(6):
        writer.write(np.ascontiguousarray(astronaut[:300, 70:370, ::-1]))
    writer.release()
    tracked = track_video(path)
    assert tracked.face.all()
    assert len(tracked.motion.coefficients) == 6
    assert np.ptp(tracked.motion.coefficients[1:], axis=0).max() < 0.06
    assert tracked.motion.coefficients[:, INDEX["mouthSmileLeft"]].min() > 0.2
