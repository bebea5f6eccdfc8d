"""How the head moves: sway, breathing, nods, and movement coupled to the speech's pitch and loudness.

While speaking, the head follows F0 and energy and dips on accents (Busso et al. 2007 found canonical correlations near
0.7; Graf et al. 2002 saw nods on accents); slow sway has a 1/f spectrum. A listener nods just after the other's phrases
end (Ward & Tsukahara 2000; Dittmann & Llewellyn 1968), one to three times at 2-3 Hz (Hadar et al. 1985). At rest
people breathe 12-17 times a minute, breathing in faster than out.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from avatar.training.corpus.scene import LISTENING, SPEAKING, THINKING, add_pulse, eased, pink_noise
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.corpus.scene import Scene

_SWAY: Final = {"yaw": (0.9, 1.2, 1.4, 2.4), "pitch": (0.6, 0.9, 1.0, 1.5), "roll": (0.6, 0.9, 0.9, 1.4)}
"""Standard deviation in degrees when idle, listening, thinking, speaking."""

_SHIFT_SWAY: Final = {"x": 0.014, "y": 0.006, "z": 0.016}
"""Standard deviation in interpupillary distances, when idle."""

_NOD_CHANCE: Final = 0.6
_NOD_CHANCE_ON_ACCENT: Final = 0.05
_STRONG: Final = 1.0
_ACCENT_CHANCE: Final = 0.55


def head_pose(
    scene: Scene, along_gaze: NDArray[np.float64], nods: list[float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Returns the head's pose (n_frames, 6): yaw, pitch, roll in degrees, then x, y, z in interpupillary distances.

    Args:
        scene: The clip.
        along_gaze: (n_frames, 2), degrees of yaw and pitch by which the head follows the gaze.
        nods: Seconds at which the listener's nods begin.
        rng: Source of chance.
    """
    n = scene.n_frames
    pose = np.zeros((n, 6))
    for column, deviations in enumerate(_SWAY.values()):
        pose[:, column] = pink_noise(n, rng, cutoff=0.9) * scene.by_state(*deviations)
    pose[:, :3] += _spoken(scene, rng)
    pose[:, 1] += _nodding(n, nods, rng)
    pose[:, :3] *= eased(scene.head_amplitude.astype(np.float64), 0.25)[:, np.newaxis]
    pose[:, :2] += along_gaze
    pose[:, 2] -= 0.12 * along_gaze[:, 0]
    liveliness = scene.by_state(1.0, 1.1, 1.1, 1.5)
    for column, deviation in enumerate(_SHIFT_SWAY.values(), start=3):
        pose[:, column] = pink_noise(n, rng, cutoff=0.5) * deviation * liveliness
    pose[:, 3] += 0.5 * np.sin(np.radians(pose[:, 0]))
    breath = _breathing(scene, rng)
    pose[:, 4] += 0.012 * breath + 0.25 * np.sin(np.radians(pose[:, 1]))
    pose[:, 1] += 0.3 * breath
    return pose


def _spoken(scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
    """Returns yaw, pitch and roll in degrees, (n_frames, 3), that go with the agent's own speech."""
    melody = gaussian_filter1d(scene.agent.pitch, 3.0)
    loudness = gaussian_filter1d(scene.agent.energy, 3.0)
    turns = np.zeros((scene.n_frames, 3))
    gains = np.zeros((scene.n_frames, 3))
    starts = [0, *scene.agent_phrase_starts.tolist(), scene.n_frames]
    for first, last in pairwise(starts):
        gains[first:last] = rng.normal((0.0, 0.35, 0.0), (0.35, 0.2, 0.2))
    gains = gaussian_filter1d(gains, 4.0, axis=0)
    turns += gains * melody[:, np.newaxis] + 2.0 * gains * (loudness * (loudness > 0))[:, np.newaxis]
    for frame, strength in zip(scene.agent.accents, scene.agent.strengths, strict=True):
        if rng.random() < _ACCENT_CHANCE:
            rise, fall = rng.uniform(0.16, 0.26), rng.uniform(0.25, 0.45)
            start = frame / FRAME_RATE - rise + float(rng.normal(0.02, 0.04))
            add_pulse(turns[:, 1], start, rise, 0.04, fall, -float(strength * rng.uniform(1.2, 3.8)))
            add_pulse(turns[:, 0], start, rise, 0.1, fall, float(strength * rng.normal(0, 1.2)))
    return turns


def listening_nods(scene: Scene, rng: np.random.Generator) -> list[float]:
    """Returns the seconds at which a listener's nods begin.

    They come 0.05 to 0.4 s after most of the user's phrases end, and after a few of the user's strong accents.
    """
    strong = scene.user.accents[scene.user.strengths > _STRONG]
    cues = [(int(frame), _NOD_CHANCE) for frame in scene.user_phrase_ends]
    cues += [(int(frame), _NOD_CHANCE_ON_ACCENT) for frame in strong]
    nods: list[float] = []
    for frame, chance in sorted(cues):
        start = frame / FRAME_RATE + float(rng.uniform(0.05, 0.4))
        index = min(int(start * FRAME_RATE), scene.n_frames - 1)
        engaged = scene.states[index] in {LISTENING, THINKING}
        if engaged and rng.random() < chance and (not nods or start - nods[-1] > 1.0):
            nods.append(start)
    return nods


def _nodding(n_frames: int, nods: list[float], rng: np.random.Generator) -> NDArray[np.float64]:
    curve = np.zeros(n_frames)
    for start in nods:
        rate = float(rng.uniform(1.9, 2.7))
        depth = float(rng.uniform(3.0, 6.5))
        for cycle in range(int(rng.choice((1, 2, 3), p=(0.35, 0.45, 0.2)))):
            half = 0.5 / rate
            add_pulse(curve, start + cycle / rate, half, 0.0, half, -depth * 0.65**cycle)
    return curve


def _breathing(scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
    """Returns breath, about -1 to 1, (n_frames,): 12-17 a minute, in for two fifths, deeper when thought begins."""
    rate = float(rng.uniform(0.2, 0.28)) * np.exp(0.12 * pink_noise(scene.n_frames, rng, cutoff=0.2))
    phase = (np.cumsum(rate) / FRAME_RATE + rng.random()) % 1.0
    inhale = 0.4
    angle = np.where(phase < inhale, phase / inhale * np.pi, np.pi + (phase - inhale) / (1 - inhale) * np.pi)
    breath = -np.cos(angle) * scene.by_state(1.0, 0.9, 0.8, 0.6)
    for frame in scene.changes():
        if scene.states[frame] in {THINKING, SPEAKING}:
            add_pulse(breath, frame / FRAME_RATE - 0.05, 0.5, 0.1, 0.9, float(rng.uniform(0.4, 1.2)))
    return breath
