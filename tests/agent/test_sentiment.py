from __future__ import annotations

import pytest

from agent.sentiment import feeling
from avatar.types import Emotion


@pytest.mark.parametrize(
    ("sentence", "emotion"),
    [
        ("That is wonderful news!", Emotion.HAPPY),
        ("I'm doing well, thank you.", Emotion.HAPPY),
        ("It is not bad at all.", Emotion.HAPPY),
        ("He died in a terrible accident.", Emotion.SAD),
        ("I'm sorry to hear that.", Emotion.SAD),
        ("Wow, that is amazing!", Emotion.SURPRISE),
    ],
)
def test_a_sentence_is_felt(sentence: str, emotion: Emotion) -> None:
    felt = feeling(sentence, 0.5).emotion
    assert felt
    assert felt[0][0] is emotion
    assert 0.1 < felt[0][1] <= 0.5


@pytest.mark.parametrize("sentence", ["The largest ocean is the Pacific Ocean.", "Was möchtest du trinken?", "", "42"])
def test_a_plain_sentence_leaves_the_mood(sentence: str) -> None:
    assert feeling(sentence, 0.5).emotion == ()


def test_stronger_words_are_felt_more_strongly() -> None:
    mild, strong = (
        feeling(text, 0.5).emotion for text in ("That is good.", "That is absolutely wonderful, I love it!")
    )
    assert mild
    assert strong
    assert mild[0][1] < strong[0][1]


def test_the_intensity_scales_it() -> None:
    weak, full = (feeling("That is wonderful!", intensity).emotion for intensity in (0.25, 0.5))
    assert weak
    assert full
    assert weak[0][1] == pytest.approx(full[0][1] / 2, abs=0.01)
