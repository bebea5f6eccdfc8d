"""The motion network: a conditioner that hears, and a rectified-flow transformer that moves.

The conditioner runs once a chunk: convolutions over the agent's features, the user's prosody, and a regression of the
lips from these, which the transformer gets as one more condition (lips follow sound almost without freedom; the rest
of the face does not). The transformer (Peebles & Xie 2023: adaptive layer norm on flow time) sees past motion, noisy
motion and conditions as one token a frame, and predicts the motion itself (x1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from avatar.motion.features import CONDITION_PAST, LOOK_AHEAD, MAX_CHUNK, N_PROSODY
from avatar.motion.layout import COLUMNS
from avatar.motion.model import N_CHANNELS, PAST_FRAMES
from avatar.motion.states import N_STYLE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LIP_COLUMNS = tuple(
    index for index, name in enumerate(COLUMNS) if name.startswith(("jaw", "mouth", "tongue", "cheekPuff"))
) + tuple(range(len(COLUMNS), N_CHANNELS))
"""Channels that the conditioner regresses: jaw, mouth, tongue, closure, tuck."""


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """Widths and depths.

    Attributes:
        n_features: Width of the agent's features.
        hearing: Width of the convolutions over them.
        width: Width of the transformer.
        heads: Attention heads.
        blocks: Transformer blocks.
    """

    n_features: int = 515
    hearing: int = 128
    width: int = 160
    heads: int = 4
    blocks: int = 4


class Conditioner(nn.Module):
    """Turns features and style into one vector a frame, and regresses the lips.

    Args:
        size: Widths.
        mean: float32 (n_features,), of the agent's features.
        deviation: float32 (n_features,), of the agent's features.
    """

    def __init__(self, size: NetworkSize, mean: NDArray[np.float32], deviation: NDArray[np.float32]) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))
        self.noise = 0.1
        self.steady_noise = 0.2
        self.dropout = nn.Dropout(0.2)
        self.agent_in = nn.Linear(size.n_features, size.hearing)
        self.agent_convolutions = nn.ModuleList(_Residual(size.hearing, dilation) for dilation in (1, 1, 2))
        n_user = 32
        self.user_in = nn.Linear(N_PROSODY, n_user)
        self.user_convolutions = nn.ModuleList(_Residual(n_user, dilation) for dilation in (1, 2, 4))
        n_heard = size.hearing + N_STYLE
        self.lips = nn.Sequential(nn.Linear(n_heard, 96), nn.GELU(), nn.Linear(96, len(LIP_COLUMNS)))
        self.out = nn.Linear(n_heard + n_user + len(LIP_COLUMNS), size.width)

    def forward(self, agent: Tensor, user: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Returns conditions (batch, PAST_FRAMES + n, width) and normalised lips (batch, PAST_FRAMES + n, n_lips).

        Args:
            agent: (batch, CONDITION_PAST + n + LOOK_AHEAD, n_features).
            user: (batch, CONDITION_PAST + n + LOOK_AHEAD, N_PROSODY).
            style: (batch, n, N_STYLE).
        """
        heard = (agent - self.mean) / self.deviation
        if self.training:
            heard = heard + self.noise * torch.randn_like(heard)
            # What stays the same for a chunk is the voice and the room: another one must move the same lips.
            heard = heard + self.steady_noise * torch.randn_like(heard[:, :1])
        heard = functional.gelu(self.agent_in(self.dropout(heard)))
        heard = _along_time(self.agent_convolutions, heard, self.dropout)
        other = _along_time(self.user_convolutions, functional.gelu(self.user_in(user)), self.dropout)
        first = CONDITION_PAST - PAST_FRAMES
        heard, other = heard[:, first:-LOOK_AHEAD], other[:, first:-LOOK_AHEAD]
        heard = torch.cat([heard, functional.pad(style, (0, 0, PAST_FRAMES, 0))], dim=-1)
        lips = self.lips(heard)
        return self.out(torch.cat([heard, other, lips], dim=-1)), lips


