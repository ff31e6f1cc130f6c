"""What do the pages of a single table or cell say in words?

Every sentence is computed from what it speaks about; no number is typed into prose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from synthcohort.disclosure import FLOOR, RARE, told_levels
from synthcohort.schema import Schema

if TYPE_CHECKING:
    from synthcohort.datasets.table import Card


def subject(card: Card) -> str:
    """Return a table's name for a page's title; a simulated table says so."""
    said = card.title if "simulated" in card.title or not card.simulated else f"{card.title}, simulated"
    return said if said == card.name else f"{said} ({card.name})"


def notices(card: Card) -> list[str]:
    """Return what a reader must not overlook about a table."""
    said = []
    if card.simulated:
        said.append(
            f"`{card.name}` is a simulated table: its rows were drawn from a program and describe no real patient. "
            "It stands in for no registry; its law is known exactly, which no real table offers."
        )
    if card.restricted:
        said.append(
            f"`{card.name}` is restricted: no row, no count below {FLOOR} and no extreme value is shown. Levels of "
            f"fewer than {FLOOR} rows are pooled as {RARE} without a number, bounds are rounded so that {FLOOR} rows "
            "or more lie at or beyond each, and further figures are withheld where a total would give a small one away."
        )
    return said


def shape(frame: pd.DataFrame, schema: Schema) -> str:
    """Return how large a table is."""
    numeric = len([c for c in schema.features if c.numeric])
    return (
        f"{len(frame):,} rows and {len(schema.columns)} columns: {numeric} numeric and "
        f"{len(schema.features) - numeric} categorical features and the target `{schema.target.name}`."
    )


def balance(frame: pd.DataFrame, schema: Schema, *, restricted: bool) -> str:
    """Return the caption of the class balance figure."""
    cells = frame[schema.target.name]
    if schema.target.numeric:
        return f"The target `{schema.target.name}`: median {cells.median():g}, n = {len(cells):,}."
    count = int((cells == schema.positive).sum())
    if restricted and schema.positive not in told_levels(cells).index:
        return (
            f"The share of the class of interest is withheld: a class has fewer than {FLOOR} of the n = {len(cells):,} "
            "rows."
        )
    share = 100 * count / len(cells)
    return f"The class of interest, `{schema.positive}`, is {share:.1f} % of n = {len(cells):,} rows."


def missing(frame: pd.DataFrame, *, restricted: bool = False) -> str:
    """Return the caption of the figure of missing cells."""
    absent = frame.isna()
    if restricted:
        return (
            f"Columns whose number of missing cells, and of other cells, is 0 or at least {FLOOR}; the others, and all "
            "sums, are withheld."
        )
    return (
        f"{int(absent.sum().sum()):,} of {absent.size:,} cells are missing, in {int(absent.any().sum())} of "
        f"{absent.shape[1]} columns; {100 * absent.any(axis=1).mean():.1f} % of rows miss at least one."
    )


def few_missing(restricted: bool) -> str:
    """Return what is said where no column has missing cells to draw."""
    if restricted:
        return (
            f"No column misses {FLOOR} cells or more, or fewer than {FLOOR} are left of it: such numbers are withheld."
        )
    return "No cell is missing."


def marginals(frame: pd.DataFrame, floor: int) -> str:
    """Return the caption of the figure of marginals."""
    hidden = (
        f" Bars of fewer than {floor} rows are left out, and others where a sum would give these away; numbers are "
        f"drawn as far out as {floor} rows lie at or beyond."
        if floor
        else ""
    )
    return f"Counts of rows per value or level, n = {len(frame):,}; missing cells are left out.{hidden}"


def split_sizes(sizes: pd.DataFrame) -> str:
    """Return the caption of the table of split sizes."""
    one = sizes[sizes["split"] == sizes["split"].min()].set_index("part")["rows"]
    total = one.sum()
    shares = ", ".join(f"{100 * one[part] / total:.0f} % {part}" for part in one.index)
    return f"{sizes['split'].nunique()} splits of {total:,} rows; in the first: {shares}."


def fingerprints(shared: int, splits: int) -> str:
    """Return what the comparison of row fingerprints found."""
    found = "no row is" if shared == 0 else f"{shared} rows are"
    return (
        f"Every row of the files written was reduced to a fingerprint of its cells: over {splits} splits {found} in "
        "two parts of the same split. Rows that are equal in every column always share a part."
    )


def groups(count: int, parted: int, splits: int) -> str:
    """Return whether the rows of one group, such as the stays of one patient, stayed together."""
    found = "none has" if parted == 0 else f"{parted} have"
    return (
        f"The rows belong to {count:,} groups, such as patients: over {splits} splits {found} rows in two parts of the "
        "same split."
    )


def unseen(levels: pd.DataFrame, *, restricted: bool = False) -> str:
    """Return whether judges meet levels that learners never saw."""
    if restricted:
        return (
            "Levels that occur in validation or test rows but in no train row are rare: whether there are is withheld."
        )
    if not len(levels):
        return "Every level that occurs in validation or test rows occurs in the train rows of the same split."
    rows, columns = int(levels["rows"].sum()), levels["column"].nunique()
    return (
        f"{len(levels)} times a level of {columns} column{'s' if columns > 1 else ''} occurs in validation or test "
        f"rows ({rows} rows over all splits) but in no train row: no generator can learn it there."
    )


def intervals(summary: pd.DataFrame, confidence: float) -> str:
    """Return the caption of figures and tables of scores with intervals."""
    most = int(summary["splits"].max()) if len(summary) else 0
    if most < 2:
        return f"Mean over {most} split{'' if most == 1 else 's'}: no interval can be given with fewer than two splits."
    return (
        f"Mean over {most} splits with its {100 * confidence:g} % interval (corrected resampled t, which allows for "
        "the rows that splits share)."
    )


def shapes(found: pd.DataFrame) -> str:
    """Return the caption of the figure of column shapes."""
    means = found.groupby("column")["value"].mean()
    worst = means.idxmin()
    return (
        f"Shape of every column against the train rows, {found['split'].nunique()} splits; the mean over columns is "
        f"{means.mean():.3f}, the lowest is `{worst}` with {means[worst]:.3f}."
    )
