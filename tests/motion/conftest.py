"""A motion network of a few kilobytes, so that the real runtime is tested without the committed weights."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from avatar.motion import model as motion_model
from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD, N_PROSODY, SpeechFeatures
from avatar.motion.layout import INDEX
from avatar.motion.model import N_CHANNELS, PAST_FRAMES, MotionModel
from avatar.motion.states import N_STYLE

N_HIDDEN = 2


class TinyEncoder:
    """Hidden states that are the mean and the peak of their samples."""

    n_hidden = N_HIDDEN

    def encode(self, samples):
        pieces = np.abs(samples.reshape(-1, 320))
        return np.stack([pieces.mean(axis=1), pieces.max(axis=1)], axis=1).astype(np.float32)


def _constant(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def _save(path, nodes, inputs, output, constants):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def write_tiny_model(folder):
    """Jaw follows the agent's peak, head yaw the listening state, and every channel keeps half of its last value."""
    n_agent = N_HIDDEN + N_PROSODY
    first = CONDITION_PAST - PAST_FRAMES
    _save(
        folder / motion_model.CONDITIONER_FILE,
        [
            helper.make_node("Slice", ["agent", "from", "to", "frame_axis"], ["heard"]),
            helper.make_node("Pad", ["style", "pads"], ["padded"]),
            helper.make_node("ReduceSum", ["user", "all_axes"], ["user_total"]),
            helper.make_node("Mul", ["user_total", "zero"], ["user_unused"]),
            helper.make_node("Add", ["heard", "user_unused"], ["heard_both"]),
            helper.make_node("Concat", ["heard_both", "padded"], ["condition"], axis=2),
        ],
        {"agent": [1, None, n_agent], "user": [1, None, N_PROSODY], "style": [1, None, N_STYLE]},
        ("condition", [1, None, n_agent + N_STYLE]),
        [
            _constant("from", np.int64([first])),
            _constant("to", np.int64([-LOOK_AHEAD])),
            _constant("frame_axis", np.int64([1])),
            _constant("all_axes", np.int64([1, 2])),
            _constant("pads", np.int64([0, PAST_FRAMES, 0, 0, 0, 0])),
            _constant("zero", np.float32(0)),
        ],
    )
    weights = np.zeros((n_agent + N_STYLE, N_CHANNELS), np.float32)
    weights[1, INDEX["jawOpen"]] = 1
    weights[n_agent + 1, INDEX["yaw"]] = 0.1
    _save(
        folder / motion_model.DENOISER_FILE,
        [
            helper.make_node("Slice", ["condition", "past_frames", "end", "frame_axis"], ["now"]),
            helper.make_node("MatMul", ["now", "weights"], ["heard"]),
            helper.make_node("Slice", ["past", "last", "end", "frame_axis"], ["before"]),
            helper.make_node("Mul", ["before", "half"], ["kept"]),
            helper.make_node("Mul", ["noisy", "little"], ["variety"]),
            helper.make_node("ReduceSum", ["valid"], ["n_valid"], keepdims=0),
            helper.make_node("ReduceSum", ["time"], ["time_total"], keepdims=0),
            helper.make_node("Add", ["n_valid", "time_total"], ["others"]),
            helper.make_node("Mul", ["others", "zero"], ["nothing"]),
            helper.make_node("Sum", ["heard", "kept", "variety", "nothing"], ["motion"]),
        ],
        {
            "noisy": [1, None, N_CHANNELS],
            "time": [1],
            "past": [1, PAST_FRAMES, N_CHANNELS],
            "valid": [1, PAST_FRAMES],
            "condition": [1, None, n_agent + N_STYLE],
        },
        ("motion", [1, None, N_CHANNELS]),
        [
            _constant("past_frames", np.int64([PAST_FRAMES])),
            _constant("last", np.int64([-1])),
            _constant("end", np.int64([2**31 - 1])),
            _constant("frame_axis", np.int64([1])),
            _constant("weights", weights),
            _constant("half", np.float32(0.5)),
            _constant("little", np.float32(0.01)),
            _constant("zero", np.float32(0)),
        ],
    )
    np.savez(
        folder / motion_model.STATISTICS_FILE,
        mean=np.zeros(N_CHANNELS, np.float32),
        deviation=np.ones(N_CHANNELS, np.float32),
        persistence=np.zeros(N_CHANNELS, np.float32),
        mixing=np.eye(N_CHANNELS, dtype=np.float32),
    )


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motion")
    write_tiny_model(folder)
    return folder


@pytest.fixture
def tiny_model(tiny_model_folder):
    return MotionModel(tiny_model_folder)


@pytest.fixture
def tiny_speech():
    return SpeechFeatures(TinyEncoder())
