"""The motion network as committed: two ONNX graphs and the statistics of its motion.

``conditioner.onnx`` runs once a chunk and turns features and style into one vector a frame; ``denoiser.onnx`` runs once
a sampler step. ``avatar.training.export`` writes them; MODEL_CARD.md beside them says what they were trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from avatar.errors import ModelError
from avatar.motion.articulation import LIP_CHANNELS
from avatar.motion.layout import N_MOTION
from avatar.motion.sampler import NoiseShape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.motion.sampler import Denoiser

PAST_FRAMES: Final = 12
"""Frames of motion before a chunk that the network continues from."""

N_CHANNELS: Final = N_MOTION + len(LIP_CHANNELS)
"""What the network makes: motion without bilabial seals, then closure and tuck."""

DATA_FOLDER: Final = Path(__file__).parent / "data"

CONDITIONER_FILE: Final = "conditioner.onnx"
DENOISER_FILE: Final = "denoiser.onnx"
STATISTICS_FILE: Final = "statistics.npz"


@dataclass(frozen=True, slots=True)
class Past:
    """Motion before a chunk.

    Attributes:
        channels: float32 (PAST_FRAMES, N_CHANNELS), normalised; zero where not valid.
        valid: float32 (PAST_FRAMES,), 1 where there was a frame, 0 before the stream began.
    """

    channels: NDArray[np.float32]
    valid: NDArray[np.float32]


class MotionModel:
    """The network, ready to run on the CPU.

    Attributes:
        mean: float32 (N_CHANNELS,), of the training motion.
        deviation: float32 (N_CHANNELS,), of the training motion.
        noise: Noise that the sampler starts from.

    Args:
        folder: Where the three files lie.
        threads: Threads that one call computes with.

    Raises:
        ModelError: A file is missing or can't be read.
    """

    def __init__(self, folder: Path = DATA_FOLDER, *, threads: int = 1) -> None:
        self._conditioner = _session(folder / CONDITIONER_FILE, threads)
        self._denoiser = _session(folder / DENOISER_FILE, threads)
        try:
            with np.load(folder / STATISTICS_FILE) as statistics:
                self.mean: NDArray[np.float32] = statistics["mean"]
                self.deviation: NDArray[np.float32] = statistics["deviation"]
                self.noise = NoiseShape(statistics["persistence"], statistics["mixing"])
        except (OSError, ValueError, KeyError) as error:
            raise _unreadable(folder / STATISTICS_FILE, error) from error

    def condition(
        self, agent: NDArray[np.float32], user: NDArray[np.float32], style: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Returns one vector a frame, float32 (PAST_FRAMES + n_frames, n_condition).

        Args:
            agent: float32 (CONDITION_PAST + n_frames + LOOK_AHEAD, n_features), of the agent's speech.
            user: float32 (CONDITION_PAST + n_frames + LOOK_AHEAD, N_PROSODY), of the user's speech.
            style: float32 (n_frames, N_STYLE), state, emotion and controls of the frames to make.
        """
        inputs = {"agent": agent[None], "user": user[None], "style": style[None]}
        return self._conditioner.run(None, inputs)[0][0]

    def denoiser(self, condition: NDArray[np.float32], past: Past) -> Denoiser:
        """Returns the network with its conditions; see `avatar.motion.sampler`."""
        return partial(self._denoise, condition[None], past.channels[None], past.valid[None])

    def _denoise(
        self,
        condition: NDArray[np.float32],
        past: NDArray[np.float32],
        valid: NDArray[np.float32],
        noisy: NDArray[np.float32],
        time: float,
    ) -> NDArray[np.float32]:
        inputs = {
            "noisy": noisy[None],
            "time": np.array([time], np.float32),
            "past": past,
            "valid": valid,
            "condition": condition,
        }
        return self._denoiser.run(None, inputs)[0][0]


def _session(path: Path, threads: int) -> Any:  # noqa: ANN401 - onnxruntime ships no types
    import onnxruntime  # noqa: PLC0415 - a tenth of a second that only those who load a model should pay

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base but this
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ModelError:
    got = (str(error).splitlines() or [type(error).__name__])[0]
    return ModelError(
        f"loading {path.name}", expected="the motion network's file", got=got, hint="restore avatar/motion/data"
    )
