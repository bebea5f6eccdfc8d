"""Speech from espeak-ng's library, whose events say when each phone begins.

The events name phones in IPA. The library keeps one synthesiser a process and reports stops about 40 ms late: its event
comes at the burst, after the closure (README.md).
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from avatar.errors import ModelError
from avatar.training.corpus.audio import resampled
from avatar.training.corpus.phones import PAUSE, Phone, ipa_letters, merged, moved_boundaries, spread
from avatar.training.corpus.voices import Utterance

if TYPE_CHECKING:
    from collections.abc import Sequence

_SYNCHRONOUS: Final = 2
_PHONEME_EVENTS_IN_IPA: Final = 1 | 2
_PHONEME: Final = 7
_END_OF_LIST: Final = 0
_UTF8: Final = 1
_DELAYS: Final = dict.fromkeys("tdkgʧʤʦʣcɟqʈɖ", 0.04) | dict.fromkeys("pb", 0.052) | {"m": 0.02}


class _Identity(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identity),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Library:
    """The loaded library, its sample rate, and what its callback collects."""

    def __init__(self) -> None:
        self._espeak = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self._espeak.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS_IN_IPA)
        if self.rate <= 0:
            raise ModelError("starting espeak-ng", expected="a sample rate", got=str(self.rate))
        self._sound: list[bytes] = []
        self._events: list[tuple[str, float]] = []
        self._callback = _Callback(self._collect)
        self._espeak.espeak_SetSynthCallback(self._callback)

    def _collect(self, wave: Any, n_samples: int, events: Any) -> int:  # noqa: ANN401  # ctypes pointers
        if wave:
            self._sound.append(ctypes.string_at(wave, 2 * n_samples))
        index = 0
        while events[index].type != _END_OF_LIST:
            if events[index].type == _PHONEME:
                name = events[index].id.string.decode("utf-8", "ignore")
                self._events.append((name, events[index].sample / self.rate))
            index += 1
        return 0

    def speak(self, voice: str, text: str) -> tuple[np.ndarray, list[tuple[str, float]]]:
        self._sound, self._events = [], []
        data = text.encode() + b"\0"
        steps = (
            ("choosing the voice", self._espeak.espeak_SetVoiceByName(voice.encode())),
            ("speaking", self._espeak.espeak_Synth(data, len(data), 0, 1, 0, _UTF8, None, None)),
            ("finishing", self._espeak.espeak_Synchronize()),
        )
        for step, status in steps:
            if status != 0:
                raise ModelError(f"{step} {voice} with espeak-ng", expected="status 0", got=str(status))
        return np.frombuffer(b"".join(self._sound), "<i2").astype(np.float32) / 32768, self._events


@cache
def _library() -> _Library:
    return _Library()


def phones_from_events(events: Sequence[tuple[str, float]], seconds: float) -> list[Phone]:
    """Returns the phones of a sound from its events, each an IPA name (empty for a pause) and its start in seconds."""
    phones = [Phone(PAUSE, 0.0, events[0][1])] if events else []
    ends = [start for _, start in events[1:]] + [seconds]
    for (name, start), end in zip(events, ends, strict=True):
        phones.extend(spread(ipa_letters(name) or (PAUSE,), start, max(start, end)))
    return moved_boundaries(merged(phones), _DELAYS)


def speak(voice: str, text: str) -> Utterance:
    """Returns a text spoken by an espeak-ng voice, e.g. ``de+f4``.

    Raises:
        ModelError: The library doesn't start or doesn't know the voice.
    """
    library = _library()
    samples, events = library.speak(voice, text)
    phones = phones_from_events(events, len(samples) / library.rate)
    return Utterance(resampled(samples, library.rate), tuple(phones))
