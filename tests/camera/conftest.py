"""A registered camera, and a sound server with two virtual cables."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import pyvirtualcam

from agent.devices import portaudio
from tests.camera.memory_camera import MemoryCamera

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_PATIENCE = 20


@pytest.fixture
def memory_camera() -> Generator[type[MemoryCamera]]:
    """The camera that pyvirtualcam opens as the backend ``memory``."""
    pyvirtualcam.register_backend("memory", MemoryCamera)
    yield MemoryCamera
    del pyvirtualcam.camera.BACKENDS["memory"]
    MemoryCamera.opened = None


@pytest.fixture(scope="module")
def cables(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """A PulseAudio server of its own with two null sinks: ``meeting``, the default, and ``cable``."""
    home: Path = tmp_path_factory.mktemp("pulse")
    script = home / "default.pa"
    script.write_text(
        f"load-module module-native-protocol-unix auth-anonymous=1 socket={home}/native\n"
        "load-module module-null-sink sink_name=meeting sink_properties=device.description=Meeting\n"
        "load-module module-null-sink sink_name=cable sink_properties=device.description=Cable\n"
        "set-default-sink meeting\n"
    )
    patch = pytest.MonkeyPatch()
    patch.setenv("PULSE_SERVER", f"unix:{home}/native")
    for name in ("PULSE_SINK", "PULSE_SOURCE"):
        patch.setenv(name, "")
        os.environ.pop(name, None)
    environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    server = subprocess.Popen(  # noqa: S603 - our own words
        ["pulseaudio", "-n", "-F", str(script), "--exit-idle-time=-1", "--daemonize=no", "--use-pid-file=no"],  # noqa: S607 - where the system has it
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + _PATIENCE
        while subprocess.run(["pactl", "info"], capture_output=True, check=False).returncode:  # noqa: S607
            assert server.poll() is None, "the sound server ended"
            assert time.monotonic() < end, "the sound server does not answer"
        sounddevice = portaudio()  # lists devices once, and another test may have asked already
        sounddevice._terminate()
        sounddevice._initialize()
        yield
    finally:
        server.terminate()
        server.wait(_PATIENCE)
        patch.undo()
