"""`avatar`: makes, lists, shows, removes, exports and imports avatar folders."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agent.commands.progress import note, stage
from avatar.errors import OutputError
from avatar.publish.file import check_output, scratch_file

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from avatar.portrait.folder import AvatarFolder
    from avatar.portrait.types import Portrait


def run(args: argparse.Namespace) -> int:
    """Does ``args.action``: ``create``, ``list``, ``show``, ``export``, ``import`` or ``remove``.

    ``create`` takes ``photo``, ``name``, ``voice``, ``persona`` and ``disclosure``; ``show`` takes ``name`` and
    ``output``; ``export`` and ``import`` take ``name`` and ``file``.

    Raises:
        VisavisError: The input can't be used, or a file can't be written.
    """
    match args.action:
        case "create":
            create(args.photo, args.name, args.voice, args.persona, args.disclosure)
        case "list":
            show_all()
        case "show":
            show(args.name, args.output)
        case "export":
            export(args.name, args.file)
        case "import":
            import_(args.file, args.name)
        case _:
            remove(args.name)
    return 0


def create(photo: Path, name: str, voice: str | None, persona: Path | None, disclosure: str | None) -> None:
    """Makes an avatar; its voice and persona are tried first."""
    from agent.persona import load_persona  # noqa: PLC0415 - heavy
    from avatar.portrait.folder import DISCLOSURE, check_free, create_avatar  # noqa: PLC0415 - heavy

    check_free(name)
    if persona:
        load_persona(persona)
    if voice:
        _try_voice(voice)
    began = time.monotonic()
    with stage("finding the face and fitting the head"):
        told = DISCLOSURE if disclosure is None else disclosure
        made = create_avatar(photo, name, voice=voice or "", persona=persona, disclosure=told, note=note)
    print(f"{name}: made in {time.monotonic() - began:.1f} s in {made.path}")


def show_all() -> None:
    """Prints every avatar with what it has of its own."""
    from avatar.portrait.folder import avatars_dir, list_avatars  # noqa: PLC0415 - heavy

    avatars = list_avatars()
    if not avatars:
        note(f"there are no avatars yet in {avatars_dir()}")
    width = max((len(avatar.name) for avatar in avatars), default=0)
    for avatar in avatars:
        own = [f"voice {avatar.about.voice}"] if avatar.voice else []
        own += ["own persona"] if avatar.persona else []
        print(f"{avatar.name:<{width}}  {avatar.path}{'  ' + ', '.join(own) if own else ''}")


def show(name: str, output: Path | None) -> None:
    """Prints what an avatar is and may do; draws its contact sheet, if asked to."""
    from avatar.portrait.folder import open_avatar  # noqa: PLC0415 - heavy

    sheet = check_output(output, (".png",)) if output else None
    avatar = open_avatar(name)
    with stage("preparing the portrait"):
        portrait = avatar.portrait(note=note)
    print(f"folder      {avatar.path}")
    print(f"photo       {avatar.about.photo}, the face {portrait.face_width:.0f} of {len(portrait.rgb)} pixels wide")
    print(f"fit         {100 * portrait.head.residual:.2f} % of the face's width")
    print(f"turns       {_turns(portrait)}")
    print(f"voice       {avatar.about.voice or 'the configured one'}")
    print(f"persona     {avatar.about.persona or 'the configured one'}")
    print(f"disclosure  {avatar.about.disclosure}")
    if sheet:
        from agent.commands.sheet import write_sheet  # noqa: PLC0415 - heavy

        with stage("drawing the contact sheet"):
            write_sheet(sheet, portrait)
        print(sheet)


def export(name: str, file: Path) -> None:
    """Writes an avatar into one file, which can be imported elsewhere."""
    from avatar.portrait.archive import export_avatar  # noqa: PLC0415 - heavy
    from avatar.portrait.folder import open_avatar  # noqa: PLC0415 - heavy

    file = check_output(file, (".zip",))
    avatar = open_avatar(name)
    scratch = scratch_file(file)
    try:
        export_avatar(avatar, scratch)
        size = scratch.stat().st_size
        scratch.replace(file)
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise OutputError(f"writing {file}", expected="room and leave to write it", got=got) from error
    finally:
        scratch.unlink(missing_ok=True)
    print(f"{name}: exported to {file} ({size / 1e6:.1f} MB)")


def import_(file: Path, name: str | None) -> None:
    """Makes an avatar of an exported file; its voice and persona are tried before it is kept."""
    from agent.persona import load_persona  # noqa: PLC0415 - heavy
    from avatar.portrait.archive import import_avatar  # noqa: PLC0415 - heavy

    def check(avatar: AvatarFolder) -> None:
        if avatar.persona:
            load_persona(avatar.persona)
        if avatar.voice:
            _try_voice(avatar.voice)

    with stage("finding the face and fitting the head"):
        made = import_avatar(file, name, check=check, note=note)
    print(f"{made.name}: imported to {made.path}")


def _try_voice(voice: str) -> None:
    from agent.options import HEART, PiperOptions  # noqa: PLC0415 - heavy

    if voice != HEART:
        from agent.tts import PiperEngine  # noqa: PLC0415 - heavy

        with stage("trying the voice"):
            PiperEngine(PiperOptions(voice=voice), 0)


def remove(name: str) -> None:
    """Removes an avatar."""
    from avatar.portrait.folder import remove_avatar  # noqa: PLC0415 - heavy

    remove_avatar(name)
    print(f"{name}: removed")


def _turns(portrait: Portrait) -> str:
    import numpy as np  # noqa: PLC0415 - not needed to list

    from avatar.motion.layout import INDEX  # noqa: PLC0415
    from avatar.portrait.limits import limits_of  # noqa: PLC0415 - heavy

    limits = limits_of(portrait)
    ways = {"yaw": ("right", "left"), "pitch": ("down", "up")}
    ranges: list[str] = []
    for axis, (less, more) in ways.items():
        low, high = np.rad2deg([-limits.low[INDEX[axis]], limits.high[INDEX[axis]]])
        ranges.append(f"{low:.0f} degrees {less}, {high:.0f} {more}")
    return "; ".join(ranges)
