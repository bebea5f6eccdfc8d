"""Speech from flite (Black & Lenzo 2001), which prints each phone's end time."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from avatar.training.corpus.audio import decode_wav
from avatar.training.corpus.phones import PHONE_SETS, from_ends
from avatar.training.corpus.voices import Utterance

if TYPE_CHECKING:
    from avatar.training.corpus.phones import Phone

_SEGMENT = re.compile(r"(\S+):([0-9.]+)(?:\s|$)")


def parse_durations(output: str) -> list[Phone]:
    """Returns the phones in what ``flite -psdur`` prints, e.g. ``pau:0.245 ow:0.415 b:0.471``."""
    pairs = _SEGMENT.findall(output)
    return from_ends([name for name, _ in pairs], [float(end) for _, end in pairs], PHONE_SETS["en"])


def speak(voice: str, text: str) -> Utterance:
    """Returns a text spoken by one of flite's built-in voices."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own arguments
        return Utterance(decode_wav(path.read_bytes()), tuple(parse_durations(done.stdout)))
