from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.answer import split_sentences, whole_sentences


async def stream(pieces):
    for piece in pieces:
        yield piece


def text_of(piece):
    return piece if isinstance(piece, str) else ""


async def collect(pieces, limit=None):
    return [piece async for piece in whole_sentences(stream(pieces), text_of, limit)]


@pytest.mark.parametrize(
    ("text", "sentences", "rest"),
    [
        ("One. Two! Three? Fo", ["One.", " Two!", " Three?"], " Fo"),
        ("It costs 3.5 euros. Yes", ["It costs 3.5 euros."], " Yes"),
        ("Ask Dr. Smith or J. Doe. Now", ["Ask Dr. Smith or J. Doe."], " Now"),
        ('He said "no." Then', ['He said "no."'], " Then"),
        ("はい。そう", ["はい。"], "そう"),
        ("Wait", [], "Wait"),
    ],
)
def test_sentences_end_where_people_hear_them_end(text, sentences, rest):
    assert split_sentences(text) == (sentences, rest)


async def test_text_comes_sentence_by_sentence():
    assert await collect(["The cap", "ital. It", " is ", "Paris."]) == ["The capital. ", "It is Paris."]


async def test_the_first_phrase_comes_before_its_sentence_is_whole():
    pieces = ["I'm doing well, ", "thank you, and", " you? Good, ", "I hope."]
    assert await collect(pieces) == ["I'm doing well, ", "thank you, and you? ", "Good, I hope."]


async def test_no_more_sentences_than_allowed():
    assert await collect(["One. Two. ", "Three. Four."], limit=2) == ["One. ", "Two. "]


async def test_the_source_is_not_read_beyond_the_limit():
    read = []

    async def source():
        for piece in ("One. ", "Two. ", "Three. "):
            read.append(piece)
            yield piece

    assert [piece async for piece in whole_sentences(source(), text_of, 1)] == ["One. "]
    assert len(read) == 1


async def test_half_a_sentence_is_dropped_after_a_whole_one():
    assert await collect(["One is whole. Two is not bec"]) == ["One is whole. "]


async def test_half_a_sentence_alone_is_kept():
    assert await collect(["Paris"]) == ["Paris"]


async def test_chunks_without_text_pass_through():
    call = object()
    assert await collect(["Wait. ", call]) == ["Wait. ", call]


async def test_an_empty_answer_stays_empty():
    assert await collect(["", "  "]) == [""]


@given(st.text(alphabet="ab. ,!?", max_size=40), st.lists(st.integers(1, 5), max_size=20))
async def test_any_cutting_of_the_text_gives_the_same_sentences(text, lengths):
    pieces = []
    rest = text
    for length in lengths:
        pieces.append(rest[:length])
        rest = rest[length:]
    pieces.append(rest)
    cut = "".join(piece for piece in await collect([piece for piece in pieces if piece]))
    whole = "".join(await collect([text] if text else []))
    assert cut == whole


async def test_marks_that_belong_together_are_not_torn_apart():
    assert await collect(["Really?", "! Yes."]) == ["Really?! ", "Yes."]


async def test_directions_stay_before_their_words_and_none_cuts_a_sentence():
    assert await collect(["[hap", "py]\n", "Well, th", "at is good. [n", "od] Yes. "]) == [
        "[happy 0.7]Well, that is good. ",
        "[nod 1]Yes. ",
    ]
    assert await collect(["[happy 0.4, surprise 0.2] It is four."]) == ["[happy 0.4+surprise 0.2]It is four."]


async def test_a_direction_after_the_last_sentence_is_kept():
    assert await collect(["Yes, it is. [nod]"]) == ["Yes, it is. ", "[nod 1]"]
