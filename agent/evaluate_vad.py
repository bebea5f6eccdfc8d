"""Compares the voice activity detectors on speech in noise: ``python -m agent.evaluate_vad``.

The speech is ours (Piper), with known pauses; which of its frames are speech is read off the clean sound. Noises are
made by formula, save the babble, which is other sentences at once. Everything follows from one seed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import soxr
from livekit import rtc
from livekit.agents import vad

from agent.options import PiperOptions, SileroOptions, WebRtcOptions
from agent.tts import PiperEngine
from agent.vad import WebRtcVAD, silero_vad
from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FRAME: Final = SPEECH_RATE // 50
"""Samples of a frame that is judged: 20 ms."""

SENTENCES: Final = (
    "What is the capital of France?",
    "Could you tell me how to get to the station from here?",
    "Yes.",
    "I would like a coffee, please, and a small glass of water.",
    "Why is the sky blue?",
    "Stop.",
    "My sister moved to the mountains last summer with her three dogs.",
    "How much does it cost?",
)
_BABBLE: Final = (
    "The meeting starts at nine on the second floor of the old building.",
    "We had fish for dinner and then went for a walk along the river.",
    "Please remember to close the windows before you leave the office.",
    "Nobody knew why the lights had been left on all night.",
)
SNRS: Final = (20.0, 10.0, 5.0, 0.0)
"""Signal to noise ratios in dB, over the frames with speech."""

_PAUSE_SECONDS: Final = (1.2, 2.4)
_SPEECH_BELOW_PEAK_DB: Final = 40.0
_BRIDGED_FRAMES: Final = 15
"""Gaps within an utterance up to 0.3 s count as speech: stops and short breaths end no turn."""

_MATCH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Sound with known speech.

    Attributes:
        samples: int16 (n_samples,) at 16 kHz.
        speech: bool (n_frames,), whether each 20 ms frame is speech.
    """

    samples: NDArray[np.int16]
    speech: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Score:
    """How a detector did on a scene.

    Attributes:
        frame_error: Share of frames judged wrongly, its waiting time at the ends of speech taken off.
        missed: Utterances without any detected speech.
        false_starts: Detected utterances where there was none.
        early_ends: Ends of speech reported within an utterance.
        late: Seconds from an utterance's end to its report, for those that were reported.
    """

    frame_error: float
    missed: int
    false_starts: int
    early_ends: int
    late: tuple[float, ...]


def speech_frames(clean: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Returns which frames of clean speech are speech: louder than 40 dB below the peak, short gaps bridged."""
    frames = clean[: len(clean) // FRAME * FRAME].reshape(-1, FRAME)
    level = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-12)
    loud = level > level.max() - _SPEECH_BELOW_PEAK_DB
    marks = np.flatnonzero(loud)
    for before, after in pairwise(marks):
        if after - before <= _BRIDGED_FRAMES:
            loud[before:after] = True
    return loud


def noises(rng: np.random.Generator, n_samples: int, babble: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Returns noises by name, float32 (n_samples,), of unit power."""
    time = np.arange(n_samples) / SPEECH_RATE
    white = rng.normal(size=n_samples)
    spectrum = np.fft.rfft(rng.normal(size=n_samples))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), n_samples)
    hum = sum(np.sin(2 * np.pi * 50 * k * time + rng.uniform(0, 2 * np.pi)) / k for k in range(1, 9))
    clicks = np.zeros(n_samples)
    for start in rng.integers(0, n_samples - 400, n_samples // SPEECH_RATE * 3):
        clicks[start : start + 400] += rng.normal(size=400) * np.exp(-np.arange(400) / 60)
    made = {
        "white": white,
        "pink": pink,
        "hum": np.asarray(hum),
        "music": _music(rng, n_samples),
        "clicks": clicks,
        "babble": np.resize(babble, n_samples).astype(np.float64),
    }
    return {name: (noise / np.sqrt(np.mean(noise**2))).astype(np.float32) for name, noise in made.items()}


def _music(rng: np.random.Generator, n_samples: int) -> NDArray[np.float64]:
    """Returns notes of a pentatonic scale with decaying harmonics, two or three at once, five times a second."""
    out = np.zeros(n_samples + SPEECH_RATE)
    length = SPEECH_RATE // 2
    time = np.arange(length) / SPEECH_RATE
    for start in range(0, n_samples, SPEECH_RATE // 5):
        for _ in range(int(rng.integers(2, 4))):
            pitch = 220 * 2 ** (int(rng.choice([0, 2, 4, 7, 9, 12, 14, 16])) / 12)
            note = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 6)) * np.exp(-4 * time)
            out[start : start + length] += note
    return out[:n_samples]


def clean_speech(rng: np.random.Generator, say: Callable[[str], NDArray[np.float32]]) -> NDArray[np.float32]:
    """Returns the sentences with pauses between them, float32 at 16 kHz."""
    parts = [_silence(rng)]
    for sentence in SENTENCES:
        parts += [say(sentence), _silence(rng)]
    return np.concatenate(parts)


