r"""How do rows with holes become numbers when every look at them has to be paid for?

As in `parts.private_labelled`, but a cell that is missing is in no cell of any histogram, and the levels of every
categorical column are counted: a row that becomes blank changes one count of each of the P + Q histograms at most, so
the sensitivity of all of them together, in L2, is sqrt(P + Q). Every declared level counts as known, whether a row has
it or not: that would tell.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from synthcohort.dp import mechanisms
from synthcohort.dp.budget import Ledger
from synthcohort.dp.preprocessing import bin_of
from synthcohort.dp.randomness import Noise
from synthcohort.encoding import Encoder
from synthcohort.generators.parts.masked_rows import MaskedEncoder
from synthcohort.generators.parts.private_labelled import LEAST_COUNT, QUANTILES, law
from synthcohort.schema import Schema


def buy_masked(
    train: pd.DataFrame,
    schema: Schema,
    edges: list[np.ndarray],
    *,
    ledger: Ledger,
    noise_multiplier: float,
    noise: Noise,
) -> MaskedEncoder:
    """Return an encoder of rows with holes, learned from noisy histograms.

    Args:
        train: [n, P + Q] rows; cells may be missing.
        schema: their schema, whose bounds and levels are public.
        edges: of each numeric column, [K + 1].
        ledger: what pays.
        noise_multiplier: standard deviation of the noise in units of the sensitivity, >= 0.
        noise: its source.
    """
    counts = histograms(train, schema, edges)
    ledger.spend_gaussian(f"{len(counts)} histograms of columns", noise_multiplier)
    noisy = mechanisms.gaussian(
        np.concatenate(counts),
        sensitivity=math.sqrt(len(counts)),
        rho=1 / (2 * noise_multiplier**2) if noise_multiplier else math.inf,
        noise=noise,
    )
    parts = np.split(noisy, np.cumsum([len(c) for c in counts])[:-1])
    probabilities = np.linspace(0, 1, QUANTILES)
    columns = [np.interp(probabilities, law(c), e) for c, e in zip(parts, edges)]  # [QUANTILES] each
    quantiles = np.stack(columns, axis=1) if columns else np.empty((QUANTILES, 0))
    levels = [np.maximum(c, LEAST_COUNT) for c in parts[len(edges) :]]
    return MaskedEncoder(Encoder(schema, quantiles, 1 / (2 * (len(train) + 1))), np.concatenate([np.zeros(0), *levels]))


def histograms(train: pd.DataFrame, schema: Schema, edges: list[np.ndarray]) -> list[np.ndarray]:
    """Return the counts [K] of the cells that are there, of each numeric column's bins, then of each other's levels."""
    columns = [(train[c.name].dropna().to_numpy(), e) for c, e in zip(schema.numeric, edges, strict=True)]
    levels = [(train[c.name].dropna().cat.codes.to_numpy(), len(c.levels)) for c in schema.categorical]
    return [
        *(np.bincount(bin_of(cells, e), minlength=len(e) - 1) for cells, e in columns),
        *(np.bincount(codes, minlength=k) for codes, k in levels),
    ]
