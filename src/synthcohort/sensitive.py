"""Which groups does a sensitive attribute make?

A categorical column makes a group of each level. A numeric one makes groups only where cut points are given, each group
reaching from its cut point up to, but without, the next: no width of a group is chosen in silence.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.schema import Schema, SchemaError

OBSERVED = "observed"  # the condition that balances nothing


@dataclass(frozen=True)
class Attribute:
    """A sensitive attribute.

    Args:
        column: whose cells decide.
        groups: names of the groups, in order.
        cuts: cut points of a numeric column, ascending, in its unit; () for a categorical one.
    """

    column: str
    groups: tuple[str, ...]
    cuts: tuple[float, ...] = ()

    def codes(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the number of each row's group, [n] int64."""
        cells = frame[self.column]
        if self.cuts:
            return np.searchsorted(self.cuts, cells.to_numpy(), side="right").astype(np.int64)
        return cells.cat.codes.to_numpy(dtype=np.int64)


def attribute(schema: Schema, column: str, cuts: Sequence[float] = ()) -> Attribute:
    """Return the attribute that a column makes.

    Args:
        schema: the table's schema.
        column: a feature, sensitive by role or not.
        cuts: cut points, for a numeric column alone.

    Raises:
        SchemaError: if there is no such feature, a numeric column has no cut points, they do not ascend, or a
            categorical column has some.
    """
    known = {c.name: c for c in schema.features}
    if column not in known:
        raise SchemaError(f"no sensitive column {column!r}; features are {list(known)}")
    if not known[column].numeric:
        if len(cuts):
            raise SchemaError(f"column {column!r} is categorical: its levels are its groups, so it takes no cut points")
        return Attribute(column, known[column].levels)
    if not len(cuts):
        raise SchemaError(
            f"column {column!r} is numeric and makes no groups by itself: give it cut points, as [45, 65]"
        )
    if list(cuts) != sorted({*cuts}):
        raise SchemaError(f"column {column!r}: cut points {list(cuts)} must be different numbers, the smallest first")
    between = [f"{low:g} to below {high:g}" for low, high in itertools.pairwise(cuts)]
    names = (f"below {cuts[0]:g}", *between, f"{cuts[-1]:g} or more")
    return Attribute(column, names, tuple(float(cut) for cut in cuts))


def attributes(schema: Schema, columns: Sequence[str], cuts: Mapping[str, Sequence[float]]) -> tuple[Attribute, ...]:
    """Return the attribute of every column; `cuts` are those of the numeric ones by name, and may hold others."""
    numeric = {c.name for c in schema.numeric}
    return tuple(attribute(schema, name, cuts.get(name, ()) if name in numeric else ()) for name in columns)


def condition(columns: Sequence[str], dial: float) -> str:
    """Return the name of the condition that balances these columns, such as `sex+race_0.5`; dial 0 balances none."""
    return f"{'+'.join(columns)}_{float(dial)}" if dial else OBSERVED


def slug(name: str) -> str:
    """Return a column's or a group's name as a part of a metric's: lower case, other signs as one underscore."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
