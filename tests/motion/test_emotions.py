from __future__ import annotations

import numpy as np
import pytest

from avatar.motion.articulation import CLOSED_GAP, lip_gap, seal_lips
from avatar.motion.emotions import EMOTIONS, head_energy, recipes, with_emotion
from avatar.motion.layout import INDEX, N_BLENDSHAPES, neutral
from avatar.motion.relative import LOWEST
from avatar.types import Emotion

FELT = [emotion for emotion in EMOTIONS if emotion is not Emotion.NEUTRAL]


def mood(emotion, intensity=1.0, n_frames=3):
    result = np.zeros((n_frames, len(EMOTIONS)), np.float32)
    result[:, EMOTIONS.index(emotion)] = intensity
    return result


def silent(n_frames=3):
    return np.zeros(n_frames, np.float32)


def test_a_neutral_mood_changes_nothing():
    motion = neutral(3)
    assert with_emotion(motion, np.zeros((3, 8), np.float32), silent()) is motion


@pytest.mark.parametrize("emotion", FELT)
def test_an_emotion_shows_at_its_full_recipe_and_grows_evenly(emotion):
    recipe = recipes()[EMOTIONS.index(emotion), :N_BLENDSHAPES]
    along = [
        float(with_emotion(neutral(3), mood(emotion, share), silent())[0, :N_BLENDSHAPES] @ recipe / (recipe @ recipe))
        for share in (0.25, 0.5, 1.0)
    ]
    np.testing.assert_allclose(along, (0.25, 0.5, 1.0), atol=1e-5)


@pytest.mark.parametrize("emotion", FELT)
@pytest.mark.parametrize("jaw", [0.0, 0.5])
def test_bilabials_close_under_every_emotion(emotion, jaw):
    motion = neutral(3)
    motion[:, INDEX["jawOpen"]] = jaw
    felt = with_emotion(motion, mood(emotion), np.ones(3, np.float32))
    assert lip_gap(seal_lips(felt, np.ones(3, np.float32), silent())).max() < CLOSED_GAP


@pytest.mark.parametrize("emotion", FELT)
def test_lips_rest_closed_under_every_emotion(emotion):
    assert lip_gap(with_emotion(neutral(3), mood(emotion), silent())).max() < CLOSED_GAP


def test_rounded_lips_smile_less():
    rounded = neutral(3)
    rounded[:, INDEX["mouthPucker"]] = 0.8
    smile = INDEX["mouthSmileLeft"]
    happy = mood(Emotion.HAPPY)
    assert with_emotion(rounded, happy, silent())[0, smile] < 0.6 * with_emotion(neutral(3), happy, silent())[0, smile]


def test_a_sad_face_takes_the_photos_smile_off_and_nothing_leaves_its_range():
    full = np.ones((3, len(EMOTIONS)), np.float32)
    sad = with_emotion(neutral(3), mood(Emotion.SAD), silent())
    assert sad[0, INDEX["mouthSmileLeft"]] < -0.5
    for felt in (sad, with_emotion(np.ones((3, 58), np.float32), full, silent())):
        assert (felt[:, :N_BLENDSHAPES] >= LOWEST).all()
        assert felt[:, :N_BLENDSHAPES].max() <= 1


def test_a_happy_head_moves_more_than_a_sad_one():
    assert head_energy(mood(Emotion.HAPPY))[0] > 1 > head_energy(mood(Emotion.SAD))[0]


def test_speech_takes_more_from_the_mouth_than_from_its_corners_and_nothing_from_the_rest():
    happy, angry = (
        np.stack([with_emotion(neutral(1), mood(felt, n_frames=1), np.float32([talking]))[0] for talking in (0, 1)])
        for felt in (Emotion.HAPPY, Emotion.ANGRY)
    )
    kept = {
        name: float(motion[1, INDEX[name]] / motion[0, INDEX[name]])
        for motion, name in ((happy, "mouthSmileLeft"), (angry, "mouthPressLeft"), (happy, "cheekSquintLeft"))
    }
    assert 0.5 < kept["mouthSmileLeft"] < 0.8
    assert kept["mouthPressLeft"] < 0.4
    assert kept["cheekSquintLeft"] == 1


def test_nothing_is_left_of_a_smile_on_fully_rounded_lips():
    rounded = neutral(3)
    rounded[:, [INDEX["mouthPucker"], INDEX["mouthFunnel"]]] = 0.5
    felt = with_emotion(rounded, mood(Emotion.HAPPY), silent())
    assert felt[0, INDEX["mouthSmileLeft"]] == 0
    assert felt[0, INDEX["cheekSquintLeft"]] > 0.5


@pytest.mark.parametrize("emotion", [Emotion.SURPRISE, Emotion.CONTEMPT])
def test_brows_and_lids_or_one_corner_carry_what_shows_little_on_a_speaking_mouth(emotion):
    felt = with_emotion(neutral(1), mood(emotion, n_frames=1), np.ones(1, np.float32))[0]
    if emotion is Emotion.SURPRISE:
        assert min(felt[INDEX["browInnerUp"]], felt[INDEX["browOuterUpLeft"]], felt[INDEX["eyeWideRight"]]) > 0.9
    else:
        assert felt[INDEX["mouthSmileLeft"]] - felt[INDEX["mouthSmileRight"]] > 0.7
        assert felt[INDEX["browOuterUpLeft"]] - felt[INDEX["browOuterUpRight"]] > 0.5
