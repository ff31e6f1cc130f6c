r"""How are bins, quantiles and counts of a column learned without a free look at its rows?

What a schema declares, a column's bounds, decimals and levels, is public; everything else is paid for.

Bins. `declared_edges` cuts [low, high] into equal parts and costs nothing. A histogram over them changes by one in one
cell when a row becomes blank, so its sensitivity is 1 in L1 and in L2. `merge_neighbours` and `merge_rare` make coarse
levels out of a noisy histogram, which is post-processing: levels whose counts drown in their noise are joined, after
the compression of [McKenna 2021, sec. 3.1]. The counts of the classes are such a histogram too.

Quantiles are the inverse of a noisy histogram's distribution function (`generators.parts.ranked`, `private_labelled`).

Departs: rare levels are joined with their neighbours where levels have an order. Laplace noise is rounded to whole
numbers with the count it is added to: low bits of a floating-point sum tell the count [Mironov 2012].
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from synthcohort.dp import mechanisms
from synthcohort.dp.accountant import PrivacyError
from synthcohort.dp.budget import Ledger
from synthcohort.dp.randomness import Noise

Measure = Callable[[str, np.ndarray], tuple[np.ndarray, float]]  # name, counts -> noisy counts and their deviation

EXACT = 1e-3  # deviation written for counts without noise, so that 1 / deviation^2 is finite


def by_gaussian(ledger: Ledger, *, rho: float, noise: Noise) -> Measure:
    """Return what adds Gaussian noise to a table of counts and pays rho = 1 / (2 deviation^2) of zCDP for each."""

    def measure(name: str, counts: np.ndarray) -> tuple[np.ndarray, float]:
        deviation = mechanisms.gaussian_scale(sensitivity=1.0, rho=rho)
        ledger.spend_gaussian(name, deviation)
        return mechanisms.gaussian(counts, sensitivity=1.0, rho=rho, noise=noise), max(deviation, EXACT)

    return measure


def by_laplace(ledger: Ledger, *, epsilon: float, noise: Noise) -> Measure:
    """Return what adds Laplace noise to a table of counts and pays epsilon of pure privacy for each."""

    def measure(name: str, counts: np.ndarray) -> tuple[np.ndarray, float]:
        ledger.spend_pure(name, epsilon)
        noisy = mechanisms.laplace(counts, sensitivity=1.0, epsilon=epsilon, noise=noise)
        return np.round(noisy), max(math.sqrt(2) / epsilon, EXACT)

    return measure


def declared_edges(
    low: float | None, high: float | None, *, decimals: int | None, parts: int, column: str
) -> np.ndarray:
    """Return the edges [K + 1], ascending, of K <= parts equal bins between declared bounds.

    Where the column has decimals, edges lie half a unit of the last one beside the values.

    Raises:
        PrivacyError: if a bound is not declared or not finite, or they are in the wrong order.
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        raise PrivacyError(
            f"column {column!r} has bounds [{low}, {high}]: a private method needs declared ones, since those of the "
            f"rows would tell of single rows; declare low and high in the schema"
        )
    if low > high:
        raise PrivacyError(f"column {column!r}: its bounds [{low}, {high}] are in the wrong order")
    if decimals is None:
        return np.linspace(low, high, parts + 1) if high > low else np.array([low, high])
    unit = 10.0**decimals
    first, last = math.ceil(round(low * unit, 6)), math.floor(round(high * unit, 6))
    values = max(1, last - first + 1)
    return (first - 0.5 + np.round(np.linspace(0, values, min(parts, values) + 1))) / unit


def bin_of(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return for each value [n] the number of its bin, [n] int64; bins hold their upper edges."""
    return np.searchsorted(edges[1:-1], values, side="left").astype(np.int64)


def value_in(bins: np.ndarray, edges: np.ndarray, uniform: np.ndarray, decimals: int | None) -> np.ndarray:
    """Return a value [n] in each bin [n], all of the bin alike, by numbers [n] in [0, 1)."""
    low, high = edges[bins], edges[bins + 1]
    drawn = low + uniform * (high - low)
    if decimals is None:
        return drawn
    half = 0.5 * 10.0**-decimals
    return np.round(np.clip(drawn, low + half, high - half), decimals)


def merge_neighbours(counts: np.ndarray, least: float) -> np.ndarray:
    """Return a coarse level for each of K ordered levels, [K]: neighbours are joined until they count `least`."""
    groups = np.zeros(len(counts), dtype=np.int64)
    group, held = 0, 0.0
    for k, count in enumerate(counts):
        groups[k] = group
        held += count
        if held >= least:
            group, held = group + 1, 0.0
    if held < least and group:  # what is left over joins the last full one
        groups[groups == group] = group - 1
    return groups


def merge_rare(counts: np.ndarray, least: float) -> np.ndarray:
    """Return a coarse level for each of K levels, [K]: those that count less than `least` are joined."""
    rare = counts < least
    if rare.sum() < 2:
        return np.arange(len(counts))
    groups = np.cumsum(~rare) - 1
    groups[rare] = (~rare).sum()
    return groups
