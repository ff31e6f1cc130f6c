"""How does a table become numbers, and how do numbers become a valid row again?

Numeric columns become normal scores: the empirical distribution function of the training rows followed by the standard
normal quantile function, z = Phi^-1(lo + (1 - 2 lo) F(x)) with lo = 1 / (2(n + 1)), so that the extremes of n rows sit
where the extremes of n standard normals are expected (about 3.2 at n = 700), not at +-5.2 where common
implementations put them: a network that overshoots a little then lands inside the range instead of on its edge.
Categorical columns become level numbers. Both maps are learned on training rows only, and the inverse always satisfies
the schema: values stay within the training range and keep the column's decimals.

Source: quantile-to-normal preprocessing of [Kotelnikov 2023, sec. 4]; F is interpolated by scikit-learn's
QuantileTransformer.
Departs: the shrinkage `lo` above, reason given there; min(n, 1000) quantiles instead of the release's
max(min(n / 30, 1000), 10), because 17 quantiles of a 537-row table lose its digit preference and its tails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.preprocessing import QuantileTransformer

from synthcohort.schema import Schema


@dataclass(frozen=True)
class Encoded:
    """A table as numbers.

    Args:
        numeric: [n, P] float64 normal scores, in the order of `schema.numeric`.
        codes: [n, Q] int64 level numbers, in the order of `schema.categorical`.
    """

    numeric: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.numeric)


class Encoder:
    """Maps frames to normal scores [n, P] and codes [n, Q], and back.

    Args:
        schema: the table's schema.
        quantiles: [R, P] values of the numeric columns at R equally spaced probabilities.
        lo: probability given to the smallest training value, in (0, 0.5).
    """

    def __init__(self, schema: Schema, quantiles: np.ndarray, lo: float) -> None:
        self.schema = schema
        self.quantiles = quantiles
        self.lo = lo
        self._transformer = _transformer(quantiles)

    @classmethod
    def fit(cls, train: pd.DataFrame, schema: Schema) -> Encoder:
        """Learn the maps from training rows; a missing cell is no value of its column.

        Raises:
            ValueError: if there are no rows, or no cell of a numeric column.
        """
        if not len(train):
            raise ValueError("an encoder needs at least one training row")
        n = len(train)
        wanted = min(max(n, 2), 1000)
        numeric = [c.name for c in schema.numeric]
        probabilities = np.linspace(0, 1, wanted)
        columns = [_quantiles(train[name].dropna().to_numpy(), probabilities, name) for name in numeric]
        quantiles = np.stack(columns, axis=1) if columns else np.empty((wanted, 0))  # [R, P]
        return cls(schema, np.maximum.accumulate(quantiles, axis=0), 1 / (2 * (n + 1)))

    @property
    def levels(self) -> list[int]:
        """K[j]: number of levels of each categorical column."""
        return [len(c.levels) for c in self.schema.categorical]

    def encode(self, frame: pd.DataFrame) -> Encoded:
        """Return the rows of `frame` (no missing cells) as numbers."""
        return Encoded(self.encode_numeric(frame), self.encode_codes(frame))

    def encode_numeric(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the normal scores [n, P], NaN for a missing cell."""
        names = [c.name for c in self.schema.numeric]
        values = frame[names].to_numpy(dtype=np.float64)
        if not names or not len(frame):
            return values
        uniform = self._transformer.transform(values)
        return norm.ppf(self.lo + (1 - 2 * self.lo) * uniform)

    def encode_codes(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the level numbers [n, Q], -1 for a missing cell."""
        columns = [frame[c.name].cat.codes.to_numpy(dtype=np.int64) for c in self.schema.categorical]
        return np.stack(columns, axis=1) if columns else np.empty((len(frame), 0), dtype=np.int64)

    def decode(self, encoded: Encoded) -> pd.DataFrame:
        """Return numbers as a frame that satisfies the schema."""
        values = self._decode_numeric(encoded.numeric)
        data: dict[str, object] = {}
        for column in self.schema.columns:
            if column.numeric:
                j = [c.name for c in self.schema.numeric].index(column.name)
                data[column.name] = _round_within(values[:, j], column.decimals, column.low, column.high)
            else:
                j = [c.name for c in self.schema.categorical].index(column.name)
                data[column.name] = pd.Categorical.from_codes(encoded.codes[:, j], categories=list(column.levels))
        return pd.DataFrame(data, columns=self.schema.names)

    def _decode_numeric(self, scores: np.ndarray) -> np.ndarray:
        if not scores.size:
            return scores
        uniform = (norm.cdf(scores) - self.lo) / (1 - 2 * self.lo)
        return self._transformer.inverse_transform(np.clip(uniform, 0.0, 1.0))

    def state(self) -> dict[str, np.ndarray]:
        """Return what `restore` needs, as arrays."""
        return {"encoder_quantiles": self.quantiles, "encoder_lo": np.array([self.lo])}

    @classmethod
    def restore(cls, schema: Schema, arrays: dict[str, np.ndarray]) -> Encoder:
        """Rebuild an encoder from `state`."""
        return cls(schema, arrays["encoder_quantiles"], float(arrays["encoder_lo"][0]))


def _quantiles(cells: np.ndarray, probabilities: np.ndarray, name: str) -> np.ndarray:
    if not len(cells):
        raise ValueError(f"column {name!r} has no cell in the training rows")
    return np.quantile(cells, probabilities)


def _transformer(quantiles: np.ndarray) -> QuantileTransformer:
    fitted = QuantileTransformer(output_distribution="uniform")
    fitted.quantiles_ = quantiles
    fitted.references_ = np.linspace(0, 1, len(quantiles))
    fitted.n_quantiles_ = len(quantiles)
    fitted.n_features_in_ = quantiles.shape[1]
    return fitted


def _round_within(values: np.ndarray, decimals: int | None, low: float | None, high: float | None) -> np.ndarray:
    """Round to the column's decimals; a bound between two grid points moves the value to the grid point inside."""
    if decimals is None:
        return values
    rounded = np.round(values, decimals)
    if low is not None:
        rounded = np.where(rounded < low, np.ceil(low * 10**decimals) / 10**decimals, rounded)
    if high is not None:
        rounded = np.where(rounded > high, np.floor(high * 10**decimals) / 10**decimals, rounded)
    return rounded
