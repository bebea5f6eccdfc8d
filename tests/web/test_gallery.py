"""Photos become avatars once, bad ones leave nothing, and all of them go with the process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from agent.config import DEFAULT_PERSONA, load_config
from agent.persona import load_persona
from agent.web.contract import options_message
from agent.web.gallery import PhotoGallery
from avatar.errors import InputError
from avatar.portrait.folder import DISCLOSURE, create_avatar

if TYPE_CHECKING:
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


def test_our_own_face_can_be_seen_before_it_is_measured_and_a_photo_of_somebody_only_after(cache: Path, tmp_path: Path):
    photo = tmp_path / "eileen.jpg"
    photo.write_bytes(jpeg(astronaut()))
    with PhotoGallery(load_config()) as ours, PhotoGallery(load_config(portrait=photo)) as theirs:
        unmeasured = ours.options()
        assert cv2.imread(str(unmeasured.avatars[0].picture)) is not None
        ours.portrait(unmeasured.avatars[0].id)
        addresses = [
            options_message(options, options.default())["avatars"][0]["picture"]
            for options in (unmeasured, ours.options())
        ]
        assert addresses[0] != addresses[1]
        assert theirs.options().avatars[0].picture is None
        theirs.portrait(theirs.options().avatars[0].id)
        assert cv2.imread(str(theirs.options().avatars[0].picture)).shape == (512, 512, 3)


@pytest.mark.parametrize(
    ("photo", "complaint"),
    [(b"no photo", "reading"), (jpeg(np.full((400, 400, 3), 90, np.uint8)), "expected a face, got none")],
    ids=["no photo", "no face"],
)
async def test_a_photo_that_shows_no_face_leaves_nothing(cache: Path, photo: bytes, complaint: str):
    with PhotoGallery(load_config()) as gallery:
        with pytest.raises(InputError, match=complaint):
            await gallery.add_portrait(photo, "../../etc/passwd", lambda _stage, _done: None)
        assert [option.id for option in gallery.options().avatars] == ["first.photo"]
        assert [path for path in gallery._folder.rglob("*") if path.is_file()] == []


async def test_only_the_newest_uploads_are_kept(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agent.web.gallery.MOST_PHOTOS", 1)
    with PhotoGallery(load_config()) as gallery:
        first = await gallery.add_portrait(jpeg(astronaut()), "one", lambda _stage, _done: None)
        second = await gallery.add_portrait(jpeg(astronaut()[:400]), "two", lambda _stage, _done: None)
        assert [option.id for option in gallery.options().avatars] == ["first.photo", second.id]
        assert first.id != second.id


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Makes avatars of a folder of its own."""
    monkeypatch.setenv("VISAVIS_AVATARS", str(tmp_path / "avatars"))
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(jpeg(astronaut()))

    def make(name: str, **own: object) -> None:
        create_avatar(photo, name, note=lambda _: None, **own)

    return make


def test_avatars_that_were_made_before_can_be_chosen(cache: Path, make):
    make("eileen")
    with PhotoGallery(load_config()) as gallery:
        eileen = gallery.options().avatars[1]
        assert (eileen.id, eileen.label, eileen.voice, eileen.persona) == ("eileen", "Eileen", "", "")
        assert eileen.disclosure == DISCLOSURE
        assert gallery.portrait("eileen").face_width > 100


def test_an_avatar_brings_its_voice_its_persona_and_what_it_discloses(cache: Path, make, tmp_path: Path):
    (tmp_path / "persona.md").write_text("---\nname: Eileen\n---\nYou are an astronaut.")
    for ending in (".onnx", ".onnx.json"):
        (tmp_path / f"amy{ending}").write_text(ending)
    make("first", voice="joe", persona=tmp_path / "persona.md")
    make("second", voice=str(tmp_path / "amy.onnx"))
    about = tmp_path / "avatars" / "first" / "avatar.yaml"
    about.write_text(about.read_text().replace(DISCLOSURE, "I am a puppet."))
    with PhotoGallery(load_config()) as gallery:
        options = gallery.options()
        assert [option.id for option in options.avatars] == ["first.photo", "first", "second"]
        default, first, second = options.avatars
        assert (default.voice, default.persona) == ("heart", "default")
        assert (first.voice, first.persona, first.disclosure) == ("joe", "first.persona", "I am a puppet.")
        assert gallery.cast.persona("first.persona") == tmp_path / "avatars" / "first" / "persona.md"
        assert "Eileen" in [option.label for option in options.personas]
        assert (second.voice, second.persona) == ("second.voice", "")
        part = gallery.cast.voice("second.voice")
        assert (part.name, part.args["voice"]) == ("piper", str(tmp_path / "avatars" / "second" / "voice.onnx"))


def test_the_avatar_of_the_configuration_comes_first_and_once(cache: Path, make, tmp_path: Path):
    (tmp_path / "persona.md").write_text("---\nname: Eileen\n---\nYou are an astronaut.")
    make("adam")
    make("eileen", voice="joe", persona=tmp_path / "persona.md")
    with PhotoGallery(load_config(portrait=Path("eileen"))) as gallery:
        options = gallery.options()
        assert [option.id for option in options.avatars] == ["eileen", "adam"]
        assert (options.voices[0].label, options.personas[0].label) == ("Joe", "Eileen")
        assert (options.avatars[0].voice, options.avatars[0].persona) == ("joe", options.personas[0].id)


def test_the_configured_persona_comes_first():
    with PhotoGallery(load_config()) as gallery:
        options = gallery.options()
        assert options.personas[0].label == load_persona(DEFAULT_PERSONA).name
        assert gallery.cast.persona(options.default().persona).is_file()
