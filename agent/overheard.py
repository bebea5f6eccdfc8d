"""What the microphone hears while the avatar speaks: its own echo, listeners' sounds, or someone who wants the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from livekit.agents import stt, vad

from agent.turns import is_backchannel, is_echo
from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORDS: Final = {
    stt.SpeechEventType.INTERIM_TRANSCRIPT,
    stt.SpeechEventType.PREFLIGHT_TRANSCRIPT,
    stt.SpeechEventType.FINAL_TRANSCRIPT,
}

_BLOCKS_PER_SECOND: Final = 50
"""Blocks that are judged by themselves: 20 ms."""

_ECHO: Final = 0.25
"""Loudness below which sound may be the echo of the avatar's, relative to it: 12 dB. A browser's canceller leaves less,
and who speaks into a microphone is louder."""

_HELD_BLOCKS: Final = 15
"""Blocks for which someone who was loud enough may be softer: 0.3 s."""


_SILENT_AGAIN: Final = 0.2
"""Seconds of silence after which it goes on: longer than the stops within words, and than commas ("Wait, ...")."""


class Voice(Protocol):
    """What the avatar says now."""

    @property
    def speaking(self) -> bool:
        """Whether a reply is being heard, or pauses."""
        ...

    @property
    def lately(self) -> str:
        """Its words, those of the reply before included."""
        ...

    @property
    def loudness(self) -> float:
        """The loudest root mean square that an echo in the microphone's sound now may come from, in [0, 1]."""
        ...


class Hushable(Protocol):
    """A voice that can be held back."""

    def hush(self) -> None:
        """Stops in place if it speaks."""
        ...

    def unhush(self) -> None:
        """Goes on from there."""
        ...


class Courtesy:
    """Holds the avatar's voice back as soon as somebody else speaks; it goes on when they are silent again.

    Whether they want the turn is known only later, by how long they speak or by their words; meanwhile nobody talks
    over them.

    Args:
        voice: The avatar's.
        after: Seconds of their speech; None never holds it back.
    """

    def __init__(self, voice: Hushable, after: float | None) -> None:
        self._voice = voice
        self._after = after

    def heard(self, window: vad.VADEvent) -> None:
        """Takes what a detector says of the latest sound."""
        if self._after is not None and window.raw_accumulated_speech >= self._after:
            self._voice.hush()
        elif window.raw_accumulated_silence >= _SILENT_AGAIN:
            self._voice.unhush()


def wants_turn(event: stt.SpeechEvent, voice: Voice) -> bool:
    """Returns whether livekit should hear of an event: not of the avatar's own words, nor of a listener's sounds."""
    if event.type not in _WORDS or not event.alternatives:
        return True
    said = event.alternatives[0]
    text = said.text
    if voice.speaking and is_backchannel(text, str(said.language)):
        return False
    return not (voice.loudness > 0 and is_echo(text, voice.lately))


class EchoGate:
    """Silences what may be the avatar's own voice in the microphone, judged by its loudness.

    Sound passes whole while the avatar is silent. While it speaks, blocks that are much softer than its voice are
    silenced unless someone has just been louder.

    Args:
        voice: What the avatar says.
    """

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._held = 0

    def clean(self, samples: NDArray[np.float32], sample_rate: int = SPEECH_RATE) -> NDArray[np.float32]:
        """Returns float32 (n_samples,) without the echo."""
        loudness = self._voice.loudness
        if loudness <= 0:
            self._held = 0
            return samples
        cleaned = samples.copy()
        length = sample_rate // _BLOCKS_PER_SECOND
        for start in range(0, len(samples), length):
            block = cleaned[start : start + length]
            if float(np.sqrt(np.mean(np.square(block)))) >= _ECHO * loudness:
                self._held = _HELD_BLOCKS
            elif self._held:
                self._held -= 1
            else:
                block[:] = 0.0
        return cleaned
