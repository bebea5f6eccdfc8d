"""The evaluation's figures, each over many clips: lips, face, idling, emotions, sounds that aren't speech, cost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.stats import ks_2samp

from avatar.motion.articulation import CLOSED_GAP, lip_gap
from avatar.motion.emotions import EMOTIONS, recipes
from avatar.motion.features import SAMPLES_PER_FRAME, prosody
from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.motion.states import STATES
from avatar.motion.types import Controls, MotionGenerator, MotionRequest
from avatar.training import liveliness, measures, mixes
from avatar.training.dataset import Clip, to_float
from avatar.training.drive import Run, clip_of, drawn_out, drive, labels, with_sound
from avatar.types import FRAME_RATE, SPEECH_RATE, AvatarState, Emotion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_IDLE_SECONDS: Final = 240
_MUSIC_SECONDS: Final = 20
_EMOTION_SECONDS: Final = 5
_INTENSITIES: Final = (0.35, 0.7, 1.0)
_SPEAKING: Final = STATES.index(AvatarState.SPEAKING)
_ATTENTIVE: Final = [STATES.index(AvatarState.LISTENING), STATES.index(AvatarState.THINKING)]
_MIXED_CLIPS: Final = 6
_HELD: Final = 2
"""How many times longer sounds are held in singing."""

_FIRST_CHUNK: Final = 4
_REPEATS: Final = 9


def lip_figures(clips: Sequence[Clip], runs: Sequence[Run]) -> dict[str, float]:
    """Returns the figures of the lips, in shares of 1 but for the lag, over all clips."""
    names = ("closure recall", "tuck recall", "false closures", "false tucks", "closed at rest", "lag within a frame")
    counts = {name: np.zeros(2, int) for name in names}
    correlations: list[tuple[float, int]] = []
    rounded: list[float] = []
    spread: list[float] = []
    for clip, run in zip(clips, runs, strict=True):
        gap, wanted = lip_gap(run.motion), lip_gap(labels(clip))
        speaking = clip.states == _SPEAKING
        rest = measures.rest_frames(speaking, clip.phones)
        counts["closure recall"] += measures.closure_recall(gap, clip.phones)
        counts["tuck recall"] += measures.tuck_recall(run.motion, clip.phones)
        counts["false closures"] += measures.false_closures(gap, wanted)
        counts["false tucks"] += measures.false_tucks(run.motion, clip.phones)
        counts["closed at rest"] += (int((gap[rest] < CLOSED_GAP).sum()), int(rest.sum()))
        for kept, more in zip((rounded, spread), measures.roundings(run.motion, clip.phones), strict=True):
            kept.extend(more)
        if speaking.sum() > FRAME_RATE:
            value, lag = measures.correlation(gap[speaking], wanted[speaking])
            correlations.append((value, lag))
            counts["lag within a frame"] += (abs(lag) <= 1, 1)
    figures = {name: float(found / max(total, 1)) for name, (found, total) in counts.items()}
    figures["rounding separated (AUC)"] = measures.separation(rounded, spread)
    figures["aperture correlation"] = float(np.mean([value for value, _ in correlations]))
    figures["aperture lag, frames"] = float(np.mean([lag for _, lag in correlations]))
    return figures


def face_figures(clips: Sequence[Clip], runs: Sequence[Run], seed: int = 0) -> dict[str, float]:
    """Returns the figures of head, brows and eyes over all clips, and how chunks and states join."""
    random = np.random.default_rng(seed)
    moving: list[NDArray[np.float32]] = []
    coupled: list[float] = []
    nods: dict[str, list[bool]] = {"ends": [], "control": []}
    seams: list[list[NDArray[np.float32]]] = [[], [], [], []]
    for clip, run in zip(clips, runs, strict=True):
        speaking = clip.states == _SPEAKING
        if speaking.sum() > 2 * FRAME_RATE:
            moving.append(run.motion[speaking])
            loudness = prosody(to_float(clip.agent))[:, 0]
            coupled.append(liveliness.head_follows_loudness(run.motion, loudness, speaking))
        attentive = np.isin(clip.states, _ATTENTIVE)
        later = np.minimum((clip.user_phrase_ends * FRAME_RATE).astype(int) + 8, clip.n_frames - 1)
        ends = clip.user_phrase_ends[attentive[later]].tolist()
        control = liveliness.times_away(attentive, clip.user_phrase_ends.tolist(), len(ends), random)
        nods["ends"].extend(liveliness.nods_at(run.motion, ends))
        nods["control"].extend(liveliness.nods_at(run.motion, control))
        changes = (np.flatnonzero(np.diff(clip.states)) + 1).tolist()
        for kept, frames in zip((seams[:2], seams[2:]), (run.boundaries, changes), strict=True):
            for side, values in zip(kept, measures.seam_speeds(run.motion, frames), strict=True):
                side.append(values)
    joined = [np.concatenate(values) for values in seams]
    pose = np.concatenate(moving)[:, N_BLENDSHAPES : N_BLENDSHAPES + 3]
    figures = {
        "head follows loudness": float(np.mean(coupled)),
        "head deviation, degrees": float(np.degrees(np.linalg.norm(pose.std(axis=0)))),
        "nods at the user's phrase ends": float(np.mean(nods["ends"])),
        "nods elsewhere (control)": float(np.mean(nods["control"])),
        "speed at state changes / elsewhere": float(joined[2].mean() / joined[3].mean()),
    }
    if len(joined[0]):
        figures["speed at seams / elsewhere"] = float(joined[0].mean() / joined[1].mean())
        figures["distance of seam speeds (KS)"] = float(np.asarray(ks_2samp(joined[0], joined[1]))[0])
    each = [liveliness.speeds(motion) for motion in moving]
    return figures | {f"{name}, 95th pct": float(np.mean([one[name] for one in each])) for name in each[0]}


def idle_figures(generator: MotionGenerator) -> dict[str, float]:
    """Returns blinks, rest and seams over four idle minutes in one go."""
    run = drive(generator, clip_of(np.zeros(_IDLE_SECONDS * SPEECH_RATE, np.float32), AvatarState.IDLE), (25,))
    return {
        **{f"idle {name}": value for name, value in liveliness.blink_figures(run.motion).items()},
        "idle closed": float((lip_gap(run.motion) < CLOSED_GAP).mean()),
        "idle speed at seams / elsewhere": measures.boundary_ratio(run.motion, run.boundaries),
    }


def emotion_figures(generator: Callable[[int], MotionGenerator], clip: Clip) -> dict[str, float]:
    """Returns each emotion's direction and monotony while a clip's first words are spoken."""
    begin = int(clip.phones[0][1] * SPEECH_RATE)
    sound = to_float(clip.agent)[begin : begin + _EMOTION_SECONDS * SPEECH_RATE]

    def face(mood: NDArray[np.float32]) -> NDArray[np.float32]:
        motion = drive(generator(0), clip_of(sound, AvatarState.SPEAKING, mood), (25,)).motion
        return motion[FRAME_RATE:, :N_BLENDSHAPES].mean(axis=0)

    neutral = face(np.zeros(len(EMOTIONS), np.float32))
    moods = np.eye(len(EMOTIONS), dtype=np.float32)
    figures: dict[str, float] = {}
    for index, emotion in enumerate(EMOTIONS):
        if emotion != Emotion.NEUTRAL:
            faces = np.stack([face(intensity * moods[index]) for intensity in _INTENSITIES])
            direction, monotony = liveliness.emotion_figures(faces, neutral, recipes()[index, :N_BLENDSHAPES])
            figures |= {f"{emotion.value} direction": direction, f"{emotion.value} monotony": monotony}
    return figures


def mix_figures(generator: Callable[[int], MotionGenerator], clips: Sequence[Clip], seed: int = 0) -> dict[str, float]:
    """Returns how long the mouth stays shut in music and noise, and the lips of speech in noise and of shouting."""
    random = np.random.default_rng(seed)
    music = {
        "chords": mixes.chords(_MUSIC_SECONDS),
        "drums": mixes.drums(_MUSIC_SECONDS, random),
        "chords and drums": mixes.chords(_MUSIC_SECONDS) + mixes.drums(_MUSIC_SECONDS, random),
        "a tune": mixes.tune(_MUSIC_SECONDS),
        "pink noise": mixes.pink_noise(_MUSIC_SECONDS, random),
    }
    figures: dict[str, float] = {}
    for name, sound in music.items():
        gap = lip_gap(drive(generator(0), clip_of(sound, AvatarState.SPEAKING)).motion)
        figures[f"shut in {name}"] = float((gap < CLOSED_GAP).mean())
    spoken = [clip for clip in clips if len(clip.phones) > 40][:_MIXED_CLIPS]
    changes: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
        "clean speech": lambda speech: speech,
        "noise 10 dB below": lambda speech: mixes.mixed(speech, music["pink noise"], 10),
        "music 10 dB below": lambda speech: mixes.mixed(speech, music["chords and drums"], 10),
        "shouting": mixes.shouted,
        "whispering": lambda speech: mixes.whispered(speech, random),
    }
    for name, change in changes.items():
        changed = [with_sound(clip, change(to_float(clip.agent))) for clip in spoken]
        figures |= {f"{name}: {what}": value for what, value in _mixed_lips(generator, changed).items()}
    slow = [drawn_out(clip, mixes.sung(to_float(clip.agent), random, factor=_HELD), _HELD) for clip in spoken]
    return figures | {f"singing: {what}": value for what, value in _mixed_lips(generator, slow).items()}


def _mixed_lips(generator: Callable[[int], MotionGenerator], clips: Sequence[Clip]) -> dict[str, float]:
    runs = [drive(generator(0), clip) for clip in clips]
    lips = lip_figures(clips, runs)
    jaws = np.concatenate([run.motion[clip.states == _SPEAKING] for clip, run in zip(clips, runs, strict=True)])
    return {
        "closure recall": lips["closure recall"],
        "false closures": lips["false closures"],
        "aperture": lips["aperture correlation"],
        "jaw, 98th pct": float(np.percentile(jaws[:, INDEX["jawOpen"]], 98)),
    }


def costs(generator: Callable[[int], MotionGenerator]) -> dict[str, float]:
    """Returns processor time over the chunk's length, by chunk size; and what a reply's first chunk takes, in ms.

    Medians of nine chunks, after as many that don't count; the first chunk is timed by the clock and by processor time,
    each on a timeline of its own.
    """
    random = np.random.default_rng(0)
    figures: dict[str, float] = {}
    warm = generator(0)
    for index in range(_REPEATS):
        warm.generate(_request(warm, index * _FIRST_CHUNK, _FIRST_CHUNK, 0.1, random))
    for n_frames in (4, 6, 8, 12, 16, 20, 25):
        for name, level in (("speech", 0.1), ("silence", 0.0)):
            maker = generator(0)
            requests = [_request(maker, index * n_frames, n_frames, level, random) for index in range(_REPEATS)]
            used = [_seconds(maker, request)[1] for request in requests]
            figures[f"{n_frames} frames, {name}"] = float(np.median(used)) * FRAME_RATE / n_frames
    makers = [generator(index) for index in range(_REPEATS)]
    first = [_seconds(maker, _request(maker, 0, _FIRST_CHUNK, 0.1, random)) for maker in makers]
    clock, used = (1000 * np.median(values) for values in zip(*first, strict=True))
    worst = 1000 * max(seconds for seconds, _ in first)
    return figures | {
        "first chunk by the clock, ms": float(clock),
        "first chunk by the clock, worst, ms": float(worst),
        "first chunk of processor time, ms": float(used),
    }


def _request(
    maker: MotionGenerator, start: int, n_frames: int, level: float, random: np.random.Generator
) -> MotionRequest:
    n_samples = (maker.audio_context + n_frames + maker.look_ahead) * SAMPLES_PER_FRAME
    sound = (level * random.standard_normal(n_samples)).astype(np.float32)
    states = (AvatarState.SPEAKING,) * n_frames
    mood = np.zeros((n_frames, 8), np.float32)
    return MotionRequest(start, n_frames, sound, np.zeros_like(sound), states, mood, Controls())


def _seconds(maker: MotionGenerator, request: MotionRequest) -> tuple[float, float]:
    """Returns how long a chunk took by the clock, and how much processor time."""
    clock, used = time.perf_counter(), time.process_time()
    maker.generate(request)
    return time.perf_counter() - clock, time.process_time() - used
