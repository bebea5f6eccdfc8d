"""Avatars in one file: a zip archive of what an avatar was given, to be sent to somebody else.

It holds `manifest.json`, `avatar.yaml` and the files that this names: the photo, the persona, the voice. What was
measured on the photo is measured again where the avatar arrives, so that a file from anybody brings no numbers that
nobody checked. Nothing of an archive is believed: names, kinds, sizes and contents are looked at one by one.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avatar.errors import InputError
from avatar.portrait.folder import ABOUT, AvatarFolder, check_free, read_about, whole_folder
from avatar.portrait.photo import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from avatar.portrait.folder import AvatarAbout

_MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1
_SAFE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")
_MOST_FILES: Final = 6
_MAX_TEXT: Final = 1_000_000
_MAX_VOICE: Final = 400_000_000
_BLOCK: Final = 1 << 20
_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""Of every file, so that the same avatar gives the same archive."""
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises for archives that are cut off, altered, encrypted or compressed by what it doesn't know."""


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(max_length=40)


class _Version(BaseModel):
    format: Literal[1]


def export_avatar(avatar: AvatarFolder, path: Path) -> None:
    """Writes an avatar into one file.

    Args:
        avatar: The avatar.
        path: The file; what it held before is lost.

    Raises:
        InputError: A file of the avatar is missing.
        OSError: The file can't be written.
    """
    what = f"exporting the avatar {avatar.name}"
    for name in _own_files(avatar.about):
        if not (avatar.path / name).is_file():
            raise InputError(what, expected=f"its file {name}", got="none in its folder")
    manifest = f'{{"format": {_FORMAT}, "name": "{avatar.name}"}}\n'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(_entry(_MANIFEST), manifest)
        for name in (ABOUT, *_own_files(avatar.about)):
            with (avatar.path / name).open("rb") as source, archive.open(_entry(name), "w", force_zip64=True) as target:
                while block := source.read(_BLOCK):
                    target.write(block)


def import_avatar(
    path: Path, name: str | None = None, *, check: Callable[[AvatarFolder], None], note: Callable[[str], None]
) -> AvatarFolder:
    """Makes an avatar of an exported file, whole or not at all.

    Args:
        path: The file.
        name: What it is called here; by default, what it was called where it comes from.
        check: Raises if the avatar's voice or persona can't be used.
        note: Is told what the user should know.

    Raises:
        InputError: The file is no avatar's, is damaged, or asks for what no avatar needs; the name is taken or
            malformed; no avatar can be made of the photo.
        OutputError: The folder can't be written.
    """
    what = f"importing {path.name}"
    with _reading(what):
        archive = zipfile.ZipFile(path)
    with archive:
        with _reading(what):
            members = _members(archive, what)
            manifest = _manifest(archive, members, what)
        name = name or manifest.name
        target = check_free(name)
        with whole_folder(name) as scratch:
            with _undamaged(what):
                _unpack(archive, members, scratch, what)
            made = AvatarFolder(scratch, read_about(scratch, what))
            made.portrait(note=note)
            check(made)
    return AvatarFolder(target, made.about)


@contextmanager
def _reading(what: str) -> Generator[None]:
    """Tells of a file that can't be read or is damaged."""
    try:
        with _undamaged(what):
            yield
    except OSError as error:
        got = (error.strerror or type(error).__name__).lower()
        raise InputError(what, expected="a readable file", got=got) from error


@contextmanager
def _undamaged(what: str) -> Generator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise InputError(what, expected="a whole avatar file", got="a damaged one, or no zip archive") from error


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry


def _own_files(about: AvatarAbout) -> list[str]:
    """Returns the names of the files that `avatar.yaml` speaks of."""
    voice = [about.voice, f"{about.voice}.json"] if about.voice.endswith(".onnx") else []
    return [about.photo, *([about.persona] if about.persona else []), *voice]


def _members(archive: zipfile.ZipFile, what: str) -> dict[str, zipfile.ZipInfo]:
    """Returns the entries by name, if all of them are plain files with plain names."""
    entries = archive.infolist()
    if len(entries) > _MOST_FILES:
        raise InputError(what, expected=f"at most {_MOST_FILES} files", got=str(len(entries)))
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in {0, stat.S_IFREG} or entry.is_dir():
            raise InputError(what, expected="plain files", got=f"{entry.filename!r}, a link, folder or device")
        if not _SAFE.fullmatch(entry.filename):
            raise InputError(what, expected="plain file names", got=repr(entry.filename[:80]))
    members = {entry.filename: entry for entry in entries}
    if len({name.lower() for name in members}) < len(entries):
        raise InputError(what, expected="every file once", got="two of one name")
    return members


def _manifest(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], what: str) -> _Manifest:
    """Returns what the archive says of itself, if it is of a kind that we understand."""
    data = b"".join(_blocks(archive, _found(members, _MANIFEST, what), _MAX_TEXT, what))
    try:
        _Version.model_validate_json(data)
        return _Manifest.model_validate_json(data)
    except ValidationError as error:
        got = error.errors()[0]
        said = f"{got['msg'].lower()} at {'.'.join(map(str, got['loc'])) or 'its top'}"
        hint = "it may come from a later version of Visavis"
        raise InputError(what, expected=f"an avatar file of format {_FORMAT}", got=said, hint=hint) from error


def _unpack(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], folder: Path, what: str) -> None:
    """Writes the avatar's files into a folder; never more of one than it may have."""
    _write(archive, _found(members, ABOUT, what), folder, _MAX_TEXT, what)
    about = read_about(folder, what)
    own = _own_files(about)
    for name in own:
        limit = MAX_BYTES if name == about.photo else _MAX_TEXT if name == about.persona else _MAX_VOICE
        _write(archive, _found(members, name, what), folder, limit, what)
    strangers = members.keys() - {_MANIFEST, ABOUT, *own}
    if strangers:
        raise InputError(what, expected=f"only what its {ABOUT} names", got=f"{min(strangers)!r}, too")


def _found(members: dict[str, zipfile.ZipInfo], name: str, what: str) -> zipfile.ZipInfo:
    if name not in members:
        raise InputError(what, expected=f"an avatar file with {name}", got="none in it")
    return members[name]


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, limit: int, what: str) -> None:
    with (folder / entry.filename).open("xb") as target:
        for block in _blocks(archive, entry, limit, what):
            target.write(block)


def _blocks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int, what: str) -> Iterator[bytes]:
    """Yields the content of a file, until it is larger than it may be, whatever the archive says of its size."""
    total = 0
    with archive.open(entry) as source:
        while block := source.read(_BLOCK):
            total += len(block)
            if total > limit:
                expected = f"{entry.filename} to have at most {limit / 1e6:.0f} MB"
                raise InputError(what, expected=expected, got="more")
            yield block
