"""Speech from festival (Taylor, Black & Caley 1998), one process for several texts."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from avatar.training.corpus.audio import decode_wav
from avatar.training.corpus.phones import PHONE_SETS, from_ends
from avatar.training.corpus.voices import Utterance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from avatar.training.corpus.phones import Phone

_ENCODINGS = {"cs": "iso-8859-2", "hi": "utf-8", "mr": "utf-8", "ru": "utf-8", "te": "utf-8"}


def parse_segments(labels: str, language: str) -> list[Phone]:
    """Returns the phones of a label file: ``#``, then lines of end time, colour and name."""
    rows = [line.split() for line in labels.splitlines() if line and not line.startswith("#")]
    return from_ends([row[2] for row in rows], [float(row[0]) for row in rows], PHONE_SETS[language])


def speak_all(voice: str, language: str, texts: Sequence[str]) -> list[Utterance]:
    """Returns texts spoken by a festival voice, in order; a text that festival can't say is left out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [f"(voice_{voice})"]
        for index, text in enumerate(texts):
            spoken = text.replace("\\", " ").replace('"', " ")
            lines.append(f'(set! said (unwind-protect (SynthText "{spoken}") nil))')
            lines.append(f'(if said (begin (utt.save.segs said "{folder / f"{index}.lab"}")')
            lines.append(f'  (utt.save.wave said "{folder / f"{index}.wav"}" \'riff)))')
        script = folder / "script.scm"
        script.write_bytes("\n".join(lines).encode(_ENCODINGS.get(language, "iso-8859-15"), "replace"))
        subprocess.run(["festival", "-b", str(script)], check=True, capture_output=True)  # noqa: S603, S607  # see the build's check
        utterances: list[Utterance] = []
        for index in range(len(texts)):
            labels, sound = folder / f"{index}.lab", folder / f"{index}.wav"
            if sound.is_file():
                phones = parse_segments(labels.read_text("iso-8859-15"), language)
                utterances.append(Utterance(decode_wav(sound.read_bytes()), tuple(phones)))
        return utterances
