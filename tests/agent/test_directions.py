from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.directions import DirectionParser, read_direction, without_directions, write_direction
from avatar.types import Cue, Emotion, Gesture


def parsed(*pieces: str) -> list[str | Cue]:
    """Returns what a parser makes of pieces of text, with neighbouring text joined."""
    parser = DirectionParser()
    found: list[str | Cue] = []
    for part in (*(parser.feed(piece) for piece in pieces), parser.finish()):
        for piece in part:
            if isinstance(piece, str) and found and isinstance(found[-1], str):
                found[-1] += piece
            else:
                found.append(piece)
    return found


def feel(emotion: Emotion, intensity: float) -> Cue:
    return Cue(emotion=((emotion, intensity),))


HAPPY = feel(Emotion.HAPPY, 0.7)
NOD = Cue(gesture=Gesture.NOD)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("[happy] Hello! [nod] Yes.", [HAPPY, "Hello! ", NOD, "Yes."]),
        ("[sad 0.5] Oh.", [feel(Emotion.SAD, 0.5), "Oh."]),
        ("[Sad: 50%] Oh.", [feel(Emotion.SAD, 0.5), "Oh."]),
        ("[sad, 0.5] Oh.", [feel(Emotion.SAD, 0.5), "Oh."]),
        ("[slightly sad] Oh.", [feel(Emotion.SAD, 0.35), "Oh."]),
        ("[angry 7] No.", [feel(Emotion.ANGRY, 1.0), "No."]),
        ("[look away] Well.", [Cue(gesture=Gesture.LOOK_AWAY), "Well."]),
        ("[brows_up] Well.", [Cue(gesture=Gesture.BROWS_UP), "Well."]),
        ("Oh [nod 0.5]yes.", ["Oh ", Cue(gesture=Gesture.NOD, strength=0.5), "yes."]),
        ("Yes[nod] indeed.", ["Yes", NOD, " indeed."]),
        ("Yes. [nod]", ["Yes. ", NOD]),
        ("[happy 0.4, surprise 0.6] Oh!", [Cue(emotion=((Emotion.HAPPY, 0.4), (Emotion.SURPRISE, 0.6))), "Oh!"]),
        ("[happy, nod] Yes.", [HAPPY, NOD, "Yes."]),
        ("[happy]\n\nYes.", [HAPPY, "Yes."]),
    ],
)
def test_directions_are_taken_out_and_read(written: str, read: list[str | Cue]) -> None:
    assert parsed(written) == read


@pytest.mark.parametrize(
    "text",
    [
        "See [1] and [2].",
        "array[0] = list[i]",
        "x[first]",
        "[a link](https://x.org)",
        "[]",
        "a ] b",
        "[Name]",
        "[1, 2]",
    ],
)
def test_other_brackets_are_text(text: str) -> None:
    assert parsed(text) == [text]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[laughs softly] Well.", "Well."),
        ("Well, [clears throat] yes.", "Well, yes."),
        ("[happy Hello there!", "Hello there!"),
        ("[happy] Hello [no", "Hello "),
        ("Hello [nod", "Hello "),
        ("[happy [nod]] Hello.", "Hello."),
        ("[[happy]] Hello.", "Hello."),
        ("[sad 0.5.3] Oh.", "Oh."),
        ("[happy!] Hello", "! Hello"),
        (
            "[" + "very long words that are no direction at all " * 2,
            "[" + "very long words that are no direction at all " * 2,
        ),
    ],
)
def test_malformed_and_unknown_directions_are_not_said(written: str, said: str) -> None:
    assert without_directions(written) == said


WRITTEN = st.lists(
    st.sampled_from([*"[]() .,1a\n!", "happy", "sad 0.5", "[nod]", "[look away]", "[1]", "word ", "0.3"]), max_size=24
).map("".join)


@given(text=WRITTEN, cuts=st.lists(st.integers(0, 80), max_size=12))
def test_any_cutting_of_the_text_gives_the_same_result(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert parsed(*pieces) == parsed(text)


@given(text=WRITTEN)
def test_no_known_direction_is_left_in_the_text(text: str) -> None:
    left = without_directions(text)
    assert all(name not in left for name in ("[nod]", "[look away]", "[happy]"))


@given(
    emotion=st.lists(st.tuples(st.sampled_from(Emotion), st.sampled_from([0.0, 0.25, 1.0])), max_size=2),
    gesture=st.none() | st.sampled_from(Gesture),
)
def test_a_direction_that_is_written_reads_the_same(
    emotion: list[tuple[Emotion, float]], gesture: Gesture | None
) -> None:
    cues = [Cue(emotion=tuple(dict(emotion).items()))] if emotion else []
    cues += [Cue(gesture=gesture, strength=0.5)] if gesture else []
    text = "".join(write_direction(cue) for cue in cues)
    assert list(parsed(text)) == cues
    assert all(read_direction(write_direction(cue)[1:-1]) == (cue,) for cue in cues)
