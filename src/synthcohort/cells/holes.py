"""Which cells were missing before they were filled?

What learns and what judges read filled rows. Beside them stands, for every part of every split, a list of the cells
that were filled, so that who can live with holes may have them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from synthcohort.missingness import hide


def write(parts: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write the holes of each part of one split as `folder`/PART.csv with the columns row and column.

    Args:
        parts: name of a part -> its rows before they were filled.
        folder: of the split.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in parts.items():
        rows, columns = np.nonzero(frame.isna().to_numpy())
        found = pd.DataFrame({"row": rows, "column": frame.columns.to_numpy()[columns]})
        found.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def reopened(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return a copy of the filled rows of a part whose holes are open again.

    Args:
        frame: [n, P + Q] filled rows.
        path: the list of the part's holes.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path.parent.name}/{path.name} is not there; run `dvc repro`")
    found = pd.read_csv(path, dtype={"row": "int64", "column": "str"}, keep_default_na=False)
    holes = np.zeros(frame.shape, dtype=bool)
    holes[found["row"], frame.columns.get_indexer(found["column"])] = True
    return hide(frame, holes)
