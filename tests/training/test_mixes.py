from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.articulation import CLOSED_GAP, lip_gap
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


@pytest.mark.model
def test_music_alone_keeps_the_mouth_shut():
    from avatar.motion.generator import load_motion_model  # noqa: PLC0415 - loads weights
    from avatar.training.drive import clip_of, drive  # noqa: PLC0415
    from avatar.types import AvatarState  # noqa: PLC0415

    random = np.random.default_rng(0)
    sound = np.concatenate([mixes.chords(4), mixes.drums(4, random), mixes.pink_noise(4, random)])
    gap = lip_gap(drive(load_motion_model(0), clip_of(sound, AvatarState.SPEAKING), (25,)).motion)
    assert (gap < CLOSED_GAP).mean() >= 0.9
