"""How do the groups of a table's rows reach its splits, and nobody else?

They stand in a file of their own beside the table, a number for each row, in the folder that only the stage `prepare`
and the search for settings read. A table without groups has no such file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from synthcohort.cells import rows
from synthcohort.datasets.grouped import GroupedTable
from synthcohort.datasets.table import Table

FILE = "groups.csv"


def write_table(table: Table, folder: Path) -> None:
    """Write a table into `folder`, and its groups if it has any."""
    with rows.whole_folder(folder) as partial:
        rows.write_table(table, partial)
        if isinstance(table, GroupedTable):
            pd.DataFrame({"group": table.groups}).to_csv(partial / FILE, index=False, lineterminator="\n")


def read_groups(folder: Path) -> np.ndarray | None:
    """Return the group of each row of the table in `folder`, [n] int64, or None if its rows stand alone."""
    path = folder / FILE
    return pd.read_csv(path)["group"].to_numpy(dtype=np.int64) if path.is_file() else None
