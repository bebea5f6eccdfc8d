"""Writes a float TFLite graph as ONNX: the few operators that MediaPipe's face models are made of.

TFLite keeps pictures as (batch, height, width, channels); ONNX wants channels second. Inside the converted graph every
four-dimensional value has channels second; the inputs and outputs keep TFLite's shapes and names, with a transposition
at the edge. Half-precision weights stay half precision in the file, behind a cast that ONNX Runtime folds at load.

The schema is TensorFlow Lite's (Apache-2.0), as the package `ai-edge-litert` carries it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Flat = Any  # an object of the schema, whose generated code has no types
Attribute = Any  # what `onnx.helper.make_node` takes as an attribute

OPSET = 17
_TO_FIRST = [0, 3, 1, 2]
_TO_LAST = [0, 2, 3, 1]
_OPERATORS: dict[int, str] = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
_TYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
}
_ACTIVATIONS = {
    schema.ActivationFunctionType.NONE: None,
    schema.ActivationFunctionType.RELU: ("Relu", {}),
    schema.ActivationFunctionType.RELU6: ("Clip", {"low": 0.0, "high": 6.0}),
}


def read_model(data: bytes) -> Flat:
    """Returns the flatbuffer as the schema's object tree (`ModelT`)."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def write_model(model: Flat) -> bytes:
    """Returns a `ModelT` as a TFLite flatbuffer."""
    import flatbuffers  # noqa: PLC0415 - only the check of a shortened graph needs it

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def operator_name(model: Flat, operator: Flat) -> str:
    """Returns the operator's name: TFLite's own, or the custom code."""
    code = model.operatorCodes[operator.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return code.customCode.decode() if number == schema.BuiltinOperator.CUSTOM else _OPERATORS[number]


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Returns TFLite's `SAME` padding before and after; the odd pixel goes after."""
    reach = (kernel - 1) * dilation + 1
    total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


@dataclass
class Converter:
    """One conversion. Values are keyed by their TFLite tensor index.

    Attributes:
        model: The flatbuffer's `ModelT`.
        half: Store single-precision weights of more than 256 numbers as half precision too.
    """

    model: Flat
    half: bool = False
    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    weights: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])
    names: dict[int, str] = field(default_factory=dict[int, str])
    constants: dict[int, NDArray[Any]] = field(default_factory=dict[int, "NDArray[Any]"])

    def convert(self) -> onnx.ModelProto:
        """Returns the checked ONNX model.

        Raises:
            NotImplementedError: The graph holds an operator that is not written down here.
        """
        graph = self.model.subgraphs[0]
        for index, tensor in enumerate(graph.tensors):
            data = self.model.buffers[tensor.buffer].data
            if data is not None and len(data):
                raw = np.frombuffer(bytes(data), _TYPES[tensor.type])
                self.constants[index] = raw.reshape([int(n) for n in tensor.shape])
        inputs = [self._enter(i) for i in graph.inputs]
        for operator in graph.operators:
            name = operator_name(self.model, operator)
            handler: Callable[[Any], None] | None = getattr(self, f"_op_{name.lower()}", None)
            if handler is None:
                raise NotImplementedError(name)
            handler(operator)
        outputs = [self._leave(i) for i in graph.outputs]
        made = helper.make_graph(self.nodes, "tflite", inputs, outputs, self.weights)
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _shape(self, index: int) -> list[int]:
        return [int(n) for n in self.model.subgraphs[0].tensors[index].shape]

    def _label(self, index: int) -> str:
        return self.model.subgraphs[0].tensors[index].name.decode()

    def _enter(self, index: int) -> onnx.ValueInfoProto:
        name, shape = self._label(index), self._shape(index)
        self.names[index] = self._node("Transpose", [name], perm=_TO_FIRST) if len(shape) == 4 else name
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    def _leave(self, index: int) -> onnx.ValueInfoProto:
        name, shape = self._label(index), self._shape(index)
        if len(shape) == 4:
            self.nodes.append(helper.make_node("Transpose", [self.names[index]], [name], perm=_TO_LAST))
        else:
            self.nodes.append(helper.make_node("Identity", [self.names[index]], [name]))
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    def _node(self, kind: str, inputs: Sequence[str], **attributes: Attribute) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _weight(self, values: NDArray[Any]) -> str:
        """Adds a constant; floats come out as single precision."""
        name = f"w{len(self.weights)}"
        if self.half and values.dtype == np.float32 and values.size > 256:
            values = values.astype(np.float16)
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return self._node("Cast", [name], to=TensorProto.FLOAT) if values.dtype == np.float16 else name

    def _value(self, index: int) -> str:
        """Returns the name of a computed value, or of a constant brought to the channels-second layout."""
        if index not in self.names:
            constant = self.constants[index]
            self.names[index] = self._weight(constant.transpose(_TO_FIRST) if constant.ndim == 4 else constant)
        return self.names[index]

    def _finish(self, operator: Flat, name: str, activation: int = 0) -> None:
        entry = _ACTIVATIONS[activation]
        if entry is not None:
            kind, limits = entry
            name = self._node(kind, [name, *(self._weight(np.array(v, np.float32)) for v in limits.values())])
        self.names[operator.outputs[0]] = name

    def _pads(self, operator: Flat, kernel: tuple[int, int], dilation: tuple[int, int] = (1, 1)) -> list[int]:
        options = operator.builtinOptions
        if options.padding == schema.Padding.VALID:
            return [0, 0, 0, 0]
        _, height, width, _ = self._shape(operator.inputs[0])
        top, bottom = same_padding(height, kernel[0], options.strideH, dilation[0])
        left, right = same_padding(width, kernel[1], options.strideW, dilation[1])
        return [top, left, bottom, right]

    def _convolve(self, operator: Flat, weights: NDArray[Any], group: int) -> None:
        options = operator.builtinOptions
        kernel = (weights.shape[2], weights.shape[3])
        dilation = (options.dilationHFactor, options.dilationWFactor)
        name = self._node(
            "Conv",
            [self._value(operator.inputs[0]), self._weight(weights), self._value(operator.inputs[2])],
            kernel_shape=kernel,
            strides=[options.strideH, options.strideW],
            dilations=dilation,
            pads=self._pads(operator, kernel, dilation),
            group=group,
        )
        self._finish(operator, name, options.fusedActivationFunction)

    def _op_conv_2d(self, operator: Flat) -> None:
        self._convolve(operator, self.constants[operator.inputs[1]].transpose(_TO_FIRST), 1)

    def _op_depthwise_conv_2d(self, operator: Flat) -> None:
        channels = self._shape(operator.inputs[0])[3]
        self._convolve(operator, self.constants[operator.inputs[1]].transpose(3, 0, 1, 2), channels)

    def _op_convolution2dtransposebias(self, operator: Flat) -> None:
        """MediaPipe's own operator: a transposed convolution with a bias, here always 2 x 2 with stride 2."""
        weights = self.constants[operator.inputs[1]].transpose(3, 0, 1, 2)
        name = self._node(
            "ConvTranspose",
            [self._value(operator.inputs[0]), self._weight(weights), self._value(operator.inputs[2])],
            kernel_shape=weights.shape[2:],
            strides=[2, 2],
        )
        self._finish(operator, name)

    def _op_dequantize(self, operator: Flat) -> None:
        """Half-precision weights: the cast is added where the weight is used."""
        self.constants[operator.outputs[0]] = self.constants[operator.inputs[0]]

    def _pool(self, operator: Flat, kind: str, **attributes: int) -> None:
        options = operator.builtinOptions
        kernel = (options.filterHeight, options.filterWidth)
        name = self._node(
            kind,
            [self._value(operator.inputs[0])],
            kernel_shape=kernel,
            strides=[options.strideH, options.strideW],
            pads=self._pads(operator, kernel),
            **attributes,
        )
        self._finish(operator, name, options.fusedActivationFunction)

    def _op_max_pool_2d(self, operator: Flat) -> None:
        self._pool(operator, "MaxPool")

    def _op_average_pool_2d(self, operator: Flat) -> None:
        self._pool(operator, "AveragePool", count_include_pad=0)

    def _binary(self, operator: Flat, kind: str) -> None:
        inputs = [self._value(i) for i in operator.inputs]
        self._finish(operator, self._node(kind, inputs), operator.builtinOptions.fusedActivationFunction)

    def _op_add(self, operator: Flat) -> None:
        self._binary(operator, "Add")

    def _op_mul(self, operator: Flat) -> None:
        self._binary(operator, "Mul")

    def _unary(self, operator: Flat, kind: str) -> None:
        self._finish(operator, self._node(kind, [self._value(operator.inputs[0])]))

    def _op_relu(self, operator: Flat) -> None:
        self._unary(operator, "Relu")

    def _op_hard_swish(self, operator: Flat) -> None:
        self._unary(operator, "HardSwish")

    def _op_logistic(self, operator: Flat) -> None:
        self._unary(operator, "Sigmoid")

    def _op_prelu(self, operator: Flat) -> None:
        slope = self.constants[operator.inputs[1]].transpose(2, 0, 1)
        self._finish(operator, self._node("PRelu", [self._value(operator.inputs[0]), self._weight(slope)]))

    def _op_pad(self, operator: Flat) -> None:
        amounts = self.constants[operator.inputs[1]][_TO_FIRST]
        pads = self._weight(np.concatenate([amounts[:, 0], amounts[:, 1]]).astype(np.int64))
        self._finish(operator, self._node("Pad", [self._value(operator.inputs[0]), pads]))

    def _op_reshape(self, operator: Flat) -> None:
        name = self._value(operator.inputs[0])
        if len(self._shape(operator.inputs[0])) == 4:
            name = self._node("Transpose", [name], perm=_TO_LAST)
        shape = self._shape(operator.outputs[0])
        name = self._node("Reshape", [name, self._weight(np.array(shape, np.int64))])
        self._finish(operator, self._node("Transpose", [name], perm=_TO_FIRST) if len(shape) == 4 else name)

    def _op_concatenation(self, operator: Flat) -> None:
        options = operator.builtinOptions
        rank = len(self._shape(operator.outputs[0]))
        axis = options.axis % rank
        if rank == 4:
            axis = _TO_FIRST.index(axis)
        name = self._node("Concat", [self._value(i) for i in operator.inputs], axis=axis)
        self._finish(operator, name, options.fusedActivationFunction)

    def _op_resize_bilinear(self, operator: Flat) -> None:
        options = operator.builtinOptions
        mode = "half_pixel" if options.halfPixelCenters else "align_corners" if options.alignCorners else "asymmetric"
        batch, height, width, channels = self._shape(operator.outputs[0])
        sizes = self._weight(np.array([batch, channels, height, width], np.int64))
        name = self._node(
            "Resize",
            [self._value(operator.inputs[0]), "", "", sizes],
            mode="linear",
            coordinate_transformation_mode=mode,
        )
        self._finish(operator, name)
