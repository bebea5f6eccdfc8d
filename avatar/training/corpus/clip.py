"""Makes one clip of the corpus from its number: text, voices, sound, phones and motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from avatar.training.corpus import dialogue
from avatar.training.corpus.audio import RATE
from avatar.training.corpus.augment import change_voice, mixed, record
from avatar.training.corpus.behaviour import Behaviour, behave
from avatar.training.corpus.lips import lip_curves, smooth_step, to_coefficients
from avatar.training.corpus.phones import PAUSE, Phone
from avatar.training.corpus.prosody import analyse
from avatar.training.corpus.scene import SPEAKING, Scene
from avatar.training.corpus.sounds import clatter, music
from avatar.training.corpus.speech import speak
from avatar.training.corpus.text import ENGLISH, read_lines
from avatar.training.corpus.voices import VOICES, Split, Utterance, Voice
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


_LETTING_GO: Final = 0.2
"""Seconds in which the lips close after the avatar stops speaking."""

_SILENT_SHARE: Final = 0.12
"""Share of clips in which the avatar never speaks: it only waits, listens or thinks."""

_SOUND_SHARE: Final = 0.5
"""Share of those in which music or noises play instead of speech."""

_DRAWN_SHARE: Final = 0.04
"""Share of varied utterances that are drawn out as in singing."""

_BACKGROUND_SHARE: Final = 0.08
"""Share of training tracks with music or noises in the background."""

_LABIODENTALS: Final = "fvфвवవ"
_SPELLED_W: Final = "w"
_W_IS_V: Final = frozenset({"de", "nl", "pl"})
_RICHEST: Final = 0.4
"""How /f v/ are spelled, and the share of the lines that a voice for contacts reads."""

_TEXT_SHARES: Final[dict[Split, tuple[float, float]]] = {
    "train": (0.0, 0.85),
    "validation": (0.85, 0.92),
    "held_out": (0.92, 1.0),
}
"""The part of each language's lines that a split may speak."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished clip.

    Attributes:
        arrays: What the file holds, by name.
        facts: What the index says of it.
        behaviour: Events of the motion.
    """

    arrays: dict[str, NDArray[Any]]
    facts: dict[str, str | float | int]
    behaviour: Behaviour


def make_clip(index: int, seed: int, split: Split, cache: Path | None = None) -> Clip:
    """Returns clip number `index` of a split; the same numbers always give the same clip."""
    rng = np.random.default_rng([seed, index, ("train", "validation", "held_out").index(split)])
    held_out = split == "held_out"
    choice = [voice for voice in VOICES if voice.held_out == held_out]
    share = np.array([voice.share for voice in choice])
    voice = choice[int(rng.choice(len(choice), p=share / share.sum()))]
    english = [other for other in choice if other.language == ENGLISH and other != voice]
    user_voice = english[int(rng.integers(len(english)))]

    n_turns = int(rng.choice((0, 1, 2), p=(0.15, 0.6, 0.25)))
    silent = rng.random() < _SILENT_SHARE
    replies = [] if silent else _sentences(voice, split, rng, n_words=int(rng.integers(10, 45)))
    questions = [_sentence(user_voice, split, rng) for _ in range(n_turns)]
    agent = speak(voice, replies, int(rng.integers(2**31)), cache) if replies else []
    if silent and not held_out and rng.random() < _SOUND_SHARE:
        agent = _no_speech(rng)
    user = speak(user_voice, questions, int(rng.integers(2**31)), cache) if questions else []
    if not held_out:
        agent = _varied(agent, rng, chance=0.5)
        user = _varied(user, rng, chance=0.8)
    timeline = dialogue.plan(agent, user, rng, interrupted=rng.random() < 0.15)
    return _render(timeline, voice, user_voice, replies, rng, split)


def _lines(voice: Voice, split: Split) -> list[str]:
    lines = read_lines(voice.language)
    first, last = (int(share * len(lines)) for share in _TEXT_SHARES[split])
    texts = [line.text for line in lines[first:last]]
    if not voice.for_contacts:
        return texts
    spelled = _LABIODENTALS + _SPELLED_W * (voice.language in _W_IS_V)

    def share(text: str) -> float:
        return sum(sign in spelled for sign in text.lower()) / len(text)

    return sorted(texts, key=share, reverse=True)[: max(1, int(_RICHEST * len(texts)))]


def _sentences(voice: Voice, split: Split, rng: np.random.Generator, *, n_words: int) -> list[str]:
    """Returns consecutive sentences of the split's lines, from a random place on, until there are enough words."""
    lines = _lines(voice, split)
    at = int(rng.integers(len(lines)))
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < n_words:
        parts = lines[at % len(lines)].replace("! ", "!\n").replace("? ", "?\n")
        if voice.language == ENGLISH:
            parts = parts.replace(". ", ".\n")
        sentences.extend(parts.splitlines())
        at += 1
    return sentences[: max(1, min(len(sentences), 6))]


