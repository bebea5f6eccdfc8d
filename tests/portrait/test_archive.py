"""An avatar goes into one file and comes out the same; a file from a stranger can do no harm."""

from __future__ import annotations

import io
import json
import shutil
import stat
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from avatar.errors import InputError, OutputError
from avatar.motion.layout import motion_from
from avatar.portrait.archive import export_avatar, import_avatar
from avatar.portrait.folder import AvatarAbout, AvatarFolder, create_avatar
from avatar.portrait.setup import default_portrait_path
from avatar.render.renderer import PortraitRenderer

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = json.dumps({"format": 1, "name": "eileen"}).encode()
ABOUT = b"photo: photo.jpg\n"


def silent(sentence: str) -> None:
    pytest.fail(f"unexpected note: {sentence}")


def nothing(avatar: AvatarFolder) -> None:
    """Checks neither voice nor persona."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "avatars"
    monkeypatch.setenv("VISAVIS_AVATARS", str(folder))
    return folder


def packed(path: Path, files: dict[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def refused(path: Path, home: Path, name: str | None = None) -> str:
    """Returns the one line that says why a file is not imported; nothing may be left of the attempt."""
    with pytest.raises(InputError) as raised:
        import_avatar(path, name, check=nothing, note=silent)
    assert not home.exists() or not list(home.iterdir())
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.model
def test_an_imported_avatar_draws_the_same_pixels_with_an_empty_cache(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    persona = tmp_path / "who.md"
    persona.write_text("You are an astronaut.")
    made = create_avatar(
        default_portrait_path(), "eileen", voice="joe", persona=persona, disclosure="Gezeichnet: Eileen.", note=silent
    )
    sent = tmp_path / "eileen.zip"
    export_avatar(made, sent)
    motion = motion_from({"jawOpen": 0.5, "eyeBlinkLeft": 0.6, "yaw": 0.15})
    before = PortraitRenderer(made.portrait(note=silent), 128).render(motion)
    shutil.rmtree(home)
    monkeypatch.setenv("VISAVIS_CACHE", str(tmp_path / "empty"))
    checked: list[AvatarFolder] = []
    arrived = import_avatar(sent, "guest", check=checked.append, note=silent)
    assert arrived.path == home / "guest"
    assert arrived.about == made.about
    assert arrived.persona is not None
    assert arrived.persona.read_text() == "You are an astronaut."
    assert len(checked) == 1
    np.testing.assert_array_equal(PortraitRenderer(arrived.portrait(note=silent), 128).render(motion), before)


def test_the_same_avatar_gives_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "avatar.yaml").write_bytes(ABOUT)
    (tmp_path / "photo.jpg").write_bytes(b"a photo")
    avatar = AvatarFolder(tmp_path, AvatarAbout(photo="photo.jpg"))
    export_avatar(avatar, tmp_path / "one.zip")
    export_avatar(avatar, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_an_avatar_without_its_photo_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected its file photo.jpg, got none in its folder"):
        export_avatar(AvatarFolder(tmp_path, AvatarAbout(photo="photo.jpg")), tmp_path / "one.zip")
    assert not (tmp_path / "one.zip").exists()


def test_an_avatar_whose_voice_fails_is_not_kept(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(avatar: AvatarFolder) -> None:
        raise InputError("trying the voice", expected="a Piper voice", got=avatar.voice)

    monkeypatch.setattr("avatar.portrait.setup.load_portrait", lambda *_, **__: None)
    sent = packed(tmp_path / "a.zip", {"manifest.json": MANIFEST, "avatar.yaml": ABOUT, "photo.jpg": b"a photo"})
    with pytest.raises(InputError, match="trying the voice"):
        import_avatar(sent, check=fail, note=silent)
    assert not list(home.iterdir())


@pytest.mark.parametrize("name", ["../evil.md", "/etc/evil", "..", "a/b", "a\\b", ".hidden", "nul\x01", "C:x"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, home: Path, name: str) -> None:
    sent = packed(tmp_path / "a.zip", {"manifest.json": MANIFEST, name: b"x"})
    assert "expected plain file names" in refused(sent, home)
    assert not (tmp_path / "evil.md").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_links_folders_and_devices_are_refused(tmp_path: Path, home: Path, kind: int) -> None:
    link = zipfile.ZipInfo("photo.jpg")
    link.external_attr = (kind | 0o777) << 16
    sent = packed(tmp_path / "a.zip", {"manifest.json": MANIFEST, "avatar.yaml": ABOUT, link: b"/etc/passwd"})
    assert "expected plain files" in refused(sent, home)


@pytest.mark.parametrize("missing", ["manifest.json", "avatar.yaml", "photo.jpg"])
def test_missing_parts_are_named(tmp_path: Path, home: Path, missing: str) -> None:
    files: dict[str | zipfile.ZipInfo, bytes] = {"manifest.json": MANIFEST, "avatar.yaml": ABOUT, "photo.jpg": b"x"}
    del files[missing]
    assert f"expected an avatar file with {missing}, got none in it" in refused(packed(tmp_path / "a.zip", files), home)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b'{"format": 2, "name": "eileen"}', "expected an avatar file of format 1, got input should be 1 at format"),
        (b'{"name": "eileen"}', "got field required at format"),
        (b'{"format": 1}', "got field required at name"),
        (b"\xff\xfe", "expected an avatar file of format 1"),
        (b'{"format": 1, "name": "../up"}', "expected up to 40 small letters"),
    ],
)
def test_other_versions_and_names_are_refused(tmp_path: Path, home: Path, manifest: bytes, said: str) -> None:
    sent = packed(tmp_path / "a.zip", {"manifest.json": manifest, "avatar.yaml": ABOUT, "photo.jpg": b"x"})
    assert said in refused(sent, home)


@pytest.mark.parametrize("about", [b"photo: ../../photo.jpg\n", b"voice: heart\n", b"photo: [", b"\xff", b""])
def test_a_bad_description_is_refused(tmp_path: Path, home: Path, about: bytes) -> None:
    sent = packed(tmp_path / "a.zip", {"manifest.json": MANIFEST, "avatar.yaml": about, "photo.jpg": b"x"})
    assert "expected a valid avatar.yaml" in refused(sent, home)


def test_a_description_that_names_nothing_in_the_file_is_refused(tmp_path: Path, home: Path) -> None:
    about = b"photo: ..\n"
    sent = packed(tmp_path / "a.zip", {"manifest.json": MANIFEST, "avatar.yaml": about, "photo.jpg": b"x"})
    assert "expected an avatar file with .., got none in it" in refused(sent, home)


@pytest.mark.parametrize("name", ["manifest.json", "avatar.yaml", "persona.md"])
def test_a_file_that_unpacks_to_more_than_it_may_be_is_refused(tmp_path: Path, home: Path, name: str) -> None:
    files: dict[str | zipfile.ZipInfo, bytes] = {
        "manifest.json": MANIFEST,
        "avatar.yaml": ABOUT + b"persona: persona.md\n",
        "photo.jpg": b"x",
        "persona.md": b"x",
    }
    files[name] = bytes(3_000_000)
    sent = packed(tmp_path / "a.zip", files)
    assert sent.stat().st_size < 20_000
    assert f"expected {name} to have at most 1 MB, got more" in refused(sent, home)


def test_strangers_among_the_files_are_refused(tmp_path: Path, home: Path) -> None:
    files: dict[str | zipfile.ZipInfo, bytes] = {"manifest.json": MANIFEST, "avatar.yaml": ABOUT, "photo.jpg": b"x"}
    assert "got 'more', too" in refused(packed(tmp_path / "a.zip", files | {"more": b"x"}), home)
    many: dict[str | zipfile.ZipInfo, bytes] = {f"more{k}": b"x" for k in range(20)}
    assert "expected at most 6 files" in refused(packed(tmp_path / "b.zip", files | many), home)


def test_two_files_of_one_name_are_refused(tmp_path: Path, home: Path) -> None:
    sent = packed(tmp_path / "a.zip", {"manifest.json": MANIFEST, "photo.jpg": b"x", "PHOTO.jpg": b"y"})
    assert "expected every file once" in refused(sent, home)


def test_what_is_no_archive_or_a_damaged_one_is_refused(tmp_path: Path, home: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {"manifest.json": MANIFEST, "avatar.yaml": ABOUT, "photo.jpg": b"x" * 5000}.items():
            archive.writestr(name, content)
    whole = data.getvalue()
    altered = bytearray(whole)
    altered[whole.index(b"x" * 5000) + 2500] ^= 1
    encrypted = bytearray(whole)
    for at in (whole.index(b"PK\x03\x04") + 6, whole.index(b"PK\x01\x02") + 8):
        encrypted[at] |= 1
    for content in (b"", b"no archive at all", whole[: len(whole) // 2], bytes(altered), bytes(encrypted)):
        sent = tmp_path / "a.zip"
        sent.write_bytes(content)
        assert "expected a whole avatar file, got a damaged one, or no zip archive" in refused(sent, home)
    assert "expected a readable file, got no such file" in refused(tmp_path / "none.zip", home)
    assert "expected a readable file, got is a directory" in refused(tmp_path, home)


def test_a_name_in_use_is_refused_before_anything_is_unpacked(tmp_path: Path, home: Path) -> None:
    (home / "eileen").mkdir(parents=True)
    sent = packed(tmp_path / "a.zip", {"manifest.json": MANIFEST, "avatar.yaml": ABOUT, "photo.jpg": b"x"})
    with pytest.raises(InputError, match="expected a name that is free, got one in use"):
        import_avatar(sent, check=nothing, note=silent)
    assert [path.name for path in home.iterdir()] == ["eileen"]


def test_a_place_that_is_no_folder_is_told(tmp_path: Path, home: Path) -> None:
    home.write_bytes(b"")
    sent = packed(tmp_path / "a.zip", {"manifest.json": MANIFEST, "avatar.yaml": ABOUT, "photo.jpg": b"x"})
    with pytest.raises(OutputError, match="writing the avatar eileen"):
        import_avatar(sent, check=nothing, note=silent)
