from __future__ import annotations

import numpy as np
import pytest

from avatar.training.corpus.audio import RATE
from avatar.training.corpus.prosody import analyse


def voiced(frequency: np.ndarray, level: np.ndarray) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    return (level * sum(np.sin(k * phase) / k for k in range(1, 8))).astype(np.float32)


def test_pitch_rises_by_the_semitones_that_the_voice_rises() -> None:
    half = 2 * RATE
    frequency = np.concatenate([np.full(half, 120.0), np.full(half, 120.0 * 2 ** (4 / 12))])
    prosody = analyse(voiced(frequency, np.full(2 * half, 0.1)), 100)
    assert np.median(prosody.pitch[60:90]) - np.median(prosody.pitch[10:40]) == pytest.approx(4, abs=0.4)


def test_silence_has_no_energy_no_pitch_and_no_accents() -> None:
    prosody = analyse(np.zeros(2 * RATE, np.float32), 50)
    assert not prosody.energy.any()
    assert not prosody.pitch.any()
    assert len(prosody.accents) == 0


def test_accents_lie_on_loud_high_syllables() -> None:
    t = np.arange(4 * RATE) / RATE
    bumps = sum(np.exp(-(((t - centre) / 0.08) ** 2)) for centre in (0.8, 1.8, 3.0))
    prosody = analyse(voiced(110 * (1 + 0.3 * bumps), 0.02 + 0.2 * bumps), 100)
    assert [round(frame / 25, 1) for frame in prosody.accents] == pytest.approx([0.8, 1.8, 3.0], abs=0.11)
    assert (prosody.strengths > 0.5).all()


def test_frames_are_those_of_the_sound() -> None:
    samples = np.zeros(4 * RATE, np.float32)
    samples[RATE : 2 * RATE] = voiced(np.full(RATE, 130.0), np.full(RATE, 0.1))
    loud = np.flatnonzero(analyse(samples, 100).energy)
    assert abs(loud[0] - 25) <= 1
    assert abs(loud[-1] - 49) <= 1