def scenes(rng: np.random.Generator, say: Callable[[str], NDArray[np.float32]]) -> dict[tuple[str, float], Scene]:
    """Returns a scene for each noise and signal to noise ratio; the clean one has an infinite ratio."""
    clean = clean_speech(rng, say)
    speech = speech_frames(clean)
    talk = [np.concatenate([say(sentence) for sentence in np.roll(_BABBLE, shift)]) for shift in range(len(_BABBLE))]
    shortest = min(len(voice) for voice in talk)
    babble = np.sum([voice[:shortest] for voice in talk], axis=0)
    power = float(np.mean(clean[: len(speech) * FRAME].reshape(-1, FRAME)[speech] ** 2))
    made = {("none", np.inf): Scene(_to_int16(clean), speech)}
    for name, noise in noises(rng, len(clean), babble).items():
        for snr in SNRS:
            scale = np.float32(np.sqrt(power / 10 ** (snr / 10)))
            made[name, snr] = Scene(_to_int16((clean + noise * scale).astype(np.float32)), speech)
    return made


async def judge(detector: vad.VAD, scene: Scene, min_silence: float) -> Score:
    """Plays a scene to a detector and compares."""
    spans = await _detected(detector, scene.samples)
    total = len(scene.samples) / SPEECH_RATE
    judged = np.zeros(len(scene.speech), bool)
    for start, end in spans:
        judged[round(start * 50) : round(max(start, end - min_silence) * 50)] = True
    truth = [(first / 50, last / 50) for first, last in _runs(scene.speech)]
    reported = [end for _, end in spans if end < total]
    late: list[float] = []
    missed = early = 0
    for first, last in truth:
        missed += not any(start < last and end > first for start, end in spans)
        early += sum(first < end - min_silence / 2 < last - 0.1 for end in reported)
        after = [end - last for end in reported if last - 0.1 <= end <= last + _MATCH_SECONDS]
        late += after[:1]
    false_starts = sum(
        not any(start < last and end - min_silence > first for first, last in truth) for start, end in spans
    )
    return Score(float(np.mean(judged != scene.speech)), missed, false_starts, early, tuple(late))


async def _detected(detector: vad.VAD, samples: NDArray[np.int16]) -> list[tuple[float, float]]:
    """Returns the spans of detected speech in seconds, each to the moment when its end is reported."""
    stream = detector.stream()
    for start in range(0, len(samples), FRAME):
        piece = samples[start : start + FRAME]
        stream.push_frame(rtc.AudioFrame(piece.tobytes(), SPEECH_RATE, 1, len(piece)))
    stream.end_input()
    spans: list[tuple[float, float]] = []
    begun: float | None = None
    async for event in stream:
        if event.type is vad.VADEventType.START_OF_SPEECH:
            begun = max(0.0, event.timestamp - event.speech_duration)
        elif event.type is vad.VADEventType.END_OF_SPEECH and begun is not None:
            spans.append((begun, event.timestamp))
            begun = None
    if begun is not None:
        spans.append((begun, len(samples) / SPEECH_RATE))
    await stream.aclose()
    return spans


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _silence(rng: np.random.Generator) -> NDArray[np.float32]:
    return np.zeros(round(rng.uniform(*_PAUSE_SECONDS) * SPEECH_RATE), np.float32)


def _to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    peak = max(1.0, float(np.abs(samples).max()))
    return (samples / peak * 32767).astype(np.int16)


def _voice(seed: int) -> Callable[[str], NDArray[np.float32]]:
    engine = PiperEngine(PiperOptions(pause=0), seed)
    made: dict[str, NDArray[np.float32]] = {}

    def say(text: str) -> NDArray[np.float32]:
        if text not in made:
            sound = np.frombuffer(b"".join(engine.say(text)), np.int16).astype(np.float32) / 32768
            made[text] = soxr.resample(sound, engine.sample_rate, SPEECH_RATE).astype(np.float32) * np.float32(0.5)
        return made[text]

    return say


async def _table(seed: int, min_silence: float) -> None:
    detectors: dict[str, vad.VAD] = {
        f"webrtc {level}": WebRtcVAD(WebRtcOptions(aggressiveness=level, min_silence=min_silence)) for level in (2, 3)
    }
    for threshold in (0.35, 0.5):
        detectors[f"silero {threshold}"] = silero_vad(SileroOptions(threshold=threshold, min_silence=min_silence))
    made = scenes(np.random.default_rng(seed), _voice(seed))
    out = sys.stdout.write
    for name, detector in detectors.items():
        out(f"\n{name}\nnoise     SNR dB  frames wrong  missed  false  early ends  end reported after\n")
        scores = {key: await judge(detector, scene, min_silence) for key, scene in made.items()}
        for (noise, snr), score in scores.items():
            late = f"{np.median(score.late):.2f} s" if score.late else "never"
            out(
                f"{noise:<8} {snr:>7.0f}  {100 * score.frame_error:>10.1f} %"
                f"  {score.missed:>6}  {score.false_starts:>5}  {score.early_ends:>10}  {late:>18}\n"
            )
        late = [seconds for score in scores.values() for seconds in score.late]
        n_utterances = len(SENTENCES) * len(scores)
        out(
            f"all: {100 * np.mean([score.frame_error for score in scores.values()]):.1f} % of frames wrong; of"
            f" {n_utterances} utterances {sum(score.missed for score in scores.values())} missed,"
            f" {n_utterances - len(late)} without an end in time,"
            f" {sum(score.early_ends for score in scores.values())} cut;"
            f" {sum(score.false_starts for score in scores.values())} false; end reported after"
            f" {np.median(late):.2f} s (p95 {np.percentile(late, 95):.2f} s)\n"
        )


def main() -> None:
    """Prints the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--min-silence", type=float, default=0.35, help="seconds of silence that end speech")
    args = parser.parse_args()
    asyncio.run(_table(args.seed, args.min_silence))


if __name__ == "__main__":
    main()
