"""The command line of Visavis."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from agent.steady import keep_pools_from_spinning, switch_threads_soon
from avatar.errors import VisavisError

if TYPE_CHECKING:
    from collections.abc import Callable

_EXAMPLES: Final = """examples:
  run_agent.py                                           talk with it in the browser: the command web
  run_agent.py --portrait me.jpg                         the same with a face of your own
  run_agent.py camera --speaker cable                    join a video call as a webcam
  run_agent.py room start                                join LiveKit rooms (LIVEKIT_URL and keys in the environment)
  run_agent.py converse question.wav -o reply.mp4        ask with a recording, get the spoken answer as a video
  run_agent.py speak "Good morning!" -o morning.mp4      let it say something
  run_agent.py animate speech.mp3 -o talking.mp4         let it say a recording
  run_agent.py animate speech.mp3 -o motion.csv          the same as ARKit curves (Live Link Face CSV)
  run_agent.py animate speech.mp3 -o head.glb            the same as a moving 3D head (glTF)
  run_agent.py render motion.csv --audio speech.mp3 -o talking.mp4
  run_agent.py track talking.mp4 -o motion.csv           read the motion of a person in a video
  run_agent.py avatar create me.jpg me                   keep a photo as an avatar: --portrait me
  run_agent.py doctor                                    see what is missing on this machine
