from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from agent.alignment import AlignedSound, symbol_starts, timed_words, with_output
from agent.hibari import HibariEngine
from agent.options import HibariOptions, PiperOptions
from agent.tts import PiperEngine


def test_a_model_gives_another_tensor_out():
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["inner"]), helper.make_node("Abs", ["inner"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(
        with_output(model.SerializeToString(), "inner"), providers=["CPUExecutionProvider"]
    )
    y, inner = session.run(None, {"x": np.float32([3])})
    assert (float(y[0]), float(inner[0])) == (3, -3)


def test_a_long_name_is_written_as_protocol_buffers_are():
    named = onnx.load_from_string(with_output(onnx.ModelProto().SerializeToString(), "n" * 300))
    assert [output.name for output in named.graph.output] == ["n" * 300]


def test_symbols_begin_after_those_before_them():
    assert symbol_starts("abc", [1, 2, 1, 4, 2], 5.0) == [("a", 0.5), ("b", 1.5), ("c", 2.0)]


def words(text, symbols):
    return [(str(word), word.start_time, word.end_time) for word in timed_words(text, symbols, 10.0, 20.0)]


def test_each_word_has_the_time_of_its_first_sound():
    symbols = [("ˈ", 0.5), ("a", 0.6), ("b", 0.8), (",", 1.0), (" ", 1.5), ("c", 2.0), (".", 3.0)]
    assert words("Ab, c. ", symbols) == [("Ab, ", 10.5, 12.0), ("c. ", 12.0, 20.0)]


def test_a_dash_that_is_not_said_goes_with_the_word_before():
    assert words("a - b", [("a", 1.0), (" ", 2.0), ("b", 3.0)]) == [
        ("a ", 11.0, 11.0),
        ("- ", 11.0, 13.0),
        ("b", 13.0, 20.0),
    ]


def test_words_that_are_said_as_several_are_laid_on_the_sounds_by_their_letters():
    symbols = [(letter, float(time)) for time, letter in enumerate("ab cd ef gh")]
    timed = words("25 xy", symbols)
    assert [word for word, _, _ in timed] == ["25 ", "xy"]
    assert timed[0][1] == 10
    assert timed[1][1] == 19


def test_a_text_without_sounds_is_one_piece():
    assert words("...", []) == [("...", 10.0, 20.0)]


@pytest.mark.model
@pytest.mark.parametrize("make", [lambda: HibariEngine(HibariOptions()), lambda: PiperEngine(PiperOptions())])
def test_words_begin_where_the_sound_does(make):
    """A pause in the sound, like its beginning, shows when the word after it begins."""
    engine = make()
    text = "Yes, Peter, so am I."
    (part,) = engine.say(text)
    assert isinstance(part, AlignedSound)
    starts = [word.start_time for word in timed_words(text, part.symbols, 0.0, len(part) / 2 / engine.sample_rate)]
    samples = np.frombuffer(part, np.int16).astype(np.float64)
    hop = engine.sample_rate // 100
    loudness = np.sqrt(np.mean(samples[: len(samples) // hop * hop].reshape(-1, hop) ** 2, axis=1))
    loud = np.flatnonzero(loudness > 300)
    breaks = loud[1:][np.diff(loud) > 9] / 100
    assert len(starts) == 5
    assert starts == sorted(starts)
    assert 0.6 * loud[-1] / 100 < starts[-1] < loud[-1] / 100
    for moment in (loud[0] / 100, *breaks):
        assert np.abs(np.array(starts) - moment).min() < 0.12
