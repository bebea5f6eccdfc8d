from __future__ import annotations

from itertools import pairwise

import pytest

from avatar.training.corpus.lip_targets import LIP_TARGETS
from avatar.training.corpus.phones import (
    PAUSE,
    PHONE_SETS,
    Phone,
    from_ends,
    ipa_letters,
    merged,
    moved_boundaries,
    pauses_filled,
    phrase_ends,
    shifted,
    spread,
)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("ˈoʊ", ("o", "ʊ")), ("tʃ", ("ʧ",)), ("iː", ("i",)), ("ã", ("a",)), ("ɡ", ("g",)), ("", ()), ("_:", ())],
)
def test_ipa_names_lose_stress_and_length_and_keep_their_letters(name: str, letters: tuple[str, ...]) -> None:
    assert ipa_letters(name) == letters


def test_every_name_of_every_phone_set_has_lip_targets() -> None:
    unknown = {letter for names in PHONE_SETS.values() for ipa in names.values() for letter in ipa} - set(LIP_TARGETS)
    assert not unknown


def test_names_with_end_times_become_phones_without_gaps() -> None:
    phones = from_ends(["pau", "b", "ay", "pau", "pau"], [0.2, 0.3, 0.5, 0.6, 0.7], PHONE_SETS["en"])
    assert [phone.name for phone in phones] == [PAUSE, "b", "a", "ɪ", PAUSE]
    assert all(one.end == other.start for one, other in pairwise(phones))
    assert phones[-1].end == pytest.approx(0.7)


def test_a_diphthong_is_split_at_55_per_cent() -> None:
    first, second = spread(("a", "ɪ"), 1.0, 1.2)
    assert first.end == pytest.approx(1.11)
    assert second == Phone("ɪ", first.end, 1.2)


def test_late_stops_are_moved_earlier_without_swallowing_the_phone_before() -> None:
    phones = [Phone("a", 0.0, 0.2), Phone("p", 0.2, 0.25), Phone("a", 0.25, 0.27), Phone("p", 0.27, 0.4)]
    moved = moved_boundaries(phones, {"p": 0.05})
    assert moved[1].start == pytest.approx(0.15)
    assert moved[0].end == pytest.approx(0.15)
    assert moved[3].start == pytest.approx(0.26)
    assert moved[3].end == pytest.approx(0.4)


def test_gaps_become_pauses_and_neighbouring_pauses_join() -> None:
    phones = pauses_filled([Phone("a", 0.5, 0.7), Phone(PAUSE, 0.7, 0.8)], 1.5)
    assert phones == [Phone(PAUSE, 0.0, 0.5), Phone("a", 0.5, 0.7), Phone(PAUSE, 0.7, 1.5)]
    assert merged([Phone("a", 0.0, 0.0), Phone("b", 0.0, 0.1)]) == [Phone("b", 0.0, 0.1)]


def test_phrases_end_before_long_pauses_and_at_the_end_only() -> None:
    phones = [
        Phone("a", 0, 0.2),
        Phone(PAUSE, 0.2, 0.3),
        Phone("a", 0.3, 0.5),
        Phone(PAUSE, 0.5, 0.9),
        Phone("a", 0.9, 1),
    ]
    assert phrase_ends(phones) == pytest.approx([0.5, 1.0])


def test_phones_follow_a_faster_sound_that_starts_later() -> None:
    assert shifted([Phone("a", 1.0, 2.0)], 3.0, 2.0) == [Phone("a", 3.5, 4.0)]