def _sentence(voice: Voice, split: Split, rng: np.random.Generator) -> str:
    lines = [line for line in _lines(voice, split) if 3 <= len(line.split()) <= 22]
    return lines[int(rng.integers(len(lines)))]


def _varied(utterances: list[Utterance], rng: np.random.Generator, *, chance: float) -> list[Utterance]:
    if rng.random() > chance:
        return utterances
    size = float(rng.uniform(0.84, 1.2))
    speed = float(rng.uniform(0.45, 0.65) if rng.random() < _DRAWN_SHARE else rng.uniform(0.8, 1.25))
    return [change_voice(one, size, speed) for one in utterances]


def _no_speech(rng: np.random.Generator) -> list[Utterance]:
    """Returns music or noises in the agent's own track, at which the mouth stays shut."""
    seconds = float(rng.uniform(4, 10))
    sound = music(seconds, rng) if rng.random() < 0.7 else clatter(seconds, rng)
    return [Utterance(0.3 * sound, (Phone(PAUSE, 0.0, seconds),))]


def _with_background(samples: NDArray[np.float32], rng: np.random.Generator, *, chance: float) -> NDArray[np.float32]:
    """Returns a track with music or noises below what is said, by chance."""
    if rng.random() > chance:
        return samples
    seconds = len(samples) / RATE + 0.1
    sound = (music(seconds, rng) if rng.random() < 0.6 else clatter(seconds, rng))[: len(samples)]
    return mixed(samples, sound, float(rng.uniform(5, 20))) if samples.any() else 0.1 * sound


