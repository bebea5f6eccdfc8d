from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.room.server import LiveKitServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    """LiveKit's server, for every test that leaves it as it was."""
    server = LiveKitServer(tmp_path_factory.mktemp("livekit") / "server.log")
    server.start()
    yield server
    server.stop()
