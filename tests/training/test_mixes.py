from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from avatar.motion.articulation import CLOSED_GAP, lip_gap
from avatar.motion.features import prosody
from avatar.training import mixes


@pytest.mark.parametrize("name", ["chords", "drums", "tune", "pink_noise"])
def test_every_sound_has_the_length_and_level_asked_for(name):
    random = (np.random.default_rng(0),) if name in {"drums", "pink_noise"} else ()
    sound = getattr(mixes, name)(3.0, *random)
    assert sound.shape == (48_000,)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.1, rel=1e-3)


def test_what_is_mixed_lies_as_far_below_the_speech_as_asked():
    random = np.random.default_rng(0)
    speech = (0.2 * random.standard_normal(16_000)).astype(np.float32)
    other = mixes.pink_noise(0.5, random)
    under = mixes.mixed(speech, other, 10) - speech
    assert 10 * np.log10(np.mean(speech**2) / np.mean(under**2)) == pytest.approx(10, abs=0.5)


def test_shouting_is_louder_and_stays_in_range():
    speech = (0.1 * np.sin(np.arange(16_000) / 5)).astype(np.float32)
    loud = mixes.shouted(speech)
    assert np.abs(loud).max() <= 1
    assert np.mean(loud**2) > 4 * np.mean(speech**2)


def vowel(seconds=2.0):
    """A buzz at 100 Hz through two resonances, with a pause in the middle."""
    buzz = (np.arange(int(seconds * 16_000)) % 160 == 0).astype(np.float64)
    for frequency in (700, 1200):
        angle = 2 * np.pi * frequency / 16_000
        buzz = lfilter([1], [1, -2 * 0.97 * np.cos(angle), 0.97**2], buzz)
    buzz[len(buzz) // 2 : len(buzz) * 3 // 5] = 0
    return (0.1 * buzz / buzz.std()).astype(np.float32)


def spectrum(sound):
    power = np.abs(np.fft.rfft(sound[: len(sound) // 40 * 40].reshape(40, -1))) ** 2
    return np.log(np.stack([part.mean() for part in np.array_split(power.mean(axis=0), 40)]))


def test_a_whisper_has_no_voice_but_the_same_resonances():
    voice = vowel()
    whisper = mixes.whispered(voice, np.random.default_rng(0))
    assert prosody(voice)[5:20, 2].mean() > 0.9
    assert prosody(whisper)[5:20, 2].mean() < 0.1
    assert np.corrcoef(spectrum(whisper), spectrum(voice))[0, 1] > 0.95
    assert 20 * np.log10(whisper.std() / voice.std()) == pytest.approx(-16.5, abs=2)


def test_singing_holds_every_sound_twice_as_long_on_the_notes_of_a_tune():
    song = mixes.sung(vowel(), np.random.default_rng(0))
    assert song.shape == (64_000,)
    pitches = 160 * 2.0 ** prosody(song)[:, 1]
    for index, note in enumerate((57, 55, 53)):
        held = pitches[index * 12 + 4 : index * 12 + 10]
        assert np.median(held) == pytest.approx(440 * 2 ** ((note - 69) / 12), rel=0.03)
    assert np.abs(song[33_000:38_000]).max() < 1e-3
    assert song.std() == pytest.approx(vowel().std(), rel=0.25)


@pytest.mark.model
def test_music_alone_keeps_the_mouth_shut():
    from avatar.motion.generator import load_motion_model  # noqa: PLC0415 - loads weights
    from avatar.training.drive import clip_of, drive  # noqa: PLC0415
    from avatar.types import AvatarState  # noqa: PLC0415

    random = np.random.default_rng(0)
    sound = np.concatenate([mixes.chords(4), mixes.drums(4, random), mixes.pink_noise(4, random)])
    gap = lip_gap(drive(load_motion_model(0), clip_of(sound, AvatarState.SPEAKING), (25,)).motion)
    assert (gap < CLOSED_GAP).mean() >= 0.9
