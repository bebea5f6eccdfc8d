"""A conversation: livekit-agents' AgentSession over our ears, our mouth and the configured parts, without a room."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, Self

from livekit.agents import AgentSession, llm
from livekit.agents import utils as livekit_utils
from livekit.agents.types import APIConnectOptions
from livekit.agents.voice.agent_session import SessionConnectOptions

from agent.endpoints import endpoint_error, no_answer
from agent.events import AvatarSaid, AvatarWords, Failed, StateChanged, TurnMeasured, UserSaid, UserSpeaking
from agent.input import PushedInput
from agent.latency import TurnTimer
from agent.output import AvatarOutput, CaptionOutput
from agent.overheard import Courtesy, EchoGate
from agent.persona_agent import PersonaAgent
from agent.turns import WordTurnDetector
from agent.vad import VoicedVAD
from avatar.types import SPEECH_RATE, AvatarState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from agent.config import Config
    from agent.events import SessionEvent
    from agent.output import SpeechSink
    from agent.parts import Parts

_STATES: Final = {
    "initializing": AvatarState.IDLE,
    "idle": AvatarState.IDLE,
    "listening": AvatarState.LISTENING,
    "thinking": AvatarState.THINKING,
    "speaking": AvatarState.SPEAKING,
}
_MOST_ATTEMPTS: Final = 6
"""Answers that are prepared for one turn, each for a pause in it."""

_LOG = logging.getLogger(__name__)

_CLOSING_SECONDS: Final = 10.0
"""Nothing is known any more that would take so long; a service's client might."""

_AWAY_SECONDS: Final = 15.0
"""Seconds of silence on both sides after which the avatar idles."""


