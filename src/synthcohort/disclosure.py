"""What may be said of a restricted table?

The rules for whatever leaves the machine that holds the rows: pages, figures, score files, messages.

- A count of 1 to `FLOOR` - 1 rows is withheld [CMS cell size suppression policy: no cell of 10 or less]. Where a total
  would give it away, the next smallest counts are withheld too, until at least two are and these hold `FLOOR` rows or
  more together [secondary suppression; Hundepool et al. 2012, Statistical Disclosure Control, ch. 4].
- Levels whose counts are withheld are pooled as `RARE`, without a number.
- Bounds give way to outer values: the `FLOOR`-th smallest and largest, rounded inward, so that `FLOOR` rows or more lie
  at or beyond each.
- Of an error only this library's own sentences are told, with every quoted text and every number in them covered.

What these rules do not cover: means over many rows, such as the scores of models, are told as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

FLOOR = 11
RARE = "(rare)"
COVER = "[withheld]"
# errors whose sentences are this library's own: cells stand in them only in quotation marks or as numbers
SPOKEN = frozenset(
    {"AbilityError", "DataProblem", "FitError", "ImputationError", "MissingnessError", "ParamsError",
     "PreparationError", "SchemaError", "SplitError", "TableError"}
)  # fmt: skip
# an apostrophe inside a word opens no quotation
_SECRET = re.compile(
    r"""(?<!\w)(?P<quoted>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?<![\w.])[+-]?\d[\d,.]*(?:[eE][+-]?\d+)?(?!\w)"""
)


def small(count: int, whole: int, floor: int = FLOOR) -> bool:
    """Return whether `count` of `whole` rows may not be told: it, or what is left of the whole, is too few."""
    return 0 < count < floor or 0 < whole - count < floor


def withheld(counts: Sequence[int] | np.ndarray, floor: int = FLOOR) -> np.ndarray:
    """Return which counts, [k] bool, may not be told where their total is known.

    Args:
        counts: [k] numbers of rows, >= 0.
        floor: the smallest that may be told; 0: all may.
    """
    rows = np.asarray(counts)
    hidden = (rows > 0) & (rows < floor)
    if not hidden.any():
        return hidden
    for place in np.argsort(rows, kind="stable"):
        if rows[hidden].sum() >= floor and hidden.sum() >= 2:
            break
        hidden[place] |= rows[place] > 0
    return hidden


def told_levels(cells: pd.Series, floor: int = FLOOR) -> pd.Series:
    """Return level -> count, the commonest first, of the levels whose counts may be told; missing cells are counted.

    Args:
        cells: [n] categorical.
        floor: the smallest count that may be told; 0: all levels, also those without a row.
    """
    counts = cells.value_counts()
    counts = counts[counts >= min(floor, 1)]
    return counts[~withheld([*counts, int(cells.isna().sum())], floor)[:-1]]


def outer(values: np.ndarray | pd.Series, floor: int = FLOOR) -> tuple[float, float] | None:
    """Return outer values with `floor` rows or more at or beyond each; None if there are too few rows to have them.

    They are rounded inward to a tenth of the power of ten below their distance, so that neither is one patient's.

    Args:
        values: [n] finite.
        floor: rows that each must stand for, >= 1.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    if len(ordered) < 2 * floor:
        return None
    low, high = float(ordered[floor - 1]), float(ordered[-floor])
    if low == high:
        return low, high
    places = 1 - math.floor(math.log10(high - low))
    scale = 10.0**places
    near, far = round(math.ceil(low * scale) / scale, places), round(math.floor(high * scale) / scale, places)
    # a double may not hold a rounded number exactly: never let it fall outside
    near, far = (near if near >= low else low), (far if far <= high else high)
    return (near, far) if near <= far else None


@dataclass(frozen=True)
class Veil:
    """What is laid over messages about one restricted table.

    Args:
        table: its name in params.yaml.
        names: what may be told in quotation marks: names of columns, generators, conditions.
    """

    table: str
    names: frozenset[str] = frozenset()

    def over(self, sentence: str) -> str:
        """Return a sentence of this library with the quoted texts and the numbers covered, names left."""
        return _SECRET.sub(lambda found: found[0] if self._told(found["quoted"]) else COVER, sentence)

    def of_error(self, kind: str, message: str) -> str:
        """Return what may be told of an error: its message covered, or, if its words are foreign, only its kind."""
        if kind in SPOKEN:
            return f"{kind}: {self.over(message)} (values and counts of the restricted table {self.table} are withheld)"
        return f"{kind}: the message may hold cells of the restricted table {self.table} and is withheld"

    def over_notes(self, frame: pd.DataFrame, column: str = "note") -> pd.DataFrame:
        """Return a tidy frame with the reasons of this table's missing scores covered."""
        own = frame["dataset"] == self.table
        return frame.assign(**{column: frame[column].where(~own, frame[column].map(lambda n: self.over(str(n))))})

    def _told(self, quoted: str | None) -> bool:
        return quoted is not None and quoted[1:-1] in self.names
