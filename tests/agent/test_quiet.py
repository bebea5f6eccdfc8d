from __future__ import annotations

import numpy as np
import pytest

from agent.quiet import QuietTail

RATE = 16_000


def tone(seconds: float, loudness: int) -> np.ndarray:
    return np.full(round(seconds * RATE), loudness, np.int16)


def heard(*windows: tuple[np.ndarray, bool]) -> float:
    """Returns the quiet at the end of windows of sound, each with the detector's opinion."""
    tail = QuietTail(RATE)
    for sound, speech in windows:
        tail.push(sound, speech=speech)
    return tail.seconds


def test_quiet_begins_with_the_last_loud_sample():
    assert heard((np.concatenate([tone(0.02, 8000), tone(0.012, 10)]), True)) == pytest.approx(0.012)


def test_it_grows_while_the_detector_still_hears_speech():
    assert heard((tone(0.1, 8000), True), (tone(0.1, 10), True), (tone(0.05, 10), True)) == pytest.approx(0.15)


def test_speech_ends_it():
    assert heard((tone(0.1, 8000), True), (tone(0.1, 10), True), (tone(0.05, 4000), True)) == 0


def test_noise_after_speech_is_quiet_once_the_detector_says_so():
    noisy = (tone(0.1, 8000), True), (tone(0.1, 800), True)
    assert heard(*noisy) == 0
    assert heard(*noisy, (tone(0.1, 800), False)) == pytest.approx(0.1)


def test_after_a_bang_softer_speech_counts_again():
    bang = (tone(0.01, 32_000), True), (tone(0.2, 600), True)
    assert heard(*bang) == pytest.approx(0.2)
    assert heard(*bang, (tone(0.1, 600), True)) == 0
    assert heard(*bang, (tone(0.1, 600), True), (tone(0.1, 600), True)) == 0
