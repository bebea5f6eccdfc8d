from __future__ import annotations

import pytest

from avatar.training.corpus.text import ENGLISH, OTHER_LANGUAGES, read_lines

pytest.importorskip("babel", reason="babel is only needed to write the text anew")
from avatar.training.corpus.write_text import _other, _usable  # needs babel


@pytest.mark.parametrize("sentence", ["The pool is open until six.", "Why don't you ask her, then?"])
def test_plain_sentences_are_kept(sentence: str) -> None:
    assert _usable(sentence)


@pytest.mark.parametrize(
    "sentence", ["Too short.", "1. A list with numbers in it.", "go on and go on and go on and go on and on."]
)
def test_fragments_lists_and_loops_are_dropped(sentence: str) -> None:
    assert not _usable(sentence)


def test_the_committed_lists_are_those_that_the_script_writes() -> None:
    written = list(_other(3, 0))
    for language in OTHER_LANGUAGES:
        assert [line for line in written if line.language == language] == list(read_lines(language)[:3])


def test_the_committed_english_passes_the_filter() -> None:
    sample = read_lines(ENGLISH)[::50]
    assert {line.kind for line in sample} == {"reply", "question"}
    assert all(len(line.text.split()) >= 4 for line in sample)
