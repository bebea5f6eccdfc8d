"""Holds a conversation over recorded sound in real time, and writes down what happened when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from agent.events import AvatarSaid, Failed, StateChanged, TurnMeasured, UserSaid, UserSpeaking
from agent.playout import HeardFrame, PacedSink
from agent.session import VoiceSession
from avatar.errors import EndpointError, InputError
from avatar.types import FRAME_RATE, SPEECH_RATE, AvatarState

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from agent.config import Config
    from agent.events import SessionEvent
    from agent.latency import LatencyReport
    from agent.parts import Parts
    from avatar.clock import Clock

_STEP: Final = SPEECH_RATE // 50
"""Samples that are pushed at once: 20 ms."""

_STEPS_PER_FRAME: Final = 50 // FRAME_RATE

_QUIET_SECONDS: Final = 0.6
"""Seconds without anything to hear or to wait for, after which the conversation is over."""

_UNHEARD_SECONDS: Final = 3.0
"""Seconds after the sound's end in which the detector must have found speech."""


@dataclass
class Recording:
    """A conversation, frame by frame at 25 a second.

    Attributes:
        states: What the avatar did in each frame.
        heard: The frames in which it spoke, with their sound.
        transcripts: What the user said, a text for each final transcript.
        replies: What the avatar said.
        latencies: How long the user waited for each reply.
    """

    states: list[AvatarState] = field(default_factory=list)
    heard: list[HeardFrame] = field(default_factory=list)
    transcripts: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    latencies: list[LatencyReport] = field(default_factory=list)


async def hold_conversation(
    parts: Parts,
    config: Config,
    question: NDArray[np.float32],
    clock: Clock,
    on_event: Callable[[SessionEvent], None] | None = None,
) -> Recording:
    """Plays a question to the avatar, in real time, until it has answered.

    Args:
        parts: What the session is made of.
        config: Turns and timeouts.
        question: float32 (n_samples,) at 16 kHz.
        clock: Paces the sound.
        on_event: Is told everything that happens.

    Raises:
        InputError: Nobody speaks in the question.
        EndpointError: A service failed, or did not answer in time.
    """
    sink = PacedSink()
    scribe = _Scribe(on_event)
    async with VoiceSession(parts, config, sink, scribe.on_event) as session:
        start = clock.now()
        n_steps = 0
        while not scribe.is_over(sink, n_steps * _STEP / SPEECH_RATE, len(question) / SPEECH_RATE, config.timeout):
            await clock.sleep_until(start + n_steps * _STEP / SPEECH_RATE)
            sound = question[n_steps * _STEP : (n_steps + 1) * _STEP]
            session.push_audio(np.pad(sound, (0, _STEP - len(sound))))
            if n_steps % _STEPS_PER_FRAME == 0:
                sink.step()
                scribe.recording.states.append(scribe.state)
            n_steps += 1
    scribe.recording.heard = sink.heard
    return scribe.recording


class _Scribe:
    """Writes events down and knows when nothing more will come."""

    def __init__(self, on_event: Callable[[SessionEvent], None] | None) -> None:
        self.recording = Recording()
        self.state = AvatarState.LISTENING
        self._on_event = on_event
        self._failure: Exception | None = None
        self._user_speaks = False
        self._spoke = False
        self._n_owed = 0
        self._quiet_since: float | None = None

    def on_event(self, event: SessionEvent) -> None:
        """Takes an event of the session."""
        match event:
            case StateChanged(state):
                self.state = AvatarState.LISTENING if state is AvatarState.IDLE else state
            case UserSpeaking(speaking):
                self._user_speaks = speaking
                self._spoke = True
            case UserSaid(text, final=True):
                self.recording.transcripts.append(text)
                self._n_owed = 1
            case AvatarSaid(text):
                self.recording.replies.append(text)
                self._n_owed = 0
            case TurnMeasured(latency):
                self.recording.latencies.append(latency)
            case Failed(error):
                self._failure = self._failure or error
            case _:
                pass
        if self._on_event:
            self._on_event(event)

    def is_over(self, sink: PacedSink, now: float, question_end: float, timeout: float) -> bool:
        """Returns whether the conversation is over.

        Raises:
            InputError: Nothing was said.
            EndpointError: A service failed, or the answer is overdue.
        """
        if self._failure:
            raise self._failure
        busy = sink.busy or self._user_speaks or bool(self._n_owed) or self.state is not AvatarState.LISTENING
        if now < question_end or busy:
            self._quiet_since = None
            if now > question_end + 2 * timeout and not sink.busy:
                raise EndpointError(
                    "waiting for the answer", expected=f"one within {2 * timeout:g} s", got="nothing to hear"
                )
            return False
        if not self.recording.transcripts:
            if now > question_end + (timeout if self._spoke else _UNHEARD_SECONDS):
                raise InputError(
                    "listening to the question", expected="speech in it", got="no words", hint="is it loud enough?"
                )
            return False
        if self._quiet_since is None:
            self._quiet_since = now
        return now - self._quiet_since >= _QUIET_SECONDS
