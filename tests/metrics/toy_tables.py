"""Tables small enough to judge by hand, the sentinels made of any table, and how far a mean is from its ideal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from synthcohort.schema import Column, Schema


def by_hand(**levels: str) -> tuple[Schema, Callable[..., pd.DataFrame]]:
    """Return a schema and the function that makes its rows from one sequence of cells for each column, in order.

    Args:
        levels: column -> its levels, a letter each, or "" for a numeric column. The last column is the target, and its
            last level the positive one.
    """
    *_, last = levels
    columns = [
        Column(name, "categorical" if letters else "numeric", "target" if name == last else "feature", tuple(letters))
        for name, letters in levels.items()
    ]
    schema = Schema(tuple(columns), levels[last][-1:])

    def rows(*cells: Sequence) -> pd.DataFrame:
        return schema.cast(pd.DataFrame(dict(zip(schema.names, map(list, cells), strict=True))))

    return schema, rows


def shuffled(frame: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Return `frame` with a share of every column's cells replaced by cells of other rows; 1.0: independent columns."""
    draw, n = np.random.default_rng(seed), len(frame)
    places = {name: np.where(draw.random(n) < share, draw.permutation(n), np.arange(n)) for name in frame}
    return pd.DataFrame({name: frame[name].array[place] for name, place in places.items()})


def independent(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return `frame` with every column shuffled on its own."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame({name: frame[name].array[draw.permutation(len(frame))] for name in frame})


def resampled(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return as many rows of `frame`, drawn with replacement."""
    index = np.random.default_rng(seed).integers(0, len(frame), len(frame))
    return frame.iloc[index].reset_index(drop=True)


def errors_from(ideal: float, sample: Sequence[float]) -> float:
    """Return |mean of the sample - ideal| in standard errors of the mean; 3 or less if the ideal is true."""
    drawn = np.asarray(sample, dtype=float)
    return abs(float((drawn.mean() - ideal) / (drawn.std(ddof=1) / np.sqrt(len(drawn)))))
