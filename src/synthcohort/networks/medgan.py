"""Which networks play medGAN's game in the latent space of an autoencoder?

Autoencoder [Choi 2017, sec. 3]: h = tanh(W x + b), logits = W' h + b'. Generator: L layers with shortcuts around each,

    h_0 = z,    h_l = h_{l-1} + relu( BN(W_l h_{l-1}) ),  l < L,    h_L = h_{L-1} + tanh( BN(W_L h_{L-1}) ),

and the row is the decoder's of h_L. Discriminator: a perceptron that sees each row beside the mean of its batch, so
that a batch of equal rows gives itself away (minibatch averaging),

    D( [x_i, (1/n) sum_k x_k] ).

Batch normalisation keeps 0.99 of its running moments a batch and adds 0.001 to variances, as TensorFlow's layer of the
authors' release. Weights start as in [Glorot 2010, eq. 16].

Departs: a label y may be given (the source generates every column): each layer of the generator adds an embedding of y
to W_l h, which is what indicators of y among its inputs would do; the shortcuts are unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

from synthcohort.networks.layers import embedding


def dense(inputs: int, outputs: int, generator: torch.Generator, *, bias: float | None = 0.0) -> nn.Linear:
    """Return a linear layer, weights uniform in +-sqrt(6 / (inputs + outputs)) [Glorot 2010, eq. 16].

    Args:
        inputs: width of the input.
        outputs: width of the output.
        generator: source of the weights, on the CPU.
        bias: its first value; None: no bias.
    """
    layer = skip_init(nn.Linear, inputs, outputs, bias=bias is not None)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    if bias is not None:
        nn.init.constant_(layer.bias, bias)
    return layer


class LatentAutoencoder(nn.Module):
    """Two halves, rows [n, features] <-> codes [n, latent]; a kind of it sets both."""

    encoder: nn.Module
    decoder: nn.Module

    def encode(self, x: Tensor) -> Tensor:
        """Return codes [n, latent] of rows x [n, features]."""
        return self.encoder(x)

    def decode(self, h: Tensor) -> Tensor:
        """Return logits [n, features] of codes h [n, latent]."""
        return self.decoder(h)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits [n, features] of the reconstruction of rows x [n, features]."""
        return self.decode(self.encode(x))


class RecordAutoencoder(LatentAutoencoder):
    """One tanh layer in, one linear layer out."""

    def __init__(self, features: int, latent: int, generator: torch.Generator) -> None:
        super().__init__()
        self.encoder = nn.Sequential(dense(features, latent, generator), nn.Tanh())
        self.decoder = dense(latent, features, generator)


class ShortcutGenerator(nn.Module):
    """Noise [n, latent] -> codes [n, latent].

    Args:
        latent: width of every layer.
        depth: L, number of layers, >= 1; relu, the last one tanh.
        labels: number of classes, 0 for none.
        generator: source of the first weights.
    """

    def __init__(self, *, latent: int, depth: int, labels: int, generator: torch.Generator) -> None:
        super().__init__()
        self.depth = depth
        self.layers = nn.ModuleList([dense(latent, latent, generator, bias=None) for _ in range(depth)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(latent, eps=1e-3, momentum=0.01) for _ in range(depth)])
        self.label = embedding(labels, depth * latent, generator) if labels else None

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Return h_L [n, latent] for noise z [n, latent] and labels y [n]."""
        h = z
        shifts = [0.0] * self.depth if self.label is None else self.label(y).chunk(self.depth, dim=1)
        for i, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            a = norm(layer(h) + shifts[i])
            h = h + (a.tanh() if i == self.depth - 1 else functional.relu(a))
        return h


class Discriminator(nn.Module):
    """A perceptron with relu and one linear output, [n, inputs] -> [n].

    Args:
        inputs: width of the input.
        widths: of the hidden layers.
        generator: source of the first weights.
        bias: first value of every bias.
    """

    def __init__(self, inputs: int, widths: tuple[int, ...], generator: torch.Generator, *, bias: float = 0.0) -> None:
        super().__init__()
        sizes = (inputs, *widths, 1)
        self.layers = nn.ModuleList([dense(a, b, generator, bias=bias) for a, b in pairwise(sizes)])

    def forward(self, x: Tensor) -> Tensor:
        """Return one number a row, [n]."""
        for layer in self.layers[:-1]:
            x = functional.relu(layer(x))
        return self.layers[-1](x)[:, 0]


def beside_mean(x: Tensor) -> Tensor:
    """Return each row beside the mean of all, [n, D] -> [n, 2 D] [Choi 2017, minibatch averaging]."""
    return torch.cat([x, x.mean(0, keepdim=True).expand_as(x)], dim=1)


@torch.no_grad()
def burn_in(network: nn.Module, forward: Callable[[], Tensor], batches: int) -> None:
    """Set the running moments of `network` to their mean over `batches` calls of `forward`; leave it in `eval`."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d)]
    kept = [norm.momentum for norm in norms]
    network.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the calls
    for _ in range(batches):
        forward()
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
    network.eval()
