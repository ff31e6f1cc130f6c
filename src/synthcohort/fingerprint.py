"""Is this row the same as that one, in another part, file or process?

A fingerprint is one 64-bit number per row. Two different rows share one by accident with probability 2^-64 a pair.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_MISSING = np.uint64(0x9E3779B97F4A7C15)


def fingerprints(frame: pd.DataFrame) -> np.ndarray:
    """Return one number per row, [n] uint64: equal for rows equal in every column (missing equals missing).

    The number depends on the cells and the order of the columns alone, not on the row's place, on the other rows or on
    the levels of a categorical column that the row does not have.
    """
    total = np.full(len(frame), len(frame.columns), dtype=np.uint64)
    for name in frame.columns:
        total = (total ^ _hash_cells(frame[name])) * np.uint64(0xFF51AFD7ED558CCD)
        total ^= total >> np.uint64(29)
    return total


def _hash_cells(cells: pd.Series) -> np.ndarray:
    """Return one number per cell, [n] uint64."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        levels = np.array([str(level) for level in cells.cat.categories], dtype=object)
        hashed = np.append(pd.util.hash_array(levels, categorize=False), _MISSING)
        return hashed[cells.cat.codes.to_numpy()]
    values = cells.to_numpy(dtype=np.float64) + 0.0  # -0.0 becomes 0.0
    return np.where(np.isnan(values), _MISSING, pd.util.hash_array(values))
