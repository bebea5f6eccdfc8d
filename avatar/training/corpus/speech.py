"""Speaks text with any of the corpus's voices, and keeps what was spoken, so that labels can be made anew cheaply."""

from __future__ import annotations

import ctypes.util
import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.errors import InputError
from avatar.training.corpus import speech_espeak, speech_festival, speech_flite, speech_piper
from avatar.training.corpus.files import write_npz
from avatar.training.corpus.phones import Phone
from avatar.training.corpus.voices import VOICES, Utterance, Voice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

APT_PACKAGES: Final = (
    "flite festival espeak-ng libespeak-ng1 festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k "
    "festvox-ca-ona-hts festvox-ru festvox-italp16k festvox-suopuhe-lj festvox-itapc16k festvox-suopuhe-mv "
    "festvox-czech-dita festvox-czech-krb festvox-czech-machac festvox-czech-ph festvox-hi-nsk festvox-mr-nsk "
    "festvox-te-nsk"
)
"""Debian packages that hold the engines and voices besides Piper's."""


def check_engines() -> None:
    """Makes sure that every engine and voice is installed.

    Raises:
        InputError: Something is missing; the message names it and the Debian packages.
    """
    missing = [name for name in ("flite", "festival") if shutil.which(name) is None]
    if ctypes.util.find_library("espeak-ng") is None:
        missing.append("libespeak-ng")
    if "festival" not in missing:
        script = "(mapcar (lambda (name) (print name)) (voice.list))"
        command = ["festival", "-b", script]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603  # fixed arguments
        wanted = (voice.name for voice in VOICES if voice.engine == "festival")
        missing += [f"festival voice {name}" for name in wanted if name not in listed]
    if missing:
        raise InputError(
            "preparing the speech engines",
            expected="flite, festival, espeak-ng and their voices installed",
            got="no " + ", no ".join(missing),
            hint=f"apt-get install -y {APT_PACKAGES}",
        )


def speak(voice: Voice, texts: Sequence[str], seed: int, cache: Path | None = None) -> list[Utterance]:
    """Returns texts spoken by a voice, in order; a text that the engine can't say is left out.

    Args:
        voice: Who speaks.
        texts: What.
        seed: Repeats a voice that varies (Piper).
        cache: Folder in which utterances are kept, or None.
    """
    if cache is None:
        return _synthesise(voice, texts, seed)
    key = hashlib.sha256("\0".join([voice.label, str(seed), *texts]).encode()).hexdigest()[:24]
    path = cache / f"{key}.npz"
    if not path.is_file():
        utterances = _synthesise(voice, texts, seed)
        write_npz(path, _packed(utterances))
    with np.load(path) as stored:
        return _unpacked({name: stored[name] for name in stored.files})


def _synthesise(voice: Voice, texts: Sequence[str], seed: int) -> list[Utterance]:
    match voice.engine:
        case "flite":
            spoken = [speech_flite.speak(voice.name, text) for text in texts]
        case "festival":
            spoken = speech_festival.speak_all(voice.name, voice.language, texts)
        case "espeak":
            spoken = [speech_espeak.speak(voice.name, text) for text in texts]
        case _:
            pace = float(np.random.default_rng([seed, 7]).uniform(0.85, 1.2))
            spoken = [speech_piper.speak(text, seed + index, pace=pace) for index, text in enumerate(texts)]
    return [one for one in spoken if one.seconds > 0.3 and any(not phone.is_pause for phone in one.phones)]


def _packed(utterances: Sequence[Utterance]) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {"count": np.array(len(utterances))}
    for index, one in enumerate(utterances):
        arrays[f"samples_{index}"] = (one.samples.clip(-1, 1) * 32767).astype(np.int16)
        arrays[f"names_{index}"] = np.array([phone.name for phone in one.phones])
        arrays[f"times_{index}"] = np.array([(phone.start, phone.end) for phone in one.phones])
    return arrays


def _unpacked(arrays: dict[str, np.ndarray]) -> list[Utterance]:
    utterances: list[Utterance] = []
    for index in range(int(arrays["count"])):
        names, times = arrays[f"names_{index}"].tolist(), arrays[f"times_{index}"].tolist()
        phones = tuple(Phone(name, start, end) for name, (start, end) in zip(names, times, strict=True))
        utterances.append(Utterance((arrays[f"samples_{index}"] / 32767).astype(np.float32), phones))
    return utterances
