"""The avatar's own voice taken out of the microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.echo import BLOCK, EchoCanceller
from avatar.types import OUTPUT_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

DELAY = round(0.04 * OUTPUT_RATE)


def voice(seconds: float, pitch: float, seed: int) -> NDArray[np.float32]:
    """Syllables of a buzzing tone with some breath."""
    noise = np.random.default_rng(seed)
    at = np.arange(round(seconds * OUTPUT_RATE)) / OUTPUT_RATE
    buzz = sum(np.sin(2 * np.pi * pitch * k * at + k) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * at + seed), 0, 1)
    return (0.1 * syllables * (buzz + 0.3 * noise.standard_normal(len(at)))).astype(np.float32)


def cleaned(far: NDArray[np.float32], near: NDArray[np.float32]) -> NDArray[np.float32]:
    canceller = EchoCanceller(DELAY / OUTPUT_RATE)
    out: list[NDArray[np.float32]] = []
    for start in range(0, len(far) - BLOCK + 1, BLOCK):
        canceller.played(far[start : start + BLOCK])
        out.append(canceller.heard(near[start : start + BLOCK]))
    return np.concatenate(out)


def loudness(samples: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(np.square(samples)) + 1e-12))


def test_the_avatars_own_voice_is_taken_out_and_the_users_stays():
    far = voice(8, 120, 1)
    echo = 0.3 * np.concatenate([np.zeros(DELAY, np.float32), far[:-DELAY]])
    late = slice(4 * OUTPUT_RATE, None)
    assert loudness(cleaned(far, echo)[late]) < loudness(echo[late]) - 15
    user = voice(8, 210, 2)
    kept = cleaned(np.zeros_like(far), user)
    assert loudness(kept[late]) > loudness(user[late]) - 6


def test_sound_in_odd_pieces_comes_out_in_whole_blocks_and_none_is_lost():
    canceller = EchoCanceller()
    pieces = [canceller.heard(np.zeros(n, np.float32)) for n in (100, 700, 479, 1, 160)]
    assert [len(piece) % BLOCK for piece in pieces] == [0] * 5
    assert sum(map(len, pieces)) == 1440