class FlowTransformer(nn.Module):
    """Predicts motion from noisy motion, its past and the conditions; all normalised."""

    def __init__(self, size: NetworkSize) -> None:
        super().__init__()
        self.noisy_in = nn.Linear(N_CHANNELS, size.width)
        self.past_in = nn.Linear(N_CHANNELS + 1, size.width)
        self.position = nn.Parameter(0.02 * torch.randn(PAST_FRAMES + MAX_CHUNK, size.width))
        self.frequencies: Tensor
        self.register_buffer("frequencies", torch.exp(torch.linspace(0.0, 5.0, 32)))
        self.time_in = nn.Sequential(nn.Linear(64, size.width), nn.SiLU(), nn.Linear(size.width, size.width), nn.SiLU())
        self.blocks = nn.ModuleList(_Block(size.width, size.heads) for _ in range(size.blocks))
        self.norm = nn.LayerNorm(size.width)
        self.out = nn.Linear(size.width, N_CHANNELS)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, noisy: Tensor, time: Tensor, past: Tensor, valid: Tensor, condition: Tensor) -> Tensor:
        """Returns the motion at the end of the path (batch, n, N_CHANNELS).

        Args:
            noisy: (batch, n, N_CHANNELS).
            time: (batch,), flow time in [0, 1).
            past: (batch, PAST_FRAMES, N_CHANNELS), zero where not valid.
            valid: (batch, PAST_FRAMES), 1 or 0.
            condition: (batch, PAST_FRAMES + n, width).
        """
        angles = time[:, None] * self.frequencies
        moment = self.time_in(torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1))[:, None]
        before = self.past_in(torch.cat([past, valid[..., None]], dim=-1))
        tokens = torch.cat([before, self.noisy_in(noisy)], dim=1) + condition
        tokens = tokens + self.position[: tokens.shape[1]]
        for block in self.blocks:
            tokens = block(tokens, moment)
        return self.out(self.norm(tokens[:, PAST_FRAMES:]))


class MotionNetwork(nn.Module):
    """The conditioner and the transformer, trained together.

    Args:
        size: Widths and depths.
        mean: float32 (n_features,), of the agent's features.
        deviation: float32 (n_features,), of the agent's features.
    """

    def __init__(self, size: NetworkSize, mean: NDArray[np.float32], deviation: NDArray[np.float32]) -> None:
        super().__init__()
        self.conditioner = Conditioner(size, mean, deviation)
        self.transformer = FlowTransformer(size)


class _Residual(nn.Module):
    """One residual convolution over five frames, (batch, width, n_frames) to the same."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation)

    def forward(self, values: Tensor) -> Tensor:
        return values + functional.gelu(self.convolution(values))


class _Block(nn.Module):
    """Attention and perceptron, each scaled, shifted and gated by flow time (adaLN-zero)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.attention_in = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, tokens: Tensor, moment: Tensor) -> Tensor:
        scale, shift, gate, scale_2, shift_2, gate_2 = self.modulation(moment).chunk(6, dim=-1)
        tokens = tokens + (1 + gate) * self._attend(self.norm(tokens) * (1 + scale) + shift)
        return tokens + (1 + gate_2) * self.perceptron(self.norm(tokens) * (1 + scale_2) + shift_2)

    def _attend(self, tokens: Tensor) -> Tensor:
        projected = self.attention_in(tokens).unflatten(-1, (3, self.heads, -1))
        query, key, value = projected.permute(2, 0, 3, 1, 4).unbind(0)
        attended = functional.scaled_dot_product_attention(query, key, value)
        return self.attention_out(attended.transpose(1, 2).flatten(2))


def _along_time(layers: nn.ModuleList, values: Tensor, dropout: nn.Dropout) -> Tensor:
    values = values.transpose(1, 2)
    for layer in layers:
        values = dropout(layer(values))
    return values.transpose(1, 2)
