from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString

from agent.cues import CUES, CueTimer, without_directions
from avatar.types import Cue, Emotion, Gesture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

RATE = 16_000
NOD = Cue(gesture=Gesture.NOD)
HAPPY = Cue(emotion=((Emotion.HAPPY, 0.7),))
CALM = Cue(emotion=())


async def stream(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def frame(seconds: float, *words: TimedString) -> rtc.AudioFrame:
    n_samples = round(seconds * RATE)
    made = rtc.AudioFrame(np.zeros(n_samples, np.int16).tobytes(), RATE, 1, n_samples)
    made.userdata[USERDATA_TIMED_TRANSCRIPT] = list(words)
    return made


async def timed(
    pieces: Iterable[str], frames: Iterable[rtc.AudioFrame], feel: Callable[[str], Cue] | None = None
) -> tuple[str, list[tuple[float, Cue]]]:
    """Returns the words said, and each cue with its second of the sound."""
    timer = CueTimer(feel)
    words = "".join([piece async for piece in timer.words(stream(pieces))])
    found, start = [], 0.0
    async for made in timer.sound(stream(frames)):
        found += [(round(start + sample / RATE, 3), cue) for sample, cue in made.userdata.get(CUES, ())]
        start += made.duration
    return words, found


async def test_a_cue_is_due_where_the_voice_says_its_word_begins() -> None:
    words = [TimedString(text, at, at + 0.2) for text, at in (("Oh ", 0.1), ("well, ", 0.4), ("yes.", 0.9))]
    said, cues = await timed(["Oh well, [nod] yes."], [frame(0.3, *words), frame(0.3), frame(0.6)])
    assert said == "Oh well, yes."
    assert cues == [(0.9, NOD)]


async def test_a_sentence_is_felt_before_the_space_after_it_comes() -> None:
    timer = CueTimer(lambda _: CALM)
    words = timer.words(stream(["It is Paris.", " Yes."]))
    assert await anext(words) == "It is Paris."
    sound = timer.sound(stream([frame(0.5)]))
    assert (await anext(sound)).userdata[CUES] == ((0, CALM),)


async def test_a_direction_at_the_start_is_due_with_the_first_sound() -> None:
    _, cues = await timed(["[happy] Hello."], [frame(0.5), frame(0.5)])
    assert cues == [(0.0, HAPPY)]


async def test_sentences_alone_are_known_and_words_within_them_follow_from_their_letters() -> None:
    sentences = [TimedString("One two three. ", 0.0, 2.0), TimedString("Four five six.", 2.0, 4.0)]
    _, cues = await timed(
        ["One two three. ", "Four [nod] five six."], [frame(2.0, sentences[0]), frame(2.0, sentences[1])]
    )
    assert cues == [(pytest.approx(2.0 + 2.0 * 4 / 11, abs=0.001), NOD)]


async def test_a_voice_that_tells_no_times_is_taken_to_speak_at_an_ordinary_pace() -> None:
    _, cues = await timed(["A" * 26 + " [nod] yes."], [frame(1.0), frame(1.0), frame(1.0)])
    assert cues == [(2.0, NOD)]


async def test_a_time_that_comes_after_its_sound_is_used_for_what_follows() -> None:
    first, second = TimedString("AAAA. ", 0.0, 3.0), TimedString("BB cc.", 3.0, 4.0)
    _, cues = await timed(["AAAA. [nod] BB cc."], [frame(2.9), frame(0.1, first), frame(1.0, second)])
    assert [cue for _, cue in cues] == [NOD]


async def test_a_direction_after_the_last_word_is_not_lost() -> None:
    _, cues = await timed(["Yes. [nod]"], [frame(0.3)])
    assert [cue for _, cue in cues] == [NOD]
    _, cues = await timed(["[nod]"], [frame(0.05)])
    assert [cue for _, cue in cues] == [NOD]


async def test_without_directions_each_sentence_is_felt_from_its_start() -> None:
    felt: list[str] = []

    def feel(sentence: str) -> Cue:
        felt.append(sentence.strip())
        return HAPPY if "good" in sentence else CALM

    words = [TimedString("That is good. ", 0.0, 1.0), TimedString("It is four.", 1.0, 2.0)]
    _, cues = await timed(["That is ", "good. It ", "is four."], [frame(0.5, *words), frame(1.5)], feel)
    assert felt == ["That is good.", "It is four."]
    assert cues == [(0.0, HAPPY), (1.0, CALM)]


async def test_a_reply_that_names_its_emotion_is_not_felt_again() -> None:
    sad = Cue(emotion=((Emotion.SAD, 0.7),))
    _, cues = await timed(["[sad] That is good. It is four."], [frame(2.0)], lambda _: HAPPY)
    assert cues == [(0.0, sad)]


async def test_a_gesture_alone_leaves_the_feeling_to_the_words() -> None:
    _, cues = await timed(["[nod] That is good."], [frame(1.0)], lambda _: HAPPY)
    assert sorted(cues, key=str) == sorted([(0.0, HAPPY), (0.0, NOD)], key=str)


async def test_pieces_without_directions_are_passed_on_with_their_times() -> None:
    pieces = [TimedString("Hello ", 0.0, 0.5), "[nod] there", TimedString(" you.", 1.0, 1.5)]
    passed = [piece async for piece in without_directions(stream(pieces))]
    assert passed == ["Hello ", "there", " you."]
    assert passed[0] is pieces[0]
    assert passed[2] is pieces[2]


async def test_a_piece_keeps_the_space_at_its_end() -> None:
    timer = CueTimer(None)
    assert [piece async for piece in timer.words(stream(["[happy] Hello! ", "Well, "]))] == ["Hello! ", "Well, "]


@given(
    text=st.lists(st.sampled_from(["[nod] ", "[happy] ", "word ", "two. ", "[1] "]), max_size=10).map("".join),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    lengths=st.lists(st.sampled_from([0.04, 0.3, 1.1]), min_size=1, max_size=8),
)
async def test_any_cutting_of_the_words_gives_the_same_cues(text: str, cuts: list[int], lengths: list[float]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    whole = await timed([text], [frame(length) for length in lengths], lambda _: CALM)
    assert await timed(pieces, [frame(length) for length in lengths], lambda _: CALM) == whole
