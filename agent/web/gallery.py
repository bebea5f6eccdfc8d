"""The avatars, voices and personas of one process. Uploaded photos live as long as it does."""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import cv2

from agent.web.cast import Cast
from agent.web.conversation import Choice, Option, Options
from avatar.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from agent.config import Config
    from avatar.portrait.folder import AvatarFolder
    from avatar.portrait.types import Portrait

MOST_PHOTOS: Final = 20
"""Uploaded avatars kept; the oldest goes when another comes."""

_PICTURE_SIZE: Final = 512
# With a dot, so that no avatar is called so.
_FIRST: Final = "first.photo"
_UPLOADED: Final = "photo."


class PhotoGallery:
    """Turns photos into portraits, each once. A context manager: its end deletes the uploaded photos.

    Args:
        config: Names the first avatar, voice and persona.

    Attributes:
        cast: The voices and personas.
    """

    def __init__(self, config: Config) -> None:
        from avatar.portrait.folder import DISCLOSURE, avatar_of, list_avatars  # noqa: PLC0415 - heavy
        from avatar.portrait.photo import DEFAULT_PHOTO  # noqa: PLC0415 - heavy

        self._stack = ExitStack()
        self._folder = Path()
        self._lock = threading.Lock()
        self._portraits: dict[str, Portrait] = {}
        self._disclosure = DISCLOSURE
        kept = {avatar.name: avatar for avatar in list_avatars()}
        photo = config.avatar.portrait
        own = avatar_of(photo) if photo else None
        if own is not None:
            kept = {own.name: own} | {name: avatar for name, avatar in kept.items() if name != own.name}
        self.cast = Cast(config, kept.values())
        self._photos: dict[str, Path | None] = {name: avatar.path for name, avatar in kept.items()}
        self._avatars = [self._option(avatar) for avatar in kept.values()]
        default = Choice("", self.cast.voices[0].id, self.cast.personas[0].id)
        if own is None:
            self._photos[_FIRST] = photo
            # Ours can be looked at before it is measured; another may hold more than its portrait is to show.
            picture = None if photo else DEFAULT_PHOTO
            first = Option(_FIRST, photo.stem if photo else "Visavis", picture, disclosure=DISCLOSURE)
            self._avatars = [first, *self._avatars]
        # What the configuration says about the first avatar goes before what that brings.
        self._avatars[0] = replace(self._avatars[0], voice=default.voice, persona=default.persona)
        self._uploaded: list[str] = []

    def __enter__(self) -> Self:
        """Makes a folder for uploaded photos."""
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="visavis-")))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Deletes the uploaded photos."""
        self._stack.close()

    def options(self) -> Options:
        """Returns what can be chosen now."""
        return Options(list(self._avatars), list(self.cast.voices), list(self.cast.personas))

    def portrait(self, avatar: str) -> Portrait:
        """Returns an avatar's portrait; slow the first time, and may be called from any thread.

        Raises:
            InputError: The photo can't be used.
        """
        return self._measured(avatar)[0]

    async def add_portrait(self, photo: bytes, label: str, report: Callable[[str, float], None]) -> Option:
        """Makes an avatar of a photo.

        Raises:
            InputError: The photo can't be used.
        """
        avatar = _UPLOADED + hashlib.sha256(photo).hexdigest()[:16]
        known = next((option for option in self._avatars if option.id == avatar), None)
        if known is not None:
            return known
        folder = self._folder / avatar
        folder.mkdir(exist_ok=True)
        path = folder / (re.sub(r"[^\w -]", "", label)[:40].strip() or "photo")
        path.write_bytes(photo)
        self._photos[avatar] = path
        report("Finding the face and fitting the head", 0.1)
        self._avatars.append(Option(avatar, label or "Photo", disclosure=self._disclosure))
        try:
            _, notes = await asyncio.to_thread(self._measured, avatar)
        except InputError:
            self._forget(avatar)
            raise
        report("Done", 1.0)
        self._uploaded.append(avatar)
        for oldest in self._uploaded[:-MOST_PHOTOS]:
            self._uploaded.remove(oldest)
            self._forget(oldest)
        return replace(next(option for option in self._avatars if option.id == avatar), note="; ".join(notes))

    def _option(self, avatar: AvatarFolder) -> Option:
        voice, persona = self.cast.brought_by(avatar.name)
        label = avatar.name.replace("_", " ").capitalize()
        return Option(avatar.name, label, disclosure=avatar.about.disclosure, voice=voice, persona=persona)

    def _measured(self, avatar: str) -> tuple[Portrait, list[str]]:
        from avatar.portrait.folder import load_face  # noqa: PLC0415 - heavy

        notes: list[str] = []
        with self._lock:
            portrait = self._portraits.get(avatar)
            if portrait is None:
                portrait = self._portraits[avatar] = load_face(self._photos[avatar], note=notes.append)
                picture = self._folder / f"{avatar}.jpg"
                small = cv2.resize(portrait.rgb, (_PICTURE_SIZE, _PICTURE_SIZE), interpolation=cv2.INTER_AREA)
                cv2.imwrite(str(picture), cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
                self._avatars = [
                    replace(option, picture=picture) if option.id == avatar else option for option in self._avatars
                ]
        return portrait, notes

    def _forget(self, avatar: str) -> None:
        self._avatars = [option for option in self._avatars if option.id != avatar]
        self._portraits.pop(avatar, None)
        photo = self._photos.pop(avatar)
        if photo:
            photo.unlink(missing_ok=True)
        (self._folder / f"{avatar}.jpg").unlink(missing_ok=True)
