"""A TFLite graph written by hand gives the same numbers as ONNX."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="the dependency group `assets` is not installed")

from ai_edge_litert import schema_py_generated as schema

from scripts.convert_landmark_models import run_onnx, run_tflite
from scripts.tflite_onnx import Converter, read_model, same_padding, write_model


class Graph:
    """Builds a small flatbuffer: a picture (1, 9, 9, 3) goes in."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]
        self.graph.inputs = [self.tensor("picture", (1, 9, 9, 3))]

    def tensor(self, name, shape, values=None):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), 0
        tensor.type = schema.TensorType.FLOAT32
        if values is not None:
            if values.dtype == np.int32:
                tensor.type = schema.TensorType.INT32
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(values.tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def weight(self, values):
        return self.tensor(f"weight{len(self.graph.tensors)}", values.shape, values)

    def add(self, code, inputs, shape, options=None, kind=0):
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
        self.model.operatorCodes.append(entry)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs = inputs
        operator.outputs = [self.tensor(f"value{len(self.graph.tensors)}", shape)]
        operator.builtinOptions, operator.builtinOptionsType = options, kind
        self.graph.operators.append(operator)
        return operator.outputs[0]

    def finish(self, outputs):
        self.graph.outputs = outputs
        return write_model(self.model)


def convolution(stride):
    options = schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = schema.Padding.SAME, stride, stride
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU6
    return options


def small_graph(rng):
    def draw(*shape):
        return rng.normal(size=shape).astype(np.float32)

    graph = Graph()
    value = graph.add(
        schema.BuiltinOperator.CONV_2D,
        [0, graph.weight(draw(4, 3, 3, 3)), graph.weight(draw(4))],
        (1, 5, 5, 4),
        convolution(2),
        schema.BuiltinOptions.Conv2DOptions,
    )
    value = graph.add(schema.BuiltinOperator.PRELU, [value, graph.weight(draw(1, 1, 4))], (1, 5, 5, 4))
    pads = np.array([[0, 0], [0, 1], [2, 0], [0, 2]], np.int32)
    value = graph.add(
        schema.BuiltinOperator.PAD,
        [value, graph.weight(pads)],
        (1, 6, 7, 6),
        schema.PadOptionsT(),
        schema.BuiltinOptions.PadOptions,
    )
    pool = schema.Pool2DOptionsT()
    pool.padding, pool.filterHeight, pool.filterWidth = schema.Padding.SAME, 3, 2
    pool.strideH = pool.strideW = 2
    value = graph.add(
        schema.BuiltinOperator.AVERAGE_POOL_2D,
        [value],
        (1, 3, 4, 6),
        pool,
        schema.BuiltinOptions.Pool2DOptions,
    )
    reshape = schema.ReshapeOptionsT()
    reshape.newShape = [1, 36, 2]
    shape = graph.weight(np.array([1, 36, 2], np.int32))
    flat = graph.add(
        schema.BuiltinOperator.RESHAPE,
        [value, shape],
        (1, 36, 2),
        reshape,
        schema.BuiltinOptions.ReshapeOptions,
    )
    return graph.finish([value, flat])


def test_a_converted_graph_gives_the_same_numbers():
    rng = np.random.default_rng(3)
    data = small_graph(rng)
    picture = rng.normal(size=(1, 9, 9, 3)).astype(np.float32)
    expected = run_tflite(data, picture)
    got = run_onnx(Converter(read_model(data)).convert(), picture)
    assert len(expected) == 2
    for name, values in expected.items():
        assert np.ptp(values) > 0.5
        np.testing.assert_allclose(got[name], values, atol=1e-5)


def test_the_odd_pixel_of_same_padding_goes_after():
    assert same_padding(9, 3, 2) == (1, 1)
    assert same_padding(8, 3, 2) == (0, 1)
    assert same_padding(8, 2, 2) == (0, 0)


def test_an_unknown_operator_is_refused_by_name():
    graph = Graph()
    value = graph.add(schema.BuiltinOperator.TANH, [0], (1, 9, 9, 3))
    with pytest.raises(NotImplementedError, match="TANH"):
        Converter(read_model(graph.finish([value]))).convert()
