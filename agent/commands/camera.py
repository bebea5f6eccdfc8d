"""`camera`: the avatar as a webcam, for Zoom, Teams, Meet or OBS."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from typing import TYPE_CHECKING

from agent.call import Call, CallDevices
from agent.config import load_config
from agent.devices import list_devices
from avatar.errors import InputError
from avatar.publish.camera import VirtualCamera

if TYPE_CHECKING:
    import argparse

    from agent.config import Config


def run(args: argparse.Namespace) -> int:
    """Takes calls until Ctrl-C.

    ``args.size``, ``args.device`` and ``args.backend`` say what camera; ``args.mic``, ``args.speaker`` and
    ``args.echo_cancellation`` what sound; ``args.config``, ``args.portrait`` and ``args.seed`` with whom.
    ``args.list`` lists the sound devices instead.

    Raises:
        VisavisError: The configuration, a model, the camera or a sound device can't be used.
    """
    if args.list:
        for what, devices in (("microphones", list_devices("in")), ("speakers", list_devices("out"))):
            print(f"{what}:")
            for device in devices:
                print(f"  {device.name}" + (f"  ({device.server_name})" if device.server_name else ""))
        return 0
    size = re.fullmatch(r"(\d{1,5})x(\d{1,5})", args.size)
    if size is None:
        raise InputError("opening the camera", expected="a size such as 1280x720", got=args.size)
    config = load_config(args.config, portrait=args.portrait, seed=args.seed)
    devices = CallDevices(args.mic, args.speaker, args.echo_cancellation)
    with VirtualCamera(int(size[1]), int(size[2]), args.device, args.backend) as camera:
        try:
            asyncio.run(take_calls(config, camera, devices))
        except KeyboardInterrupt:
            _note("\nbye")
    return 0


async def take_calls(config: Config, camera: VirtualCamera, devices: CallDevices) -> None:
    """Runs one conversation over the camera and the devices until the process is asked to end.

    Raises:
        VisavisError: A model, the camera or a sound device can't be used.
    """
    from agent.web.conversation import LoadStage, LoadState  # noqa: PLC0415 - keeps --list light
    from agent.web.gallery import PhotoGallery  # noqa: PLC0415 - heavy
    from agent.web.live import LiveEngine  # noqa: PLC0415 - heavy

    def progress(stage: LoadStage) -> None:
        if stage.state in (LoadState.READY, LoadState.FAILED):
            _note(f"  {stage.name}: {stage.state}")

    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    with PhotoGallery(config) as gallery:
        engine = LiveEngine(config, gallery)
        try:
            async with Call(camera, devices, _note) as call:
                _note(f"  shows itself on {camera.name}\nloading ...")
                loading = asyncio.create_task(engine.load(progress))
                talking = asyncio.create_task(call.run(engine.open(gallery.options().default())))
                stop = asyncio.create_task(ending.wait())
                try:
                    await asyncio.wait([loading, talking, stop], return_when=asyncio.FIRST_COMPLETED)
                    if loading.done() and not talking.done():
                        await loading
                        print(f"Choose the camera {camera.name} in your meeting (Ctrl-C ends)", flush=True)
                        await asyncio.wait([talking, stop], return_when=asyncio.FIRST_COMPLETED)
                    if talking.done():
                        await talking
                finally:
                    for task in (loading, talking, stop):
                        task.cancel()
                    await asyncio.wait([loading, talking, stop])
        finally:
            await engine.aclose()


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
