"""Which convolutions turn a row of D columns into one vector, and back?

corGAN's autoencoder [Torfi 2020, and the authors' release] runs over the columns as over a line. A convolution of
kernel k and stride s shortens a map, a transposed one lengthens it,

    L -> floor((L - k) / s) + 1,        L -> (L - 1) s + k.

The release's kernels fit 1,071 columns and shorten them to one position of `latent` = 128 channels:

    encoder   kernels 5 5 5 5 5 8   strides 2 2 3 3 3 1   channels 4 8 16 32 64 128   1071 534 265 87 28 8 1
    decoder   kernels 5 5 7 7 7 3   strides 1 4 4 3 2 2   channels 64 32 16 8 4 1     1 5 21 87 265 535 1071

Leaky relu (0.2) inside the encoder and tanh at its end, relu inside the decoder; batch normalisation in all but the
first and last layers of each. Kernels start from N(0, 0.02^2), the scale of normalisation from N(1, 0.02^2).

Departs: another width needs other kernels. Layers are taken from the outer ones inwards, as long as a map is at least
k + s long; one kernel as long as what is left then makes it one position. A decoder's kernel is longer by the remainder
that its stride leaves, so that the lengths meet exactly. So is an encoder's, below 1,071 columns: a narrow table would
otherwise lose columns; the release never sees its last 94. Channels halve from the latent vector outwards, so a narrow
table keeps the wide layers. At 1,071 columns all of this gives the release's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from synthcohort.networks.medgan import LatentAutoencoder

PUBLISHED_WIDTH = 1071
ENCODER = ((5, 2), (5, 2), (5, 3), (5, 3), (5, 3))  # kernel, stride; from the row inwards
DECODER = ((3, 2), (7, 2), (7, 3), (7, 4), (5, 4))  # the same, from the row inwards


@dataclass(frozen=True)
class Stage:
    """One layer's kernel and stride."""

    kernel: int
    stride: int

    def shortened(self, length: int) -> int:
        """Return the length of a map after a convolution."""
        return (length - self.kernel) // self.stride + 1

    def lengthened(self, length: int) -> int:
        """Return the length of a map after a transposed convolution."""
        return (length - 1) * self.stride + self.kernel


def encoder_stages(width: int) -> list[Stage]:
    """Return the layers that shorten `width` >= 1 columns to one position, from the row inwards."""
    return _inwards(width, ENCODER, widen=width < PUBLISHED_WIDTH)


def decoder_stages(width: int) -> list[Stage]:
    """Return the layers that lengthen one position to `width` >= 1 columns, from the inside out."""
    return _inwards(width, DECODER, widen=True)[::-1]


def _inwards(length: int, published: tuple[tuple[int, int], ...], *, widen: bool) -> list[Stage]:
    stages = []
    for kernel, stride in published:
        if length < kernel + stride:
            break
        stage = Stage(kernel + (length - kernel) % stride * widen, stride)
        stages.append(stage)
        length = stage.shortened(length)
    return [*stages, Stage(length, 1)]


class ConvAutoencoder(LatentAutoencoder):
    """Convolutions over the columns of a row.

    Args:
        width: D, number of columns, >= 1.
        latent: channels at the one position inside, >= 1.
        generator: source of the first weights.
    """

    def __init__(self, width: int, latent: int, generator: torch.Generator) -> None:
        super().__init__()
        down, up = encoder_stages(width), decoder_stages(width)
        self.encoder = _encoder(down, [1, *_channels(latent, len(down) - 1)[::-1], latent], generator)
        self.decoder = _decoder(up, [latent, *_channels(latent, len(up) - 1), 1], generator)

    def encode(self, x: Tensor) -> Tensor:
        """Return codes [n, latent] of rows x [n, width]."""
        return self.encoder(x[:, None, :])[:, :, 0]

    def decode(self, h: Tensor) -> Tensor:
        """Return logits [n, width] of codes h [n, latent]."""
        return self.decoder(h[:, :, None])[:, 0, :]


def _channels(latent: int, count: int) -> list[int]:
    """Return latent / 2, latent / 4 ..., `count` of them, none below 1."""
    return [max(1, latent >> i) for i in range(1, count + 1)]


def _encoder(stages: list[Stage], channels: list[int], generator: torch.Generator) -> nn.Sequential:
    parts: list[nn.Module] = []
    for i, stage in enumerate(stages):
        layer = skip_init(nn.Conv1d, channels[i], channels[i + 1], stage.kernel, stage.stride)
        parts.append(_start(layer, channels[i] * stage.kernel, generator))
        if i == len(stages) - 1:
            return nn.Sequential(*parts, nn.Tanh())
        parts += [_norm(channels[i + 1], generator)] if i else []
        parts.append(nn.LeakyReLU(0.2))
    raise AssertionError("there is always a last stage")


def _decoder(stages: list[Stage], channels: list[int], generator: torch.Generator) -> nn.Sequential:
    parts: list[nn.Module] = []
    for i, stage in enumerate(stages):
        layer = skip_init(nn.ConvTranspose1d, channels[i], channels[i + 1], stage.kernel, stage.stride)
        parts.append(_start(layer, channels[i + 1] * stage.kernel, generator))
        if i == len(stages) - 1:
            break
        parts += [_norm(channels[i + 1], generator)] if i else []
        parts.append(nn.ReLU())
    return nn.Sequential(*parts)


def _start(layer: nn.Conv1d | nn.ConvTranspose1d, fan: int, generator: torch.Generator) -> nn.Module:
    """Draw the first weights; biases are uniform in +-1 / sqrt(fan), torch's own start, which the release keeps."""
    nn.init.normal_(layer.weight, 0.0, 0.02, generator=generator)
    if layer.bias is not None:
        nn.init.uniform_(layer.bias, -(fan**-0.5), fan**-0.5, generator=generator)
    return layer


def _norm(channels: int, generator: torch.Generator) -> nn.BatchNorm1d:
    layer = nn.BatchNorm1d(channels)
    nn.init.normal_(layer.weight, 1.0, 0.02, generator=generator)
    return layer


@torch.no_grad()
def clip_weights(network: nn.Module, bound: float) -> None:
    """Move every weight of `network` into [-bound, bound] [Arjovsky 2017, alg. 1]."""
    weights: list[Tensor] = list(network.parameters())
    torch._foreach_clamp_min_(weights, -bound)
    torch._foreach_clamp_max_(weights, bound)
