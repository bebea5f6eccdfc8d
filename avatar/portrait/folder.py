"""Avatar folders: all that makes an avatar, in one folder that can be copied to another machine.

`avatar.yaml` says who it is, `photo.*` is the picture as it was given, `portrait.npz` what was measured on it. The last
is made afresh where it was written by another version of this program. `persona.md` and `voice.onnx` with its JSON are
there if the avatar has its own.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avatar.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from avatar.portrait.types import Portrait

DISCLOSURE: Final = "You are talking with an AI. Its face and voice are synthetic."

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
ABOUT: Final = "avatar.yaml"
_PORTRAIT: Final = "portrait.npz"
_PERSONA: Final = "persona.md"
_VOICE: Final = "voice.onnx"


class AvatarAbout(BaseModel):
    """What `avatar.yaml` holds.

    Attributes:
        photo: File name of the photo in the same folder.
        voice: Which voice it speaks with: Piper's name for it, or a file (.onnx) in the same folder; empty is the
            configured voice.
        persona: File name, in the same folder, of who it is for the language model; empty is the configured persona.
        disclosure: What viewers are told about it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photo: str = Field(pattern=r"^[^/\\]+$")
    voice: str = Field("", pattern=r"^[^/\\]*$")
    persona: str = Field("", pattern=r"^[^/\\]*$")
    disclosure: str = DISCLOSURE


@dataclass(frozen=True, slots=True)
class AvatarFolder:
    """An avatar on disk.

    Attributes:
        path: The folder; its name is the avatar's.
        about: Who it is.
    """

    path: Path
    about: AvatarAbout

    @property
    def name(self) -> str:
        """The avatar's name."""
        return self.path.name

    @property
    def photo(self) -> Path:
        """The photo it was made of."""
        return self.path / self.about.photo

    @property
    def persona(self) -> Path | None:
        """The file that says who it is, or None if it has none of its own."""
        return self.path / self.about.persona if self.about.persona else None

    @property
    def voice(self) -> str:
        """Piper's name for its voice or the path of the voice's file; empty if it has none of its own."""
        voice = self.about.voice
        return str(self.path / voice) if voice.endswith(".onnx") else voice

    def portrait(self, *, note: Callable[[str], None]) -> Portrait:
        """Returns the avatar's portrait; `note` is told what the user should know.

        Raises:
            InputError: The photo is gone or damaged.
        """
        from avatar.portrait.setup import load_portrait  # noqa: PLC0415 - heavy

        return load_portrait(self.photo, note=note, store=self.path / _PORTRAIT)


def avatars_dir() -> Path:
    """Returns the folder of all avatars: ``$VISAVIS_AVATARS`` or one among the user's data."""
    return Path(os.environ.get("VISAVIS_AVATARS") or platformdirs.user_data_path("visavis") / "avatars")


def create_avatar(
    photo: Path,
    name: str,
    *,
    voice: str = "",
    persona: Path | None = None,
    disclosure: str = DISCLOSURE,
    note: Callable[[str], None],
) -> AvatarFolder:
    """Makes an avatar of a photo, whole or not at all.

    Args:
        photo: The photo; it is copied.
        name: Up to 40 small letters, digits, `-` and `_`.
        voice: Piper's name for its voice, or the voice's file (.onnx with its JSON beside it), which is copied.
        persona: The file that says who it is; it is copied.
        disclosure: What viewers are told about it.
        note: Is told what the user should know.

    Raises:
        InputError: The name is taken or malformed, the disclosure says nothing, or no avatar can be made of the photo.
        OutputError: The folder can't be written.
    """
    from avatar.portrait.photo import read_bytes  # noqa: PLC0415 - heavy
    from avatar.portrait.setup import load_portrait  # noqa: PLC0415 - heavy

    target = check_free(name)
    if not disclosure.strip():
        expected = "words that tell viewers they see a synthetic face"
        raise InputError(f"creating the avatar {name}", expected=f"a disclosure: {expected}", got="none")
    data = read_bytes(photo)
    with whole_folder(name) as scratch:
        about = AvatarAbout(
            photo=f"photo{photo.suffix.lower()}",
            voice=_VOICE if voice.endswith(".onnx") else voice,
            persona=_PERSONA if persona else "",
            disclosure=disclosure.strip(),
        )
        made = AvatarFolder(scratch, about)
        made.photo.write_bytes(data)
        _copy_own(made, voice, persona)
        load_portrait(photo, note=note, store=scratch / _PORTRAIT)  # the original, so that errors name it
        text = yaml.safe_dump(about.model_dump(), sort_keys=False, allow_unicode=True)
        (scratch / ABOUT).write_text(text, encoding="utf-8")
    return AvatarFolder(target, about)


