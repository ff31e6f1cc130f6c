"""How is a frame stored as named arrays beside a generator's weights?

Categorical columns become level numbers, numeric ones stay float64, so a table survives `save` and `load` bit for bit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcohort.schema import Schema


def to_arrays(frame: pd.DataFrame, schema: Schema) -> dict[str, np.ndarray]:
    """Return one array [n] per column, named `column_<position>`."""
    return {
        f"column_{i}": frame[c.name].to_numpy() if c.numeric else frame[c.name].cat.codes.to_numpy(dtype=np.int64)
        for i, c in enumerate(schema.columns)
    }


def from_arrays(arrays: dict[str, np.ndarray], schema: Schema) -> pd.DataFrame:
    """Undo `to_arrays`."""
    data: dict[str, object] = {}
    for i, column in enumerate(schema.columns):
        cells = arrays[f"column_{i}"]
        data[column.name] = (
            cells if column.numeric else pd.Categorical.from_codes(cells, categories=list(column.levels))
        )
    return pd.DataFrame(data, columns=schema.names)
