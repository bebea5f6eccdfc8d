"""Plans a clip: who speaks when, what state the avatar is in, what it is asked to feel, on one timeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.training.corpus.audio import RATE
from avatar.training.corpus.phones import Phone, phrase_ends, shifted
from avatar.training.corpus.scene import IDLE, LISTENING, SPEAKING, THINKING
from avatar.types import FRAME_RATE, Emotion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.corpus.voices import Utterance

_HOP: Final = RATE // FRAME_RATE
_FADE: Final = int(0.02 * RATE)
_N_EMOTIONS: Final = len(Emotion)


@dataclass
class Timeline:
    """A clip under construction: two tracks, phones, and the state over time.

    Attributes:
        time: Seconds planned so far.
        agent: Agent's utterances with the seconds at which they start.
        user: The user's, likewise.
        marks: Seconds at which a state begins, and the state.
        emotions: Seconds from which an emotion is asked for, (8,).
    """

    time: float = 0.0
    agent: list[tuple[float, Utterance]] = field(default_factory=list)
    user: list[tuple[float, Utterance]] = field(default_factory=list)
    marks: list[tuple[float, int]] = field(default_factory=list)
    emotions: list[tuple[float, NDArray[np.float32]]] = field(default_factory=list)

    def wait(self, state: int, seconds: float) -> None:
        """Spends time in a state without anyone speaking."""
        self.marks.append((self.time, state))
        self.time += seconds

    def user_speaks(self, utterance: Utterance, rng: np.random.Generator) -> None:
        """Lets the user speak; the avatar notices after a moment and waits a little after the end."""
        self.marks.append((self.time + float(rng.uniform(0.05, 0.35)), LISTENING))
        self.user.append((self.time, utterance))
        self.time += utterance.seconds + float(rng.uniform(0.3, 0.7))

    def agent_speaks(self, utterances: list[Utterance], rng: np.random.Generator) -> None:
        """Lets the agent speak several utterances with pauses between, some long enough for the lips to close."""
        self.marks.append((max(0.0, self.time - float(rng.uniform(0.0, 0.1))), SPEAKING))
        for index, utterance in enumerate(utterances):
            if index:
                self.time += min(2.5, float(rng.lognormal(np.log(0.25), 0.9)))
            self.agent.append((self.time, utterance))
            self.time += utterance.seconds
        self.time += float(rng.uniform(0.0, 0.2))

    def interrupt(self, by: Utterance, rng: np.random.Generator) -> None:
        """Lets the user break into the agent's last utterance, which is cut off and faded within 20 ms."""
        start, utterance = self.agent.pop()
        user_start = start + utterance.seconds * float(rng.uniform(0.3, 0.8))
        length = min(utterance.seconds, user_start - start + float(rng.uniform(0.2, 0.5)))
        self.agent.append((start, cut_short(utterance, length)))
        self.user.append((user_start, by))
        self.marks.append((start + length, LISTENING))
        self.time = max(start + length, user_start + by.seconds) + float(rng.uniform(0.3, 0.7))

    def feel(self, emotion: NDArray[np.float32]) -> None:
        """Asks for an emotion from now on."""
        self.emotions.append((self.time, emotion))


def cut_short(utterance: Utterance, seconds: float) -> Utterance:
    """Returns the utterance's beginning, faded out within 20 ms, with the phones that are still heard."""
    samples = utterance.samples[: int(seconds * RATE)].copy()
    seconds = len(samples) / RATE
    fade = min(_FADE, len(samples))
    samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    kept = (
        Phone(phone.name, phone.start, min(phone.end, seconds)) for phone in utterance.phones if phone.start < seconds
    )
    return type(utterance)(samples, tuple(kept))


