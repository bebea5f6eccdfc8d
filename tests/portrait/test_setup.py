from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from avatar.errors import InputError
from avatar.portrait import setup, topology
from avatar.portrait.setup import default_portrait_path, load_portrait

pytestmark = pytest.mark.model


def silent(sentence):
    pytest.fail(f"unexpected note: {sentence}")


def saved(path, rgb):
    cv2.imwrite(str(path), rgb[..., ::-1])
    return path


@pytest.fixture(scope="module")
def portrait(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISAVIS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield load_portrait(default_portrait_path(), note=silent)


def test_the_default_portrait_is_measured_in_its_own_picture(portrait):
    assert portrait.rgb.shape == (1024, 1024, 3)
    assert portrait.person.shape == (1024, 1024)
    assert portrait.landmark_deltas.shape == (52, 468, 3)
    assert portrait.head.residual < 0.0125
    assert portrait.face_width == pytest.approx(setup.FACE_SHARE * 1024, rel=0.05)
    assert portrait.interpupillary == pytest.approx(0.45 * portrait.face_width, rel=0.1)
    oval = portrait.landmarks[list(topology.OVAL), :2]
    assert (oval > 150).all()
    assert (oval < 900).all()
    assert portrait.person[tuple(portrait.landmarks[4, 1::-1].astype(int))] == 1


def test_irises_are_dark_and_round_eyes_bright(portrait):
    grey = portrait.rgb.mean(-1)
    for iris in portrait.irises:
        x, y = iris.centre.astype(int)
        around = grey[y - 60 : y + 60, x - 60 : x + 60].mean()
        assert grey[y - 4 : y + 5, x - 4 : x + 5].mean() < around - 30


def test_a_cached_portrait_equals_a_fresh_one(cache, monkeypatch):
    fresh = load_portrait(default_portrait_path(), size=256, note=silent)
    assert len(list((cache / "portraits").iterdir())) == 1
    monkeypatch.setattr(setup, "_measure", None)
    again = load_portrait(default_portrait_path(), size=256, note=silent)
    for name in ("rgb", "landmarks", "landmark_deltas", "person"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fresh, name))
    np.testing.assert_array_equal(again.head.vertices, fresh.head.vertices)
    np.testing.assert_array_equal(again.head.deltas, fresh.head.deltas)
    assert again.digest == fresh.digest
    assert again.face_width == fresh.face_width


def test_a_damaged_cache_is_made_afresh(cache):
    load_portrait(default_portrait_path(), size=256, note=silent)
    (stored,) = (cache / "portraits").iterdir()
    stored.write_bytes(stored.read_bytes()[:1000])
    assert load_portrait(default_portrait_path(), size=256, note=silent).rgb.shape == (256, 256, 3)
    assert stored.stat().st_size > 100_000


def test_of_two_faces_the_largest_is_taken_and_told(cache, tmp_path, astronaut):
    picture = np.full((512, 900, 3), 150, np.uint8)
    picture[:, :512] = astronaut
    picture[:360, 540:] = cv2.resize(astronaut[:240, 100:340], (360, 360)).mean(-1, keepdims=True)  # the larger is grey
    notes = []
    portrait = load_portrait(saved(tmp_path / "two.png", picture), size=256, note=notes.append)
    assert notes == ["two.png shows 2 faces; the largest is used"]
    nose = portrait.rgb[tuple(portrait.landmarks[4, 1::-1].astype(int))]
    assert np.ptp(nose) == 0


def refusal(path):
    with pytest.raises(InputError) as caught:
        load_portrait(path, note=silent)
    return str(caught.value)


def test_photos_that_show_no_usable_face_are_refused_in_one_line(cache, tmp_path, astronaut):
    empty = saved(tmp_path / "wall.png", np.full((300, 400, 3), 120, np.uint8))
    assert refusal(empty) == "making a portrait of wall.png: expected a face, got none"
    cat = saved(tmp_path / "cat.png", data.chelsea())
    assert refusal(cat) == "making a portrait of cat.png: expected a face, got none"
    small = saved(tmp_path / "small.png", cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA))
    assert "expected a face at least 64 pixels wide, got one of 4" in refusal(small)
    assert "expected a photo, got no such file" in refusal(tmp_path / "nobody.png")
    assert list(cache.rglob("*.npz")) == []


def test_a_face_turned_aside_is_refused(tmp_path):
    sine, cosine = np.sin(0.8), np.cos(0.8)
    turned = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    pose = setup.Pose(turned, 100.0, np.zeros(3))
    with pytest.raises(InputError, match="got one turned 46 degrees aside and 0 up or down"):
        setup._check_turn(tmp_path / "profile.jpg", pose)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_that_lies_on_its_side_is_set_upright(cache, tmp_path, astronaut, turns):
    lying = saved(tmp_path / "lying.png", np.ascontiguousarray(np.rot90(astronaut, turns)))
    portrait = load_portrait(lying, size=256, note=silent)
    forehead, chin = portrait.landmarks[10, :2], portrait.landmarks[152, :2]
    assert chin[1] - forehead[1] > 100
    assert abs(chin[0] - forehead[0]) < 20


def test_a_face_at_the_pictures_edge_is_cut_without_leaving_it(cache, tmp_path, astronaut):
    portrait = load_portrait(saved(tmp_path / "edge.png", astronaut[50:300, 160:420]), size=256, note=silent)
    assert portrait.rgb.shape == (256, 256, 3)
    assert portrait.face_width > 0.38 * 256
