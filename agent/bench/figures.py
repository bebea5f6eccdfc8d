"""What the benchmark found, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from agent.latency import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GOALS: Final = {
    "answer": (0.9, 1.3),
    "first_picture": (0.08, 0.08),
    "barge_in_silence": (0.25, 0.25),
    "av_skew": (None, 0.045),
}
"""Seconds that the median and the 95th percentile (of skew: the 99th) should stay below."""

LATE_GOAL: Final = 0.01
MEMORY_GOAL_MB: Final = 1500


@dataclass
class Figures:
    """Everything that was measured; durations in seconds.

    Attributes:
        machine: The processor, its load and Python's version.
        answer: From the user's last sound to the avatar's first, of each turn.
        stages: The same to each stage between, by its name in `agent.latency.STAGES`.
        first_picture: From the first sound of an answer that is made to the first picture that belongs to it.
        barge_in_silence: From the first sound of who interrupts to the first frame of a silence that lasts.
        barge_in_mouth: The same to the first picture with a closed mouth.
        backchannel_break: The longest silence of an avatar to whom somebody says "Okay" or the like while it speaks.
        av_skew: Picture after sound as a WebRTC client receives them, negative if before.
        n_unanswered: Turns without an answer.
        n_frames: Frames that were shown.
        n_late: Those among them whose picture was not ready.
        memory_mb: The largest resident memory.
    """

    machine: str
    answer: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)
    first_picture: list[float] = field(default_factory=list)
    barge_in_silence: list[float] = field(default_factory=list)
    barge_in_mouth: list[float] = field(default_factory=list)
    backchannel_break: list[float] = field(default_factory=list)
    av_skew: list[float] = field(default_factory=list)
    n_unanswered: int = 0
    n_frames: int = 0
    n_late: int = 0
    memory_mb: float = 0.0

    def lines(self) -> Iterator[str]:
        """Yields a table."""
        yield self.machine
        yield f"{'':<34} {'p50':>7} {'p95':>7}  goal"
        ordered = sorted(self.stages.items(), key=lambda stage: percentile(stage[1], 50))
        for stage, seconds in ordered:
            yield _row(f"  {STAGES.get(stage, stage)}", seconds, None)
        yield _row("user stops -> avatar audible", self.answer, GOALS["answer"])
        yield _row("first TTS sound -> first picture", self.first_picture, GOALS["first_picture"])
        yield _row("barge-in -> silence", self.barge_in_silence, GOALS["barge_in_silence"])
        yield _row("barge-in -> mouth closed", self.barge_in_mouth, None)
        yield _row("listener's word -> longest break", self.backchannel_break, None)
        if self.av_skew:
            size = [abs(skew) for skew in self.av_skew]
            p99 = percentile(size, 99)
            yield (
                f"{'A/V skew as received':<34} {percentile(self.av_skew, 50):7.3f} {p99:7.3f}  p99 of its size"
                f" {_verdict(p99, GOALS['av_skew'][1])}, {len(self.av_skew)} flashes"
            )
        late = self.n_late / max(1, self.n_frames)
        yield f"{'late pictures':<34} {late:15.2%}  {_verdict(late, LATE_GOAL)}, {self.n_late} of {self.n_frames}"
        yield f"{'peak memory':<34} {self.memory_mb:12.0f} MB  {_verdict(self.memory_mb, MEMORY_GOAL_MB)}"
        if self.n_unanswered:
            yield f"{'turns without an answer':<34} {self.n_unanswered:15d}"

    def as_json(self) -> dict[str, Any]:
        """Returns the figures and their percentiles, as JSON's types."""
        series = {
            "answer": self.answer,
            "first_picture": self.first_picture,
            "barge_in_silence": self.barge_in_silence,
            "barge_in_mouth": self.barge_in_mouth,
            "backchannel_break": self.backchannel_break,
            "av_skew": self.av_skew,
            **{f"stage.{name}": seconds for name, seconds in self.stages.items()},
        }
        return {
            "machine": self.machine,
            "seconds": {name: _summary(values) for name, values in series.items()},
            "turns_without_answer": self.n_unanswered,
            "frames": self.n_frames,
            "late_frames": self.n_late,
            "peak_memory_mb": round(self.memory_mb, 1),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """Returns a percentile, NaN of nothing."""
    return float(np.percentile(values, share)) if len(values) else float("nan")


def _summary(values: list[float]) -> dict[str, Any]:
    if not values:
        return {"n": 0, "values": []}
    shares = {f"p{share}": round(percentile(values, share), 4) for share in (50, 95, 99)}
    return {"n": len(values), **shares, "values": [round(value, 4) for value in values]}


def _row(name: str, seconds: list[float], goal: tuple[float | None, float] | None) -> str:
    if not seconds:
        return f"{name:<34} {'-':>7} {'-':>7}"
    middle, high = percentile(seconds, 50), percentile(seconds, 95)
    row = f"{name:<34} {middle:7.3f} {high:7.3f}"
    if goal is None or goal[0] is None:
        return row
    met = middle <= goal[0] and high <= goal[1]
    return f"{row}  {goal[0]:g} / {goal[1]:g}: {'met' if met else 'missed'}, {len(seconds)} times"


def _verdict(value: float, goal: float) -> str:
    return f"goal {goal:g}: {'met' if value <= goal else 'missed'}"