"""


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\nhint: {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Returns the command line's grammar."""
    main = _Parser(
        prog="run_agent.py",
        description="Talk face to face with an AI, on your own machine.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = main.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)

    def add(name: str, about: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")

    _add_live(add)
    _add_files(add)
    _add_actions(add("avatar", "make, list, show, export, import and remove avatars"))
    doctor = add("doctor", "say what this machine has and lacks")
    doctor.add_argument("--config", type=Path, metavar="FILE", help=_CONFIG)
    doctor.add_argument("--port", type=int, default=8765, help="the page's port (default: 8765)")
    bench = add("bench", "measure the live conversation on this machine")
    bench.add_argument("--turns", type=int, default=20, metavar="N", help="scripted turns (default: 20)")
    bench.add_argument("--json", action="store_true", help="print the figures as JSON")
    _add_face(bench)
    bench.add_argument("--config", type=Path, metavar="FILE", help=_CONFIG)
    return main


def _add_live(add: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """Adds the commands that talk with somebody."""
    web = add("web", "talk with it in the browser (the default)")
    web.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    web.add_argument("--port", type=int, default=8765, help="0 takes a free one (default: 8765)")
    web.add_argument("--sessions", type=int, default=1, metavar="N", help="conversations at a time (default: 1)")
    web.add_argument("--no-open", dest="open", action="store_false", help="don't open the page in a browser")

    camera = add("camera", "join video calls as a webcam (Zoom, Teams, OBS)")
    camera.add_argument("--device", metavar="CAMERA", help="the virtual camera's name or file (default: the first)")
    camera.add_argument("--backend", metavar="NAME", help="v4l2loopback, obs or unitycapture (default: the system's)")
    camera.add_argument("--size", default="1280x720", metavar="WxH", help="format of the picture (default: 1280x720)")
    camera.add_argument("--mic", metavar="NAME", help="what it hears; the monitor of a sink is the meeting's own sound")
    camera.add_argument(
        "--speaker", metavar="NAME", help="where it speaks; a virtual cable is the meeting's microphone"
    )
    camera.add_argument(
        "--no-echo-cancellation",
        dest="echo_cancellation",
        action="store_false",
        help="leave its own voice in the sound",
    )
    camera.add_argument("--list", action="store_true", help="list microphones and speakers and end")

    room = add("room", "join LiveKit rooms with it")
    room.add_argument("mode", choices=("start", "dev", "link"), help="serve, serve and end at once, or print a link")
    room.add_argument("--name", default="", help="join only rooms that ask for this agent (default: every new room)")
    room.add_argument("--rooms", type=int, default=0, metavar="N", help="rooms at a time (default: as many as it can)")
    room.add_argument("--port", type=int, metavar="PORT", help="of the health check (default: 8081; with dev: any)")
    room.add_argument("--room", default="visavis", metavar="ROOM", help="what `link` joins (default: visavis)")

    for command in (web, camera, room):
        _add_face(command)
        _add_config(command)


def _add_files(add: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """Adds the commands that read and write files."""
    converse = add("converse", "answer a spoken question: the whole voice loop")
    converse.add_argument("question", type=Path, metavar="QUESTION", help="audio or video file with the question")
    converse.add_argument("--mute-user", action="store_true", help="leave the question out of the video")

    animate = add("animate", "make a portrait say a recording")
    animate.add_argument("speech", type=Path, metavar="SPEECH", help="audio or video file with speech")
    animate.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same motion (default: 0)")

    render = add("render", "render given motion")
    render.add_argument("motion", type=Path, metavar="MOTION.csv", help="motion in Live Link Face's layout")
    render.add_argument("--audio", type=Path, metavar="AUDIO", help="sound of the video")
    render.add_argument(
        "--relative", action="store_true", help="the photo is the motion's first frame and wears its expression already"
    )

    speak = add("speak", "make a portrait say a text")
    speak.add_argument(
        "text", metavar="TEXT", help='what to say, with [happy] or [nod] before words if you like; "-": standard input'
    )

    track = add("track", "read the motion of a person in a video")
    track.add_argument("video", type=Path, metavar="VIDEO", help="video of one talking person")

    video = "the video to write, .mp4"
    for command, result in (
        (converse, video),
        (animate, "the video (.mp4), the motion (.csv) or the moving head (.glb, .gltf) to write"),
        (render, video),
        (speak, video),
        (track, "the motion to write, .csv"),
    ):
        command.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=result)
    for command in (converse, animate, render, speak):
        _add_face(command)
    for command in (converse, speak):
        _add_config(command)


_CONFIG: Final = "configuration (default: configs/default.yaml)"


def _add_face(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--portrait", type=Path, metavar="FACE", help="photo, or an avatar's name or folder (default: ours)"
    )


def _add_config(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, metavar="FILE", help=_CONFIG)
    command.add_argument("--seed", type=int, metavar="N", help="same seed, same motion (default: the configuration's)")


def _add_actions(avatar: argparse.ArgumentParser) -> None:
    actions = avatar.add_subparsers(dest="action", metavar="ACTION", required=True)

    create = actions.add_parser("create", help="make an avatar of a photo")
    create.add_argument("photo", type=Path, metavar="PHOTO", help="photo of one person who looks into the camera")
    create.add_argument("name", metavar="NAME", help="small letters, digits, - and _")
    create.add_argument(
        "--voice", metavar="VOICE", help="its voice: heart, joe, or a Piper voice (.onnx), which is copied"
    )
    create.add_argument("--persona", type=Path, metavar="FILE", help="who it is: a persona file, which is copied")
    create.add_argument("--disclosure", metavar="TEXT", help="what viewers are told (default: that it is an AI)")
    actions.add_parser("list", help="list the avatars")
    show = actions.add_parser("show", help="tell what an avatar is")
    show.add_argument("name", metavar="NAME")
    show.add_argument("-o", "--output", type=Path, metavar="SHEET.png", help="also draw its main motions")
    actions.add_parser("remove", help="remove an avatar").add_argument("name", metavar="NAME")
    export = actions.add_parser("export", help="write an avatar into one file, for another machine")
    export.add_argument("name", metavar="NAME")
    export.add_argument("file", type=Path, metavar="FILE.zip")
    arrived = actions.add_parser("import", help="make an avatar of such a file")
    arrived.add_argument("file", type=Path, metavar="FILE.zip")
    arrived.add_argument("name", nargs="?", metavar="NAME", help="what to call it (default: as it was called)")


def main(arguments: list[str] | None = None) -> int:
    """Runs a command, `web` if none is named; returns its exit code, 2 if it failed or was interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments = ["web", *arguments]
    args = parser().parse_args(arguments)
    keep_pools_from_spinning()
    switch_threads_soon()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that whoever stops us finds nothing left behind
    try:
        if "portrait" in args:
            importlib.import_module("avatar.kernels").begin()
        return importlib.import_module(f"agent.commands.{args.command}").run(args)
    except VisavisError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
