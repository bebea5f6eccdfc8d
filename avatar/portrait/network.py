"""Runs the small converted face models."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from avatar.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Floats


class Network:
    """One model of avatar/portrait/data: a picture in, arrays out.

    Args:
        name: File name without the ending.
        n_threads: Threads of ONNX Runtime.

    Attributes:
        size: Side of the square input, pixels.

    Raises:
        ModelError: The file is missing or damaged.
    """

    def __init__(self, name: str, *, n_threads: int = 1) -> None:
        path = files("avatar.portrait") / "data" / f"{name}.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        except (OSError, RuntimeError) as error:
            raise ModelError(
                f"loading {name}.onnx",
                expected="a face model that comes with this program",
                got=type(error).__name__,
                hint="restore avatar/portrait/data from the repository",
            ) from error
        entry = self._session.get_inputs()[0]
        self._input = entry.name
        self.size = int(entry.shape[1])

    def __call__(self, picture: Floats) -> list[NDArray[np.float32]]:
        """Returns the outputs without their first dimension, the longest first.

        Args:
            picture: (size, size, 3), in the model's own range.
        """
        values = self._session.run(None, {self._input: np.ascontiguousarray(picture[None], np.float32)})
        return sorted((np.asarray(value, np.float32)[0] for value in values), key=lambda value: -value.size)
