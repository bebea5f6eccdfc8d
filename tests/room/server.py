"""LiveKit's own server on the loopback, as `scripts/livekit_server` builds it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from agent.room.account import Account
from tests.room.binary import find_server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEY = "testing"
SECRET = "a secret that is long enough for everybody"  # noqa: S105 - the tests' own
_PATIENCE = 60.0


class LiveKitServer:
    """A server process; it sends nothing beyond this machine.

    Args:
        log: Where its log goes.
        departure: Seconds after which a room closes that everybody has left.
    """

    def __init__(self, log: Path, departure: int = 2) -> None:
        self._log = log
        self._udp = _free_port(socket.SOCK_DGRAM)
        self._port = _free_port(socket.SOCK_STREAM)
        self._departure = departure
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def account(self) -> Account:
        return Account(f"ws://127.0.0.1:{self._port}", KEY, SECRET)

    def start(self) -> None:
        """Starts it and returns when it answers; later times at the same address."""
        server = find_server()
        assert server is not None
        configuration = {
            "port": self._port,
            "bind_addresses": ["127.0.0.1"],
            "keys": {KEY: SECRET},
            "rtc": {
                "udp_port": self._udp,
                "tcp_port": _free_port(socket.SOCK_STREAM),
                "node_ip": "127.0.0.1",
                "enable_loopback_candidate": True,
                "interfaces": {"includes": ["lo"]},
                "stun_servers": [f"127.0.0.1:{self._udp}"],  # the default ones are on the internet
            },
            "room": {"empty_timeout": 30, "departure_timeout": self._departure},
        }
        command: Sequence[str] = (str(server), "--dev", "--config-body", json.dumps(configuration))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 - our own
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                assert self._process.poll() is None, self._log.read_text()[-2000:]
                assert time.monotonic() < deadline, self._log.read_text()[-2000:]
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Ends it and waits until it is gone."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE)
            self._process = None


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
