"""Writes the trained network for ONNX Runtime: ``python -m avatar.training.export --out avatar/motion/data``.

Weights are stored as float16 and cast to float32 when the graph is loaded, which halves the files and changes motion by
less than a thousandth.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from avatar.errors import VisavisError
from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD, N_PROSODY
from avatar.motion.layout import N_BLENDSHAPES, N_MOTION
from avatar.motion.model import CONDITIONER_FILE, DATA_FOLDER, DENOISER_FILE, N_CHANNELS, PAST_FRAMES, STATISTICS_FILE
from avatar.motion.states import N_STYLE
from avatar.training.checkpoint import CHECKPOINT_FILE, Trained, blended, load
from avatar.training.network import LIP_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from avatar.training.network import Conditioner

_OPSET: Final = 17
_LIP_TEMPERATURE: Final = 0.2
"""Lips follow sound almost without freedom; with less noise they follow it closer (validation: 0.78 at 1, 0.81)."""

_HEAD_TEMPERATURE: Final = 1.3
"""Four sampler steps shrink what is free; more noise restores some of the labels' spread."""

_SMALL: Final = 64
"""Values in a constant below which it stays float32."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=Path("build/motion") / CHECKPOINT_FILE)
    parser.add_argument("--out", type=Path, default=DATA_FOLDER)
    parser.add_argument("--blend", type=Path, help="checkpoint that the training began from, to be mixed in")
    parser.add_argument("--share", type=float, default=0.15, help="of `--blend` in the mixture, 0 to 1")
    options = parser.parse_args(arguments)
    if not 0 <= options.share <= 1:
        parser.error(f"argument --share: expected 0 to 1, got {options.share}")
    for path in filter(None, (options.checkpoint, options.blend)):
        if not path.is_file():
            print(f"reading {path}: expected a trained network, got no such file", file=sys.stderr)
            print("hint: run `python -m avatar.training.train`", file=sys.stderr)
            return 2
    try:
        trained = load(options.checkpoint)
        export(blended(trained, load(options.blend), options.share) if options.blend else trained, options.out)
    except VisavisError as error:
        print(error, f"hint: {error.hint}" if error.hint else "", sep="\n", file=sys.stderr)
        return 2
    return 0


def export(trained: Trained, folder: Path) -> None:
    """Writes the two graphs and the statistics that `avatar.motion.model` loads.

    Args:
        trained: The network.
        folder: Where to; it is created.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network, size, n = trained.network.eval(), trained.size, 8
    seen = CONDITION_PAST + n + LOOK_AHEAD
    conditioner = _graph(
        _Conditions(network.conditioner),
        {
            "agent": torch.zeros(1, seen, size.n_features),
            "user": torch.zeros(1, seen, N_PROSODY),
            "style": torch.zeros(1, n, N_STYLE),
        },
        "condition",
    )
    denoiser = _graph(
        network.transformer,
        {
            "noisy": torch.zeros(1, n, N_CHANNELS),
            "time": torch.zeros(1),
            "past": torch.zeros(1, PAST_FRAMES, N_CHANNELS),
            "valid": torch.ones(1, PAST_FRAMES),
            "condition": torch.zeros(1, PAST_FRAMES + n, size.width),
        },
        "motion",
    )
    statistics = io.BytesIO()
    np.savez(
        statistics,
        mean=trained.mean,
        deviation=trained.deviation,
        persistence=trained.noise.persistence,
        mixing=trained.noise.mixing * _temperatures()[:, np.newaxis],
    )
    _write(folder / CONDITIONER_FILE, conditioner.SerializeToString())
    _write(folder / DENOISER_FILE, denoiser.SerializeToString())
    _write(folder / STATISTICS_FILE, statistics.getvalue())


def _temperatures() -> NDArray[np.float32]:
    """Returns the noise that each channel starts from at run time, relative to training, float32 (N_CHANNELS,)."""
    result = np.ones(N_CHANNELS, np.float32)
    result[list(LIP_COLUMNS)] = _LIP_TEMPERATURE
    result[N_BLENDSHAPES:N_MOTION] = _HEAD_TEMPERATURE
    return result


class _Conditions(nn.Module):
    """The conditioner without its regression of the lips."""

    def __init__(self, conditioner: Conditioner) -> None:
        super().__init__()
        self.conditioner = conditioner

    def forward(self, agent: Tensor, user: Tensor, style: Tensor) -> Tensor:
        return self.conditioner(agent, user, style)[0]


def _graph(module: nn.Module, inputs: Mapping[str, Tensor], output: str) -> onnx.ModelProto:
    """Returns the graph of a module whose second axis may have any length, with weights as float16."""
    varying = {name: {1: f"{name}_frames"} for name, value in inputs.items() if value.ndim == 3 and name != "past"}
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as scratch:
        # torch prefers its exporter by torch.export, which needs one more package and gives larger graphs.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            Path(scratch) / "graph.onnx",
            dynamo=False,
            opset_version=_OPSET,
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes={**varying, output: {1: "frames"}},
        )
        model = onnx.load(Path(scratch) / "graph.onnx")
    _store_half(model.graph)
    onnx.checker.check_model(model)
    return model


def _store_half(graph: onnx.GraphProto) -> None:
    """Replaces each large float32 constant by a float16 one and a cast, in place."""
    casts: list[onnx.NodeProto] = []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < _SMALL:
            continue
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _write(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.scratch")
    scratch.write_bytes(content)
    scratch.replace(path)


if __name__ == "__main__":
    sys.exit(main())