def track(utterances: list[tuple[float, Utterance]], n_frames: int) -> tuple[NDArray[np.float32], list[Phone]]:
    """Returns the sound (n_frames * 640,) and the phones of utterances placed on the timeline."""
    samples = np.zeros(n_frames * _HOP, np.float32)
    phones: list[Phone] = []
    for start, utterance in utterances:
        first = round(start * RATE)
        part = utterance.samples[: max(0, len(samples) - first)]
        samples[first : first + len(part)] += part
        end = n_frames / FRAME_RATE
        placed = shifted(utterance.phones, first / RATE)
        phones.extend(Phone(p.name, p.start, min(p.end, end)) for p in placed if p.start < end)
    return samples, phones


def ends_of_phrases(utterances: list[tuple[float, Utterance]]) -> list[float]:
    """Returns the seconds at which phrases end on the timeline."""
    return [end for start, one in utterances for end in phrase_ends(shifted(one.phones, start))]


def states(marks: list[tuple[float, int]], n_frames: int) -> NDArray[np.int8]:
    """Returns the state of each frame, (n_frames,)."""
    result = np.full(n_frames, marks[0][1] if marks else IDLE, np.int8)
    for time, state in sorted(marks, key=lambda mark: mark[0]):
        result[round(time * FRAME_RATE) :] = state
    return result


def draw_emotion(rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns what a turn is asked to feel, (8,): nothing in half of all turns, else one emotion, or two mixed."""
    emotion = np.zeros(_N_EMOTIONS, np.float32)
    if rng.random() < 0.5:
        return emotion
    first, second = rng.choice(np.arange(1, _N_EMOTIONS), 2, replace=False)
    emotion[first] = rng.uniform(0.3, 1.0)
    if rng.random() < 0.2:
        emotion[first] *= 0.6
        emotion[second] = rng.uniform(0.2, 0.5)
    return emotion


def emotions(asked: list[tuple[float, NDArray[np.float32]]], n_frames: int) -> NDArray[np.float32]:
    """Returns the emotion of each frame, (n_frames, 8)."""
    result = np.zeros((n_frames, _N_EMOTIONS), np.float32)
    for time, emotion in asked:
        result[round(time * FRAME_RATE) :] = emotion
    return result


def draw_controls(n_frames: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns lip amplitude, head amplitude and gaze of each frame, (n_frames, 4): natural in most clips."""
    lips = 1.0 if rng.random() < 0.6 else float(rng.uniform(0.5, 1.5))
    head = 1.0 if rng.random() < 0.6 else float(rng.uniform(0.2, 1.8))
    gaze = (0.0, 0.0) if rng.random() < 0.75 else tuple(rng.uniform(-0.8, 0.8, 2).tolist())
    return np.tile(np.array([lips, head, *gaze], np.float32), (n_frames, 1))


def plan(agent: list[Utterance], user: list[Utterance], rng: np.random.Generator, *, interrupted: bool) -> Timeline:
    """Returns a timeline of turns: each of the user's utterances is answered by a share of the agent's."""
    timeline = Timeline()
    timeline.feel(draw_emotion(rng))
    timeline.wait(int(rng.choice((IDLE, LISTENING), p=(0.7, 0.3))), float(rng.uniform(0.2, 4.0)))
    n_turns = max(1, len(user))
    for turn in range(n_turns):
        if turn < len(user):
            timeline.user_speaks(user[turn], rng)
            if rng.random() < 0.8:
                timeline.wait(THINKING, float(rng.uniform(0.25, 3.0)))
        reply = agent[turn::n_turns]
        if reply:
            timeline.feel(draw_emotion(rng) if rng.random() < 0.6 else timeline.emotions[-1][1])
            timeline.agent_speaks(reply, rng)
        if turn == n_turns - 1 and reply and interrupted and user:
            timeline.interrupt(user[0], rng)
        timeline.wait(int(rng.choice((IDLE, LISTENING), p=(0.4, 0.6))), float(rng.uniform(0.4, 3.0)))
    if not agent:
        timeline.wait(int(rng.choice((IDLE, LISTENING), p=(0.7, 0.3))), float(rng.uniform(4.0, 10.0)))
    return timeline
