"""Photos become avatars once, bad ones leave nothing, and all of them go with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from agent.config import load_config
from agent.web.gallery import PhotoGallery
from avatar.errors import InputError
from avatar.portrait.folder import create_avatar

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def jpeg(rgb: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


async def test_a_photo_becomes_an_avatar_once(cache: Path):
    with PhotoGallery(load_config()) as gallery:
        stages: list[str] = []
        option = await gallery.add_portrait(jpeg(astronaut()), "Eileen", lambda stage, _: stages.append(stage))
        again = await gallery.add_portrait(jpeg(astronaut()), "Eileen", lambda stage, _: stages.append(stage))
        assert option.id == again.id
        assert stages == ["Finding the face and fitting the head", "Done"]
        assert gallery.portrait(option.id).face_width > 100
        picture = next(each.picture for each in gallery.options().avatars if each.id == option.id)
        assert cv2.imread(str(picture)).shape == (512, 512, 3)
    assert not picture.exists()


@pytest.mark.parametrize(
    ("photo", "complaint"),
    [(b"no photo", "reading"), (jpeg(np.full((400, 400, 3), 90, np.uint8)), "expected a face, got none")],
    ids=["no photo", "no face"],
)
async def test_a_photo_that_shows_no_face_leaves_nothing(cache: Path, photo: bytes, complaint: str):
    with PhotoGallery(load_config()) as gallery:
        with pytest.raises(InputError, match=complaint):
            await gallery.add_portrait(photo, "../../etc/passwd", lambda _stage, _done: None)
        assert [option.id for option in gallery.options().avatars] == ["first"]
        assert [path for path in gallery._folder.rglob("*") if path.is_file()] == []


async def test_only_the_newest_uploads_are_kept(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agent.web.gallery.MOST_PHOTOS", 1)
    with PhotoGallery(load_config()) as gallery:
        first = await gallery.add_portrait(jpeg(astronaut()), "one", lambda _stage, _done: None)
        second = await gallery.add_portrait(jpeg(astronaut()[:400]), "two", lambda _stage, _done: None)
        assert [option.id for option in gallery.options().avatars] == ["first", second.id]
        assert first.id != second.id


def test_avatars_that_were_made_before_can_be_chosen(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VISAVIS_AVATARS", str(tmp_path / "avatars"))
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(jpeg(astronaut()))
    create_avatar(photo, "eileen", note=lambda _: None)
    with PhotoGallery(load_config()) as gallery:
        assert [(option.id, option.label) for option in gallery.options().avatars][1:] == [("eileen", "Eileen")]
        assert gallery.portrait("eileen").face_width > 100


def test_the_configured_persona_comes_first():
    with PhotoGallery(load_config()) as gallery:
        options = gallery.options()
        assert options.personas[0].label == "Joe"
        assert gallery.persona(options.default().persona).is_file()
