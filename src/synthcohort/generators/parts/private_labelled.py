r"""How do rows become normal scores when the quantiles have to be paid for?

A histogram of every numeric column over equal bins between its declared bounds, and the counts of levels, are one
answer: a row that becomes blank changes one cell of each, so its sensitivity in L2 is the square root of their number,
and Gaussian noise hides it. The noisy histogram is a distribution function,

    F(edge_k) = sum_{i <= k} (max(c_i, 0) + s) / sum_i (max(c_i, 0) + s),    s = a hundredth of an even share,

whose inverse gives the quantiles of `encoding.Encoder`; within a bin rows count as even. Noisy counts of levels are
held above a half, so that each may be asked for: whether it occurs would tell. Levels are declared, codes are free.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from synthcohort.dp.budget import Ledger
from synthcohort.dp.preprocessing import bin_of, declared_edges
from synthcohort.dp.randomness import Noise
from synthcohort.encoding import Encoder
from synthcohort.generators.parts.labelled import LabelledEncoder
from synthcohort.schema import Column, Schema

QUANTILES = 201
LEAST_COUNT = 0.5


def edges_of(schema: Schema, bins: int) -> list[np.ndarray]:
    """Return declared edges [K + 1] of each numeric column; raises PrivacyError before any row is looked at."""
    return [declared_edges(c.low, c.high, decimals=c.decimals, parts=bins, column=c.name) for c in schema.numeric]


def buy_laws(
    train: pd.DataFrame,
    schema: Schema,
    edges: list[np.ndarray],
    counted: Sequence[Column],
    *,
    ledger: Ledger,
    noise_multiplier: float,
    noise: Noise,
) -> tuple[Encoder, list[np.ndarray]]:
    """Return an encoder learned from noisy histograms, and noisy counts of levels.

    Args:
        train: [n, P + Q] rows.
        schema: their schema, whose bounds and levels are public.
        edges: of each numeric column, [K + 1].
        counted: categorical columns whose levels are counted.
        ledger: what pays.
        noise_multiplier: standard deviation of the noise in units of the sensitivity, >= 0.
        noise: its source.

    Returns:
        The encoder, and for each counted column [K] counts >= LEAST_COUNT.
    """
    numeric = zip(schema.numeric, edges, strict=True)
    counts = [np.bincount(bin_of(train[c.name].to_numpy(), e), minlength=len(e) - 1) for c, e in numeric]
    counts += [np.bincount(train[c.name].cat.codes, minlength=len(c.levels)) for c in counted]
    noisy = _noisy(counts, ledger, noise_multiplier, noise) if counts else []
    probabilities = np.linspace(0, 1, QUANTILES)
    columns = [np.interp(probabilities, law(c), e) for c, e in zip(noisy, edges)]  # [QUANTILES] each
    quantiles = np.stack(columns, axis=1) if columns else np.empty((QUANTILES, 0))
    encoder = Encoder(schema, quantiles, 1 / (2 * (len(train) + 1)))
    return encoder, [np.maximum(c, LEAST_COUNT) for c in noisy[len(edges) :]]


def buy_encoder(
    train: pd.DataFrame,
    schema: Schema,
    edges: list[np.ndarray],
    *,
    ledger: Ledger,
    noise_multiplier: float,
    noise: Noise,
) -> LabelledEncoder:
    """Return an encoder that sets the label apart, learned from noisy histograms; arguments as of `buy_laws`."""
    counted = [] if schema.target.numeric else [schema.target]
    encoder, counts = buy_laws(
        train, schema, edges, counted, ledger=ledger, noise_multiplier=noise_multiplier, noise=noise
    )
    edge = np.full(len(edges), norm.ppf(encoder.lo))
    return LabelledEncoder(encoder, counts[0] if counts else np.zeros(0), edge, -edge)


def law(counts: np.ndarray) -> np.ndarray:
    """Return a rising distribution function at the edges, [K + 1], of noisy counts [K]."""
    kept = np.maximum(counts, 0)
    kept = kept + max(0.01 * kept.mean(), 1e-6)
    return np.concatenate([[0.0], kept.cumsum() / kept.sum()])


def _noisy(counts: list[np.ndarray], ledger: Ledger, noise_multiplier: float, noise: Noise) -> list[np.ndarray]:
    """Return all histograms with noise, paid for as one answer."""
    ledger.spend_gaussian(f"{len(counts)} histograms of columns", noise_multiplier)
    flat = np.concatenate(counts).astype(np.float64)
    if noise_multiplier:
        flat += noise_multiplier * math.sqrt(len(counts)) * noise.normal(len(flat))
    return np.split(flat, np.cumsum([len(c) for c in counts])[:-1])
