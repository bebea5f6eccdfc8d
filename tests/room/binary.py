"""Where LiveKit's server is on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def find_server() -> Path | None:
    """Returns the server that `scripts/livekit_server` built, else an installed one, if there is any."""
    built = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "visavis"
    found = sorted(built.glob("livekit-server-*/livekit-server"))
    installed = shutil.which("livekit-server")
    return found[-1] if found else Path(installed) if installed else None
