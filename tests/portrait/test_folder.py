from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from avatar.errors import InputError, OutputError
from avatar.portrait import setup
from avatar.portrait.folder import (
    DISCLOSURE,
    avatar_of,
    create_avatar,
    list_avatars,
    load_face,
    open_avatar,
    remove_avatar,
)
from avatar.portrait.setup import default_portrait_path


def silent(sentence):
    pytest.fail(f"unexpected note: {sentence}")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "avatars"
    monkeypatch.setenv("VISAVIS_AVATARS", str(folder))
    return folder


@pytest.fixture(scope="module")
def eileen(tmp_path_factory):
    """A finished avatar folder, made once."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISAVIS_AVATARS", str(home))
        (home / "astronaut.md").write_text("You are an astronaut.")
        persona = home / "astronaut.md"
        return create_avatar(default_portrait_path(), "eileen", voice="joe", persona=persona, note=silent)


@pytest.mark.model
def test_a_folder_moved_elsewhere_opens_and_needs_no_second_measuring(eileen, tmp_path, monkeypatch):
    moved = shutil.copytree(eileen.path, tmp_path / "elsewhere" / "eileen")
    monkeypatch.setattr(setup, "_measure", None)
    avatar = avatar_of(moved)
    assert avatar is not None
    assert avatar.persona is not None
    assert (avatar.name, avatar.voice, avatar.persona.read_text()) == ("eileen", "joe", "You are an astronaut.")
    assert avatar.about.disclosure == DISCLOSURE
    portrait = avatar.portrait(note=silent)
    assert portrait.rgb.shape == (1024, 1024, 3)
    assert avatar.photo.read_bytes() == default_portrait_path().read_bytes()


@pytest.mark.model
def test_another_photo_in_the_folder_is_measured_afresh(eileen, tmp_path):
    moved = shutil.copytree(eileen.path, tmp_path / "elsewhere" / "eileen")
    avatar = avatar_of(moved)
    assert avatar is not None
    before = avatar.portrait(note=silent)
    avatar.photo.write_bytes(avatar.photo.read_bytes() + b"\0")
    after = avatar.portrait(note=silent)
    assert after.digest != before.digest
    np.testing.assert_array_equal(after.rgb, before.rgb)


@pytest.mark.model
def test_avatars_are_listed_by_name_and_removed(eileen, home):
    shutil.copytree(eileen.path, home / "zoe")
    shutil.copytree(eileen.path, home / "adam")
    (home / "adam" / "avatar.yaml").write_text("photo: photo.jpg\nvoice: amy\n")
    (home / "broken").mkdir()
    (home / "broken" / "avatar.yaml").write_text("voice: [")
    assert [avatar.name for avatar in list_avatars()] == ["adam", "zoe"]
    remove_avatar("zoe")
    assert not (home / "zoe").exists()
    with pytest.raises(InputError, match="removing the avatar zoe: expected one that exists"):
        remove_avatar("zoe")


def test_there_are_no_avatars_before_the_first():
    assert list_avatars() == []


@pytest.mark.model
def test_a_name_in_use_is_refused(eileen, home):
    shutil.copytree(eileen.path, home / "eileen")
    with pytest.raises(InputError, match="creating the avatar eileen: expected a name that is free, got one in use"):
        create_avatar(default_portrait_path(), "eileen", note=silent)


@pytest.mark.parametrize("name", ["", "Eileen", "../eileen", "a b", ".hidden", "x" * 41])
def test_a_name_that_is_no_plain_name_is_refused(name):
    with pytest.raises(InputError, match="naming an avatar"):
        create_avatar(default_portrait_path(), name, note=silent)


def test_an_avatar_that_tells_viewers_nothing_is_refused(home):
    with pytest.raises(InputError, match="creating the avatar eileen: expected a disclosure"):
        create_avatar(default_portrait_path(), "eileen", disclosure=" ", note=silent)
    assert not home.exists()


def test_nothing_is_left_behind_when_the_photo_is_no_photo(tmp_path, home):
    photo = tmp_path / "letter.txt"
    photo.write_text("Dear Sir")
    with pytest.raises(InputError, match=r"reading letter\.txt: expected a JPEG"):
        create_avatar(photo, "letter", note=silent)
    assert list(home.iterdir()) == []


def test_a_home_that_is_a_file_can_not_be_written(home):
    home.write_text("")
    with pytest.raises(OutputError, match="writing the avatar eileen"):
        create_avatar(default_portrait_path(), "eileen", note=silent)


@pytest.mark.parametrize(
    ("content", "got"),
    [
        ("photo: photo.jpg\nage: 3\n", "extra inputs are not permitted at age"),
        ("photo: ../../etc/passwd\n", "string should match"),
        ("photo: [", "expected a valid avatar.yaml, got something that is no YAML"),
        ("", "avatar.yaml"),
    ],
)
def test_a_malformed_description_is_told_in_one_line(home, content, got):
    (home / "eileen").mkdir(parents=True)
    (home / "eileen" / "avatar.yaml").write_text(content)
    with pytest.raises(InputError, match=got) as caught:
        open_avatar("eileen")
    assert "\n" not in str(caught.value)


def test_an_unknown_avatar_names_those_that_are_known():
    with pytest.raises(InputError, match="opening the avatar nobody: expected one that exists") as caught:
        open_avatar("nobody")
    assert caught.value.hint == "there is: none"


def test_a_mistyped_avatar_names_the_nearest(home):
    for name in ("eileen", "zoe"):
        (home / name).mkdir(parents=True)
        (home / name / "avatar.yaml").write_text("photo: photo.jpg\n")
    with pytest.raises(InputError) as caught:
        open_avatar("ilene")
    assert caught.value.hint == "did you mean eileen?"


@pytest.mark.model
def test_a_face_is_named_by_an_avatar_its_folder_or_a_photo(eileen, home, monkeypatch):
    moved = shutil.copytree(eileen.path, home / "eileen")
    monkeypatch.chdir(home)
    digest = load_face(None, note=silent).digest
    for named in (moved, Path("eileen"), default_portrait_path()):
        assert load_face(named, note=silent).digest == digest


def test_a_file_without_an_ending_is_a_photo(tmp_path, monkeypatch):
    (tmp_path / "eileen").write_bytes(default_portrait_path().read_bytes())
    monkeypatch.chdir(tmp_path)
    assert avatar_of(Path("eileen")) is None
    assert avatar_of(Path("me.jpg")) is None


@pytest.mark.model
def test_a_voice_of_its_own_travels_with_the_avatar(tmp_path):
    for ending in (".onnx", ".onnx.json"):
        (tmp_path / f"amy{ending}").write_text(ending)
    made = create_avatar(default_portrait_path(), "amy", voice=str(tmp_path / "amy.onnx"), note=silent)
    moved = avatar_of(made.path.rename(tmp_path / "moved"))
    assert moved is not None
    assert moved.voice == str(tmp_path / "moved" / "voice.onnx")
    assert [Path(moved.voice + ending).read_text() for ending in ("", ".json")] == [".onnx", ".onnx.json"]
