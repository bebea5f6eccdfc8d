"""What the motion model must beat: a jaw driven by energy, an MFCC matcher, and a small regression of the lips.

The matcher is uLipSync as PyPI's `pylipsync` has it (MIT), asked for five vowels and silence at 25 frames a second; its
shares are turned into the coefficients that avatars driven by it commonly use. It asks for an older numpy than ours but
runs with it, so it is no dependency: it is compared when it is there.

The regression is the smallest network that followed real lips well: a linear layer to 96, three residual convolutions
over five frames, mean squared error of values and 1.5 times that of velocities.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from avatar.motion.articulation import seal_lips
from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD, MAX_CHUNK, SAMPLES_PER_FRAME, prosody
from avatar.motion.layout import INDEX, N_MOTION, neutral
from avatar.motion.model import N_CHANNELS
from avatar.training.network import LIP_COLUMNS
from avatar.types import FRAME_RATE, SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.training.dataset import Dataset

_WIDTH: Final = 96
_CHUNKS: Final = 64
_LEARNING_RATE: Final = 2e-3
_JAW_PER_ENERGY: Final = 1.6
_QUIET: Final = 0.45
_VOWEL_SHAPES: Final[dict[str, dict[str, float]]] = {
    "aa": {"jawOpen": 0.7},
    "ee": {"jawOpen": 0.35, "mouthStretchLeft": 0.4, "mouthStretchRight": 0.4},
    "ih": {"jawOpen": 0.2, "mouthStretchLeft": 0.6, "mouthStretchRight": 0.6},
    "oh": {"jawOpen": 0.45, "mouthFunnel": 0.6},
    "ou": {"jawOpen": 0.2, "mouthPucker": 0.8},
}
"""Coefficients of each of the matcher's vowels at a share of 1."""


def energy_jaw(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion whose jaw opens with log energy above -44 dB of full scale, float32 (n_frames, 58).

    Args:
        sound: float32 (n_frames * 640,) at 16 kHz.
    """
    energy = prosody(sound)[:, 0]
    motion = neutral(len(energy))
    motion[:, INDEX["jawOpen"]] = np.clip(_JAW_PER_ENERGY * (energy - _QUIET), 0, 1)
    return motion


def has_matcher() -> bool:
    """Returns whether `pylipsync` is installed."""
    return importlib.util.find_spec("pylipsync") is not None


def matched_motion(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion of the lips that pylipsync's matcher gives, float32 (n_frames, 58).

    Args:
        sound: float32 (n_frames * 640,) at 16 kHz.
    """
    analyzer = importlib.import_module("pylipsync").PhonemeAnalyzer()
    segments = analyzer.extract_phoneme_segments(sound, SPEECH_RATE, fps=FRAME_RATE)
    motion = neutral(len(sound) // SAMPLES_PER_FRAME)
    for frame, segment in zip(motion, segments, strict=False):
        for phoneme in segment.phonemes:
            for name, value in _VOWEL_SHAPES.get(phoneme.name, {}).items():
                frame[INDEX[name]] += max(0.0, float(phoneme.target)) * value
    return np.clip(motion, 0, 1)


class LipRegression(nn.Module):
    """Lips from the agent's features, frame by frame.

    Args:
        mean: float32 (n_features,), of the features.
        deviation: float32 (n_features,), of the features.
    """

    def __init__(self, mean: NDArray[np.float32], deviation: NDArray[np.float32]) -> None:
        super().__init__()
        self._mean = torch.tensor(mean)
        self._deviation = torch.tensor(deviation)
        self.dropout = nn.Dropout(0.3)
        self.entry = nn.Linear(len(mean), _WIDTH)
        self.convolutions = nn.ModuleList(nn.Conv1d(_WIDTH, _WIDTH, 5, padding=2) for _ in range(3))
        self.exit = nn.Linear(_WIDTH, len(LIP_COLUMNS))

    def forward(self, agent: Tensor) -> Tensor:
        """Returns lips (batch, n, n_lips) in units of the motion, for frames without past and look-ahead.

        Args:
            agent: (batch, CONDITION_PAST + n + LOOK_AHEAD, n_features).
        """
        values = (agent - self._mean) / self._deviation
        if self.training:
            values = values + 0.1 * torch.randn_like(values)
        values = functional.gelu(self.entry(self.dropout(values))).transpose(1, 2)
        for convolution in self.convolutions:
            values = values + self.dropout(functional.gelu(convolution(values)))
        return self.exit(values.transpose(1, 2)[:, CONDITION_PAST:-LOOK_AHEAD])


def train_regression(dataset: Dataset, steps: int, seed: int) -> LipRegression:
    """Returns the regression trained on chunks of 25 frames."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = LipRegression(*dataset.feature_statistics()).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, total_steps=steps)
    for _ in range(steps):
        batch = dataset.draw(random, _CHUNKS, MAX_CHUNK)
        error = network(torch.as_tensor(batch.agent)) - torch.as_tensor(batch.target[..., list(LIP_COLUMNS)])
        loss = error.square().mean() + 1.5 * error.diff(dim=1).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def regressed_motion(network: LipRegression, agent: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns motion with lips alone, sealed, float32 (n_frames, 58).

    Args:
        network: The regression.
        agent: float32 (CONDITION_PAST + n_frames + LOOK_AHEAD, n_features).
    """
    lips = network(torch.as_tensor(agent)[None])[0].numpy()
    channels = np.zeros((len(lips), N_CHANNELS), np.float32)
    channels[:, list(LIP_COLUMNS)] = np.clip(lips, 0, 1)
    return seal_lips(channels[:, :N_MOTION], channels[:, N_MOTION], channels[:, N_MOTION + 1])