def _render(
    timeline: dialogue.Timeline,
    voice: Voice,
    user_voice: Voice,
    texts: list[str],
    rng: np.random.Generator,
    split: Split,
) -> Clip:
    n_frames = int(timeline.time * FRAME_RATE)
    agent_sound, agent_phones = dialogue.track(timeline.agent, n_frames)
    user_sound, _ = dialogue.track(timeline.user, n_frames)
    speech = [(start, one) for start, one in timeline.agent if any(not phone.is_pause for phone in one.phones)]
    spoken, _ = dialogue.track(speech, n_frames)
    states = dialogue.states(timeline.marks, n_frames)
    emotion = dialogue.emotions(timeline.emotions, n_frames)
    controls = dialogue.draw_controls(n_frames, rng)
    curves = lip_curves(agent_phones, n_frames)
    gate = let_go(states, agent_phones)
    lips = to_coefficients(curves, controls[:, 0]) * gate[:, np.newaxis]
    agent_ends = _frames(dialogue.ends_of_phrases(timeline.agent), n_frames)
    user_ends_seconds = dialogue.ends_of_phrases(timeline.user)
    scene = Scene(
        states=states,
        emotion=emotion,
        gaze=controls[:, 2:],
        head_amplitude=controls[:, 1],
        agent=analyse(spoken, n_frames),
        user=analyse(user_sound, n_frames),
        agent_phrase_starts=_phrase_starts(agent_phones, n_frames),
        agent_phrase_ends=agent_ends,
        user_phrase_ends=_frames(user_ends_seconds, n_frames),
        mouth_activity=curves.activity * gate,
    )
    behaviour = behave(scene, lips, rng)
    training = split != "held_out"
    quality = 0.75 if training else 1.0
    chance = _BACKGROUND_SHARE * training
    agent_sound = _with_background(agent_sound, rng, chance=chance if speech else 0.0)
    user_sound = _with_background(user_sound, rng, chance=chance)
    arrays = {
        "agent": _int16(record(agent_sound, rng, quality=quality)),
        "user": _int16(record(user_sound, rng, quality=quality - 0.15)),
        "motion": behaviour.motion.astype(np.float16),
        "closure": curves.closure.astype(np.float16),
        "tuck": curves.tuck.astype(np.float16),
        "states": states,
        "emotion": emotion.astype(np.float16),
        "controls": controls.astype(np.float16),
        "phones": np.array([phone.name for phone in agent_phones] or [PAUSE]),
        "starts": np.array([phone.start for phone in agent_phones] or [0.0], np.float32),
        "ends": np.array([phone.end for phone in agent_phones] or [0.0], np.float32),
        "user_phrase_ends": np.array(user_ends_seconds, np.float32),
        "voice": np.array(voice.label),
        "text": np.array(" ".join(texts)),
    }
    articulated = sum(phone.end - phone.start for phone in agent_phones if not phone.is_pause)
    facts: dict[str, str | float | int] = {
        "voice": voice.label,
        "engine": voice.engine,
        "language": voice.language,
        "user_voice": user_voice.label if timeline.user else "",
        "split": split,
        "seconds": n_frames / FRAME_RATE,
        "speech_seconds": round(sum(one.seconds for _, one in speech), 2),
        "articulated_seconds": round(articulated, 2),
    }
    return Clip(arrays, facts, behaviour)


def let_go(states: NDArray[np.int8], phones: list[Phone]) -> NDArray[np.float32]:
    """Returns a gate (n_frames,) that takes the lips to rest within 0.2 s once the avatar has stopped speaking.

    It never falls while a phone sounds, and is open again well before the next one.
    """
    n_frames = len(states)
    gate = np.ones(n_frames)
    times = (np.arange(n_frames) + 0.5) / FRAME_RATE
    spoken = [phone for phone in phones if not phone.is_pause]
    starts = np.array([phone.start for phone in spoken])
    ends = np.array([phone.end for phone in spoken])
    for frame in np.flatnonzero((states[:-1] == SPEAKING) & (states[1:] != SPEAKING)) + 1:
        stop = frame / FRAME_RATE
        past = ends[starts < stop]
        begin = max(stop, float(past.max()) if len(past) else 0.0)
        later = starts[starts >= stop]
        until = float(later.min()) - 0.25 if len(later) else np.inf
        falling = 1 - smooth_step((times - begin) / _LETTING_GO)
        gate = np.where(times < until, np.minimum(gate, falling), gate)
    return gate.astype(np.float32)


def _frames(seconds: list[float], n_frames: int) -> NDArray[np.int64]:
    frames = np.array([int(second * FRAME_RATE) for second in seconds], np.int64)
    return frames[frames < n_frames]


def _phrase_starts(phones: list[Phone], n_frames: int) -> NDArray[np.int64]:
    starts: list[float] = []
    silent_until = -1.0
    for phone in phones:
        if phone.is_pause:
            continue
        if phone.start - silent_until > 0.2:
            starts.append(phone.start)
        silent_until = phone.end
    return _frames(starts, n_frames)


def _int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.round(samples.clip(-1, 1) * 32767).astype(np.int16)
