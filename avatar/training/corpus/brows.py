"""Brows: raised on accents, in surprise at what is heard, lowered or lifted in thought; never quite still.

Brow raises go with pitch accents (Cave et al. 1996; Krahmer & Swerts 2007), on a minority of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX
from avatar.training.corpus.scene import LISTENING, THINKING, add_pulse, pink_noise
from avatar.types import FRAME_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.corpus.scene import Scene

_ACCENT_CHANCE: Final = 0.25
_PHRASE_END_CHANCE: Final = 0.22
_THOUGHT_CHANCE: Final = 0.7


def move_brows(motion: NDArray[np.float32], scene: Scene, nods: list[float], rng: np.random.Generator) -> None:
    """Adds brow movement to motion (n_frames, 58), in place."""
    n = scene.n_frames
    raised, knit, smile = np.zeros(n), np.zeros(n), np.zeros(n)
    for frame, strength in zip(scene.agent.accents, scene.agent.strengths, strict=True):
        if rng.random() < _ACCENT_CHANCE * strength:
            start = frame / FRAME_RATE - 0.12
            add_pulse(raised, start, 0.14, float(rng.uniform(0.04, 0.3)), 0.3, float(strength * rng.uniform(0.15, 0.4)))
    for frame in scene.user_phrase_ends:
        listens = scene.states[min(int(frame), n - 1)] == LISTENING
        if listens and rng.random() < _PHRASE_END_CHANCE:
            start = frame / FRAME_RATE + float(rng.uniform(0.0, 0.3))
            add_pulse(raised, start, 0.16, float(rng.uniform(0.1, 0.5)), 0.4, float(rng.uniform(0.2, 0.45)))
    for start in nods:
        if rng.random() < 0.3:
            add_pulse(smile, start, 0.3, float(rng.uniform(0.2, 0.8)), 0.6, float(rng.uniform(0.08, 0.22)))
    for frame in scene.changes():
        if scene.states[frame] == THINKING and rng.random() < _THOUGHT_CHANCE:
            curve = knit if rng.random() < 0.5 else raised
            start = frame / FRAME_RATE + float(rng.uniform(0.1, 0.4))
            add_pulse(curve, start, 0.35, float(rng.uniform(0.4, 1.2)), 0.5, float(rng.uniform(0.15, 0.35)))
    unrest = 0.025 * np.abs(pink_noise(n, rng, cutoff=0.8))
    skew = 1 + 0.15 * float(rng.standard_normal())
    motion[:, INDEX["browInnerUp"]] += 0.8 * raised + unrest
    motion[:, INDEX["browOuterUpLeft"]] += 0.7 * raised * skew + unrest
    motion[:, INDEX["browOuterUpRight"]] += 0.7 * raised * (2 - skew) + unrest
    for side in ("Left", "Right"):
        motion[:, INDEX["browDown" + side]] += knit
        motion[:, INDEX["eyeWide" + side]] += 0.15 * raised
        motion[:, INDEX["eyeSquint" + side]] += 0.3 * knit
        motion[:, INDEX["mouthSmile" + side]] += smile
        motion[:, INDEX["cheekSquint" + side]] += 0.4 * smile
