"""What is a valid row of this table?

A schema lists the columns in order with their kind, levels, bounds, precision, unit and role. Every room exchanges
frames that satisfy one: numeric columns are float64 rounded to `decimals` places, categorical columns are pandas
categoricals whose categories are exactly the schema's levels, in order.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

Kind = Literal["numeric", "categorical"]
Role = Literal["feature", "target", "sensitive"]


class SchemaError(ValueError):
    """A frame breaks its schema; the message names the column, what was found and what is allowed."""


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: its header, unique in the table.
        kind: "numeric" or "categorical".
        role: "feature", "target" or "sensitive" (a feature that also defines groups for fairness).
        levels: the allowed values of a categorical column, in order; empty for a numeric one.
        low: smallest value observed or declared (numeric only), in `unit`.
        high: largest value observed or declared (numeric only), in `unit`.
        decimals: places after the point that the source records; 0 for integers (numeric only).
        unit: unit of a numeric column, "" if it has none.
        meaning: one short phrase for the reports.
    """

    name: str
    kind: Kind
    role: Role = "feature"
    levels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    unit: str = ""
    meaning: str = ""

    def __post_init__(self) -> None:
        if self.kind == "categorical" and len(set(self.levels)) != len(self.levels):
            raise SchemaError(f"column {self.name!r}: levels are repeated: {list(self.levels)}")
        if self.kind == "categorical" and not self.levels:
            raise SchemaError(f"column {self.name!r}: a categorical column needs its levels")
        if self.kind == "numeric" and self.levels:
            raise SchemaError(f"column {self.name!r}: a numeric column has no levels")

    @property
    def numeric(self) -> bool:
        """Whether the column is numeric."""
        return self.kind == "numeric"


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in order, and which level of the target is the positive one.

    Args:
        columns: the columns in the table's order; exactly one has the role "target".
        positive: level of a categorical target that counts as positive (the class of interest); "" for regression.
    """

    columns: tuple[Column, ...]
    positive: str = ""

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        repeated = sorted({n for n in names if names.count(n) > 1})
        if repeated:
            raise SchemaError(f"column names are repeated: {repeated}; rename them in the source")
        targets = [c for c in self.columns if c.role == "target"]
        if len(targets) != 1:
            raise SchemaError(f"a schema has exactly one target, found {[c.name for c in targets]}")
        if not targets[0].numeric and self.positive not in targets[0].levels:
            raise SchemaError(
                f"target {targets[0].name!r}: positive level {self.positive!r} is not among {list(targets[0].levels)}"
            )

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [c.name for c in self.columns]

    @property
    def target(self) -> Column:
        """The target column."""
        return next(c for c in self.columns if c.role == "target")

    @property
    def features(self) -> list[Column]:
        """Every column but the target (sensitive columns are features)."""
        return [c for c in self.columns if c.role != "target"]

    @property
    def sensitive(self) -> list[Column]:
        """Columns that define groups for fairness."""
        return [c for c in self.columns if c.role == "sensitive"]

    @property
    def numeric(self) -> list[Column]:
        """Numeric columns, target included if it is numeric."""
        return [c for c in self.columns if c.numeric]

    @property
    def categorical(self) -> list[Column]:
        """Categorical columns, target included if it is categorical."""
        return [c for c in self.columns if not c.numeric]

    @property
    def task(self) -> Literal["binary", "multiclass", "regression"]:
        """What predicting the target is."""
        if self.target.numeric:
            return "regression"
        return "binary" if len(self.target.levels) == 2 else "multiclass"

    def __getitem__(self, name: str) -> Column:
        """Return the column called `name`; KeyError lists the known ones."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"no column {name!r}; the table has {self.names}")

    def cast(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the schema's column order and dtypes; unknown levels become an error, not missing."""
        missing = [n for n in self.names if n not in frame.columns]
        if missing:
            raise SchemaError(f"columns are missing: {missing}; the table needs {self.names}")
        data = {c.name: _cast_column(frame[c.name], c) for c in self.columns}
        return pd.DataFrame(data, index=frame.index)

    def check(self, frame: pd.DataFrame, *, allow_missing: bool = False) -> pd.DataFrame:
        """Return `frame` if it satisfies the schema.

        Raises:
            SchemaError: naming the first offending column: order, dtype, missing or infinite cells, bounds, precision.
        """
        if list(frame.columns) != self.names:
            raise SchemaError(f"columns are {list(frame.columns)}, expected {self.names} in this order")
        for column in self.columns:
            _check_column(frame[column.name], column, allow_missing)
        return frame

    def check_part(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame`, whose columns are some of the schema's in any order, if its cells satisfy the schema."""
        for name in frame.columns:
            _check_column(frame[name], self[name], False)
        return frame

    def with_roles(self, **roles: Role) -> Schema:
        """Return a copy with other roles for the named columns."""
        columns = tuple(replace(c, role=roles.get(c.name, c.role)) for c in self.columns)
        return replace(self, columns=columns)

    def to_json(self, path: Path) -> None:
        """Write the schema to `path` as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def from_json(cls, path: Path) -> Schema:
        """Read a schema written by `to_json`."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        columns = tuple(Column(**{**c, "levels": tuple(c["levels"])}) for c in raw["columns"])
        return cls(columns, raw["positive"])


def read_frame(path: Path, schema: Schema) -> pd.DataFrame:
    """Read a CSV written by `write_frame`, bit for bit, and cast it to the schema."""
    types = {c.name: ("float64" if c.numeric else "str") for c in schema.columns}
    frame = pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])
    return schema.cast(frame)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as UTF-8 CSV; empty cells are missing values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, lineterminator="\n")


def _cast_column(cells: pd.Series, column: Column) -> pd.Series:
    if column.numeric:
        try:
            return cells.astype("float64")
        except (TypeError, ValueError) as error:
            raise SchemaError(f"column {column.name!r} is numeric but holds text: {error}") from None
    kept = cells[cells.notna()]
    unknown = sorted(set(kept.astype(str)) - set(column.levels))
    if unknown:
        raise SchemaError(
            f"column {column.name!r} holds {len(unknown)} unknown level(s), first {unknown[0]!r}; "
            f"allowed are {list(column.levels[:20])}"
        )
    text = cells.astype("object").where(cells.notna(), None)
    text = text.map(lambda v: v if v is None else str(v))
    return pd.Series(pd.Categorical(text, categories=list(column.levels)), index=cells.index, name=column.name)


def _check_column(cells: pd.Series, column: Column, allow_missing: bool) -> None:
    absent = int(cells.isna().sum())
    if absent and not allow_missing:
        raise SchemaError(f"column {column.name!r} has {absent} missing cell(s) where none are allowed")
    if not column.numeric:
        if not isinstance(cells.dtype, pd.CategoricalDtype) or list(cells.cat.categories) != list(column.levels):
            raise SchemaError(f"column {column.name!r} is not categorical over {list(column.levels[:20])}")
        return
    if cells.dtype != np.float64:
        raise SchemaError(f"column {column.name!r} is {cells.dtype}, expected float64")
    values = cells.dropna().to_numpy()
    if not np.isfinite(values).all():
        raise SchemaError(f"column {column.name!r} has infinite cells")
    if column.low is not None and values.size and values.min() < column.low:
        raise SchemaError(f"column {column.name!r} falls to {values.min()}, below its bound {column.low}")
    if column.high is not None and values.size and values.max() > column.high:
        raise SchemaError(f"column {column.name!r} rises to {values.max()}, above its bound {column.high}")
    if column.decimals is not None and not np.array_equal(values, np.round(values, column.decimals)):
        raise SchemaError(f"column {column.name!r} has more than {column.decimals} decimal(s)")
