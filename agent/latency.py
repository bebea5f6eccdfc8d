"""How long the user waited, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES: Final = {
    "vad_end": "silence noticed",
    "transcript_final": "transcript final",
    "llm_first_token": "LLM, first token",
    "llm_first_sentence": "LLM, first sentence",
    "turn_end": "turn over",
    "tts_first_audio": "TTS, first sound",
    "audible": "avatar audible",
    "motion_first_chunk": "motion, first chunk",
    "first_frame": "first frame drawn",
}
"""Names of the stages for people, in their usual order."""


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """Seconds from the end of the user's speech to each stage of the answer; None is unknown.

    With preemptive generation the LLM begins before the turn is over, and may even be done by then.

    Attributes:
        vad_end: The detector is certain that the user stopped.
        transcript_final: The last transcript is there.
        llm_first_token: The LLM's first text.
        llm_first_sentence: Its first whole sentence.
        turn_end: The turn is given to the avatar.
        tts_first_audio: The first sound of the answer is made.
        audible: The first sound of the answer is heard.
        motion_first_chunk: The motion for it is made.
        first_frame: The first picture of it is drawn.
    """

    vad_end: float | None = None
    transcript_final: float | None = None
    llm_first_token: float | None = None
    llm_first_sentence: float | None = None
    turn_end: float | None = None
    tts_first_audio: float | None = None
    audible: float | None = None
    motion_first_chunk: float | None = None
    first_frame: float | None = None

    def rows(self) -> list[tuple[str, float]]:
        """Returns the known stages' names and seconds, in order of time."""
        known = [(name, getattr(self, stage)) for stage, name in STAGES.items()]
        return sorted(((name, value) for name, value in known if value is not None), key=lambda row: row[1])


@dataclass(slots=True)
class TurnTimer:
    """Notes when each stage of the current turn happens.

    Attributes:
        now: Tells the time, in seconds since the epoch as livekit's events do.
    """

    now: Callable[[], float]
    _stopped_at: float | None = None
    _moments: dict[str, float] = field(default_factory=dict)

    def user_started(self) -> None:
        """The user speaks: a turn begins, or goes on."""
        self._stopped_at = None
        self._moments.clear()

    def user_stopped(self, stopped_at: float) -> None:
        """The detector noticed that the user had stopped."""
        self._stopped_at = stopped_at
        self.mark("vad_end")

    def user_typed(self) -> None:
        """The user asks in writing: the turn begins and is over at once."""
        self.user_started()
        self._stopped_at = self.now()

    def answer_begins(self) -> None:
        """The LLM is asked, maybe once more because the user went on."""
        for stage in ("llm_first_token", "llm_first_sentence", "tts_first_audio"):
            self._moments.pop(stage, None)

    def mark(self, stage: str) -> None:
        """A stage is reached; only its first time counts, but the last transcript's."""
        if stage == "transcript_final":
            self._moments[stage] = self.now()
        else:
            self._moments.setdefault(stage, self.now())

    def finish(self) -> LatencyReport | None:
        """The answer is heard: returns the turn's report, or None if the avatar spoke unasked."""
        if self._stopped_at is None:
            return None
        self.mark("audible")
        stopped_at, self._stopped_at = self._stopped_at, None
        known = {stage: round(moment - stopped_at, 4) for stage, moment in self._moments.items()}
        self._moments.clear()
        return replace(LatencyReport(), **known)
