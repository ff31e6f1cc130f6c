"""Which rows of a table belong together?

A patient with several stays has several rows. Were some of them train rows and others test rows, a generator could be
praised for knowing the patient. So a table may carry the group of each row beside its frame, where no generator and no
metric looks: numbers in order of first appearance, never the source's own identifiers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthcohort.datasets.table import Table, TableError


@dataclass(frozen=True)
class GroupedTable(Table):
    """A table of which some rows belong together.

    Args:
        groups: [n] int64, the group of each row, numbered from 0 in order of first appearance.
        by: the source's column that says so, no column of the frame.

    Raises:
        TableError: if there is not one number for each row.
    """

    groups: np.ndarray
    by: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.groups) != len(self.frame):
            raise TableError(f"{self.by!r}: {len(self.groups)} groups for {len(self.frame)} rows; give one for each")


def grouped(table: Table, keys: pd.Series | npt.NDArray[np.int64], *, by: str) -> GroupedTable:
    """Return the table with the groups that n keys tell apart; the keys themselves are not kept."""
    codes = pd.factorize(keys)[0].astype(np.int64)
    return GroupedTable(table.frame, table.schema, table.card, codes, by)


def described(table: GroupedTable) -> GroupedTable:
    """Return the table with a card that says how many groups there are and how large.

    The card of a restricted table leaves out the largest, which may be the one patient everybody knows.
    """
    sizes = np.bincount(table.groups)
    span = "" if table.card.restricted else f"{sizes.min():,} to {sizes.max():,} rows each, "
    quirk = (
        f"The rows belong to {len(sizes):,} groups ({table.by}), {span}{sizes.mean():.2f} on average. That column is "
        f"left out, but decides the splits: no group has rows in two parts of one."
    )
    return replace(table, card=replace(table.card, quirks=(*table.card.quirks, quirk)))