@contextmanager
def whole_folder(name: str) -> Generator[Path]:
    """Gives a folder to fill, which becomes the avatar of this name after the block, or nothing if that fails.

    Raises:
        InputError: The name is taken or malformed.
        OutputError: The folder can't be written.
    """
    target = check_free(name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{name}-"))
    except OSError as error:
        raise _unwritable(name, error) from error
    try:
        yield scratch
        scratch.chmod(0o755)
        scratch.rename(target)
    except OSError as error:
        raise _unwritable(name, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def check_free(name: str) -> Path:
    """Returns the folder that an avatar of this name would get.

    Raises:
        InputError: The name is taken or malformed.
    """
    target = _place(name)
    if target.exists():
        hint = f"remove it first: avatar remove {name}"
        raise InputError(f"creating the avatar {name}", expected="a name that is free", got="one in use", hint=hint)
    return target


def _copy_own(made: AvatarFolder, voice: str, persona: Path | None) -> None:
    if persona and made.persona:
        shutil.copyfile(persona, made.persona)
    if voice.endswith(".onnx"):
        for ending in ("", ".json"):
            shutil.copyfile(voice + ending, made.voice + ending)


def avatar_of(named: Path) -> AvatarFolder | None:
    """Returns the avatar that a user's word for a face means, or None if it means a photo.

    Args:
        named: A file is a photo, a folder an avatar's; a plain word that is neither is an avatar's name.

    Raises:
        InputError: There is no avatar of that name, or its `avatar.yaml` can't be understood.
    """
    if (named / ABOUT).is_file():
        return _opened(named.resolve())
    plain = len(named.parts) == 1 and not named.suffix
    return open_avatar(str(named)) if plain and not named.is_file() else None


def load_face(named: Path | None, *, note: Callable[[str], None]) -> Portrait:
    """Returns the portrait of a face by a user's word for it.

    Args:
        named: A photo, or an avatar's folder or name; None is the photo that comes with Visavis.
        note: Is told what the user should know.

    Raises:
        InputError: There is no such avatar or photo, or no face in it that an avatar can be made of.
    """
    from avatar.portrait.setup import default_portrait_path, load_portrait  # noqa: PLC0415 - heavy

    if named is None:
        return load_portrait(default_portrait_path(), note=note)
    avatar = avatar_of(named)
    return avatar.portrait(note=note) if avatar else load_portrait(named, note=note)


def open_avatar(name: str) -> AvatarFolder:
    """Returns an avatar by its name.

    Raises:
        InputError: There is none, or its `avatar.yaml` can't be understood.
    """
    path = _place(name)
    if not path.is_dir():
        raise _unknown("opening", name)
    return _opened(path)


def _opened(path: Path) -> AvatarFolder:
    return AvatarFolder(path, read_about(path, f"opening the avatar {path.name}"))


def read_about(path: Path, what: str) -> AvatarAbout:
    """Returns what the `avatar.yaml` in a folder says.

    Args:
        path: The folder.
        what: What is being done, for errors.

    Raises:
        InputError: It is missing or can't be understood.
    """
    try:
        content = yaml.safe_load((path / ABOUT).read_text(encoding="utf-8"))
        return AvatarAbout.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        got = f"{first['msg'].lower()} at {'.'.join(map(str, first['loc'])) or 'its top'}"
        raise InputError(what, expected=f"a valid {ABOUT}", got=got) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(what, expected=f"a valid {ABOUT}", got="something that is no YAML") from error
    except OSError as error:
        got = (error.strerror or type(error).__name__).lower()
        raise InputError(what, expected=f"a readable {ABOUT}", got=got) from error


def list_avatars() -> list[AvatarFolder]:
    """Returns all avatars that can be opened, by name."""
    found: list[AvatarFolder] = []
    folder = avatars_dir()
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if _NAME.fullmatch(path.name) and (path / ABOUT).is_file():
            try:
                found.append(open_avatar(path.name))
            except InputError:
                continue  # a broken one is told when it is opened by name
    return found


def remove_avatar(name: str) -> None:
    """Removes an avatar's folder.

    Raises:
        InputError: There is no such avatar.
        OutputError: The folder can't be removed.
    """
    path = _place(name)
    if not (path / ABOUT).is_file():
        raise _unknown("removing", name)
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise _unwritable(name, error) from error


def _place(name: str) -> Path:
    if not _NAME.fullmatch(name):
        expected = "up to 40 small letters, digits, - and _"
        raise InputError("naming an avatar", expected=expected, got=repr(name))
    return avatars_dir() / name


def _unknown(doing: str, name: str) -> InputError:
    known = [avatar.name for avatar in list_avatars()]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there is: {', '.join(known) or 'none'}"
    return InputError(f"{doing} the avatar {name}", expected="one that exists", got="no such avatar", hint=hint)


def _unwritable(name: str, error: OSError) -> OutputError:
    got = error.strerror or type(error).__name__
    return OutputError(f"writing the avatar {name}", expected=f"{avatars_dir()} to be writable", got=got)
