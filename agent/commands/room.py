"""`room`: a worker that joins LiveKit rooms with the avatar."""

from __future__ import annotations

import asyncio
import signal
import warnings
from typing import TYPE_CHECKING

from agent.commands.progress import note
from agent.config import load_config
from avatar.errors import InputError

if TYPE_CHECKING:
    import argparse

    from agent.config import Config
    from agent.web.conversation import LoadStage


def run(args: argparse.Namespace) -> int:
    """Serves rooms of the LiveKit server in LIVEKIT_URL until Ctrl-C or SIGTERM; a second one ends it at once.

    ``args.mode`` is ``start``, which ends after the conversations that run; ``dev``, which ends at once; or ``link``,
    which prints the address of a page that joins ``args.room``. ``args.name`` names the agent, ``args.rooms`` is the
    most rooms at a time, ``args.port`` answers health checks; ``args.config``, ``args.portrait`` and ``args.seed`` say
    with whom.

    Raises:
        VisavisError: The configuration, a model or the account can't be used.
    """
    from agent.room.account import read_account  # noqa: PLC0415 - loads livekit

    if args.rooms < 0:
        raise InputError("starting the worker", expected="at least 1 room", got=str(args.rooms))
    # The secret of `livekit-server --dev` is shorter than the token library likes.
    warnings.filterwarnings("ignore", message="The HMAC key is", module="jwt")
    account = read_account()
    if args.mode == "link":
        print(account.link(args.room))
        return 0
    config = load_config(args.config, portrait=args.portrait, seed=args.seed)
    try:
        asyncio.run(serve(config, args))
    except KeyboardInterrupt:
        note("\nbye")
    return 0


async def serve(config: Config, args: argparse.Namespace) -> None:
    """Loads the models, measures what the machine carries and serves rooms until the process is asked to end.

    Raises:
        VisavisError: A model or the account can't be used.
    """
    from agent.room.account import read_account, wait_for_server  # noqa: PLC0415 - loads livekit
    from agent.room.capacity import measure_capacity  # noqa: PLC0415 - heavy
    from agent.room.models import ModelLoop  # noqa: PLC0415 - heavy
    from agent.room.worker import HEALTH_PORT, RoomWorker, WorkerOptions  # noqa: PLC0415 - heavy
    from agent.web.gallery import PhotoGallery  # noqa: PLC0415 - heavy
    from agent.web.live import LiveEngine  # noqa: PLC0415 - heavy

    def progress(stage: LoadStage) -> None:
        if stage.state in ("ready", "failed"):
            note(f"  {stage.name}: {stage.state}")

    account = read_account()
    await wait_for_server(account, note)
    with PhotoGallery(config) as gallery:
        engine = LiveEngine(config, gallery)
        try:
            note("loading ...")
            await engine.load(progress)
            choice = gallery.options().default()
            capacity = args.rooms or await asyncio.to_thread(measure_capacity, await engine.face(choice.avatar))
            await engine.prepare(choice)
            port = args.port if args.port is not None else 0 if args.mode == "dev" else HEALTH_PORT
            options = WorkerOptions(capacity, args.name, port)
            worker = RoomWorker(account, ModelLoop(engine), options, note)
            await worker.run(_asked_to_end(), drain=args.mode == "start")
        finally:
            await engine.aclose()


def _asked_to_end() -> asyncio.Event:
    """Returns an event that the first signal sets; the second ends the process as Ctrl-C does."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def on_signal() -> None:
        if ending.is_set() and task is not None:
            task.cancel()
        ending.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, on_signal)
    return ending
