from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.answer import ends_surely, split_sentences, whole_sentences


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


async def test_a_first_sentence_that_is_over_does_not_wait_for_what_follows():
    read = []

    async def source():
        for piece in ("It is ", "Paris.", " I love", " it."):
            read.append(piece)
            yield piece

    pieces = whole_sentences(source(), text_of, None)
    assert (await anext(pieces), read) == ("It is Paris.", ["It is ", "Paris."])
    assert [piece async for piece in pieces] == [" I love it."]


async def test_what_follows_an_end_without_a_space_stays_with_it():
    assert await collect(["Visit the example.", "com site. ", "Really."]) == [
        "Visit the example.",
        "com site. ",
        "Really.",
    ]
    assert await collect(["It is so.", "."]) == ["It is so.", "."]
    assert await collect(["Go to a.b", " no.", "com sites.", " Bye. Ok."], limit=1) == ["Go to a.b no.", "com sites. "]


@pytest.mark.parametrize(
    ("text", "is_sure"),
    [
        ("My favorite color is blue!", True),
        ("Yes, I don't.", True),
        ("Sure.", False),
        ("It costs 3.", False),
        ("It is in the U.", False),
        ("Ask Dr.", False),
        ('He said "I love it.', False),
        ('He said "no" to me.', True),
        ("It is big (very big.", False),
        ("It is", False),
        ("", False),
    ],
)
def test_a_sentence_is_surely_over_after_a_plain_word_with_nothing_open(text, is_sure):
    assert ends_surely(text) == is_sure


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