class VoiceSession:
    """One conversation with one user; an async context manager, used in one event loop.

    Args:
        parts: What it is made of; they outlive it.
        config: Turns and timeouts.
        sink: Plays the avatar's speech.
        on_event: Called in the event loop with everything that happens.
        earlier: What was said before, as `history` tells it: the conversation goes on from there.
    """

    def __init__(
        self,
        parts: Parts,
        config: Config,
        sink: SpeechSink,
        on_event: Callable[[SessionEvent], None],
        *,
        earlier: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._earlier = list(earlier)
        self._parts = parts
        self._config = config
        self._sink = sink
        self._tell = on_event
        self._timer = TurnTimer(time.time)
        self._input = PushedInput()
        self._echo: EchoGate | None = None
        self._cleanup = AsyncExitStack()
        self._session: AgentSession[Any] | None = None
        self._avatar: PersonaAgent | None = None

    @property
    def history(self) -> list[tuple[str, str]]:
        """Who said what so far, ``user`` or ``assistant`` and the words that were heard; without the examples."""
        if self._session is None:
            return self._earlier
        messages = [item for item in self._session.history.items if isinstance(item, llm.ChatMessage)]
        return self._earlier + [
            (item.role, (item.text_content or "").strip()) for item in messages if item.role in {"user", "assistant"}
        ]

    async def __aenter__(self) -> Self:
        """Starts listening."""
        await self._cleanup.enter_async_context(livekit_utils.http_context.open())
        captions = CaptionOutput(lambda words: self._tell(AvatarWords(words)))
        output = AvatarOutput(self._sink, captions)
        output.on("playback_started", lambda _event: self._on_audible())
        self._cleanup.push_async_callback(captions.aclose)
        self._echo = EchoGate(output)
        session = self._session = self._make_session(output)
        session.input.audio = self._input
        session.output.audio = output
        session.output.transcription = captions
        self._cleanup.push_async_callback(session.aclose)
        avatar = self._avatar = PersonaAgent(
            self._parts, self._earlier, self._timer, output, self._config.motion.feel(), self._fail_on_silence
        )
        await session.start(avatar, record=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hangs up; what does not end by itself is left after a few seconds."""
        self._input.close()
        if self._avatar is not None:
            self._avatar.hang_up()
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._cleanup.aclose()
        except TimeoutError:
            _LOG.warning("The voice loop did not end within %.0f s", _CLOSING_SECONDS)

    def push_audio(self, samples: NDArray[np.float32], sample_rate: int = SPEECH_RATE) -> None:
        """Adds the user's sound, float32 (n_samples,), mono; the avatar's own voice in it is silenced."""
        self._input.push(self._echo.clean(samples, sample_rate) if self._echo else samples, sample_rate)

    def say(self, text: str) -> None:
        """Has the avatar say something, unasked."""
        self._running.say(text)

    def ask(self, text: str) -> None:
        """Has the avatar answer a typed text."""
        self._timer.user_typed()
        self._running.generate_reply(user_input=text)

    def take_up(self, wish: str) -> None:
        """Has the avatar speak first; `wish` tells the LLM what about, and stays out of the history."""
        self._running.generate_reply(instructions=wish)

    def interrupt(self) -> None:
        """Has the avatar stop speaking."""
        self._running.interrupt()

    @property
    def _running(self) -> AgentSession[Any]:
        if self._session is None:
            raise RuntimeError("the session has not been entered")
        return self._session

    def _make_session(self, voice: AvatarOutput) -> AgentSession[Any]:
        turns = self._config.turns
        courtesy = Courtesy(voice, turns.hush if turns.interruptible else None)
        connect = APIConnectOptions(max_retry=1, retry_interval=0.5, timeout=self._config.timeout)
        session: AgentSession[Any] = AgentSession(
            vad=VoicedVAD(self._parts.vad, courtesy.heard),
            stt=self._parts.stt,
            llm=self._parts.llm,
            tts=self._parts.tts,
            turn_handling={
                "turn_detection": WordTurnDetector() if self._parts.detection == "words" else self._parts.detection,
                "endpointing": {"mode": "fixed", "min_delay": turns.min_delay, "max_delay": turns.max_delay},
                "interruption": {
                    "enabled": turns.interruptible,
                    "mode": "vad",
                    "min_duration": turns.min_interruption,
                    "resume_false_interruption": True,
                    "false_interruption_timeout": turns.false_interruption,
                },
                "preemptive_generation": {
                    "enabled": turns.preemptive,
                    "preemptive_tts": True,
                    "max_retries": _MOST_ATTEMPTS,
                },
            },
            # livekit's filters hold a sentence back until the next one comes; ours takes it whole
            tts_text_transforms=None,
            use_tts_aligned_transcript=True,
            aec_warmup_duration=None,
            session_close_transcript_timeout=0.0,  # nobody answers what was said last
            user_away_timeout=_AWAY_SECONDS,
            conn_options=SessionConnectOptions(
                stt_conn_options=connect, llm_conn_options=connect, tts_conn_options=connect
            ),
        )
        session.on("agent_state_changed", lambda event: self._on_state(event.new_state))
        session.on("user_state_changed", self._on_user_state)
        session.on("user_input_transcribed", self._on_transcript)
        session.on("conversation_item_added", self._on_item)
        session.on("error", self._on_error)
        return session

    def _on_state(self, state: str) -> None:
        if state == "thinking":
            self._timer.mark("turn_end")
        self._tell(StateChanged(_STATES[state]))

    def _on_user_state(self, event: Any) -> None:  # noqa: ANN401 - livekit's event
        if event.new_state == "speaking":
            self._timer.user_started()
            self._tell(UserSpeaking(speaking=True))
        elif event.old_state == "speaking":
            self._timer.user_stopped(event.created_at)
            self._tell(UserSpeaking(speaking=False))
        if event.new_state == "away":
            self._tell(StateChanged(AvatarState.IDLE))
        elif event.old_state == "away":
            self._tell(StateChanged(AvatarState.LISTENING))

    def _on_transcript(self, event: Any) -> None:  # noqa: ANN401 - livekit's event
        if event.is_final:
            self._timer.mark("transcript_final")
        self._tell(UserSaid(event.transcript, event.is_final))

    def _on_item(self, event: Any) -> None:  # noqa: ANN401 - livekit's event
        item = event.item
        if isinstance(item, llm.ChatMessage) and item.role == "assistant":
            self._tell(AvatarSaid((item.text_content or "").strip(), item.interrupted))

    def _on_audible(self) -> None:
        if report := self._timer.finish():
            self._tell(TurnMeasured(report))

    def _on_error(self, event: Any) -> None:  # noqa: ANN401 - livekit's event
        if not event.error.recoverable:
            self._tell(Failed(endpoint_error(event.error.type, event.error.error, self._config)))

    def _fail_on_silence(self) -> None:
        self._tell(Failed(no_answer(self._config)))
