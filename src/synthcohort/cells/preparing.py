"""How do a table's rows reach those who learn and those who judge?

Rows are split, missing cells are filled with what the train rows teach, and the parts are written: train and validation
to one folder, test to another. Where the law of the table is known, the exact case probabilities of validation and
test rows are written beside the test rows, where no training stage looks. Which cells were filled is listed in a folder
of its own (`holes`). The summaries are what the page shows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from synthcohort.cells import holes
from synthcohort.cells.grouping import read_groups
from synthcohort.cells.parting import study_splits
from synthcohort.cells.rows import read_table, whole_folder
from synthcohort.datasets.law import Law, known_law
from synthcohort.preparation import Prepared, Unseen, prepare, unseen_levels
from synthcohort.schema import Schema, write_frame
from synthcohort.splits import Split, fingerprints
from synthcohort.study import Study

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Summary:
    """What the split stage did.

    Args:
        sizes: split, part, rows, distinct (different rows), positive (share of the class of interest, NaN for a numeric
            target).
        rows: of the table.
        shared: fingerprints found in two parts of one split, summed over splits, counted in the files written.
        filled: column, cells: missing cells that were filled.
        unseen: split, part, column, level, rows: levels that no train row of the split shows.
        groups: how many groups the rows belong to; None where they stand alone.
        parted: groups found in two parts of one split, summed over splits.
    """

    sizes: pd.DataFrame
    rows: int
    shared: int
    filled: pd.DataFrame
    unseen: pd.DataFrame
    groups: int | None
    parted: int


def prepare_cell(study: Study, dataset: str) -> Summary:
    """Split a table, fill its missing cells, write every part and return what was done.

    Raises:
        SplitError, PreparationError: if the table cannot be split as asked, or a row would be in two parts.
    """
    table, groups = read_table(study.paths.table(dataset)), read_groups(study.paths.table(dataset))
    found = study_splits(study, dataset)
    parts = [prepare(table.frame, table.schema, split) for split in found]
    law = known_law(dataset)
    with whole_folder(study.paths.holes(dataset)) as gaps:
        for number, split in enumerate(found):
            raw = {name: table.frame.iloc[getattr(split, name)] for name in PARTS}
            holes.write(raw, gaps / f"split_{number}")
    with whole_folder(study.paths.development(dataset)) as development, whole_folder(study.paths.test(dataset)) as test:
        for folder in (development, test):
            table.schema.to_json(folder / "schema.json")
        table.card.to_json(development / "card.json")
        for number, part in enumerate(parts):
            write_frame(part.train, development / f"split_{number}" / "train.csv")
            write_frame(part.validation, development / f"split_{number}" / "validation.csv")
            write_frame(part.test, test / f"split_{number}" / "test.csv")
            if law is not None:
                _law(part, law).to_csv(test / f"split_{number}" / "law.csv", index=False, float_format="%.10g")
    return Summary(
        sizes=pd.DataFrame([row for k, part in enumerate(parts) for row in _sizes(part, table.schema, k)]),
        rows=len(table.frame),
        shared=sum(_shared(part) for part in parts),
        filled=pd.DataFrame(sorted(parts[0].filled.items()), columns=["column", "cells"]),
        unseen=_unseen(unseen_levels(table.frame, table.schema, found)),
        groups=None if groups is None else len(np.unique(groups)),
        parted=0 if groups is None else sum(_parted(split, groups) for split in found),
    )


def _sizes(part: Prepared, schema: Schema, split: int) -> list[dict[str, object]]:
    rows = []
    for name in PARTS:
        frame = getattr(part, name)
        target = frame[schema.target.name]
        positive = float("nan") if schema.target.numeric else float((target == schema.positive).mean())
        distinct = len(np.unique(fingerprints(frame)))
        rows.append({"split": split, "part": name, "rows": len(frame), "distinct": distinct, "positive": positive})
    return rows


def _law(part: Prepared, law: Law) -> pd.DataFrame:
    """Return `part` (validation or test) and `probability`, one row for each of their rows, in their order."""
    judged = {"validation": part.validation, "test": part.test}
    return pd.concat([pd.DataFrame({"part": name, "probability": law(rows)}) for name, rows in judged.items()])


def _shared(part: Prepared) -> int:
    return _common([fingerprints(getattr(part, name)) for name in PARTS])


def _parted(split: Split, groups: np.ndarray) -> int:
    return _common([groups[getattr(split, name)] for name in PARTS])


def _common(keys: list[np.ndarray]) -> int:
    """Return how many keys are in two of three lists, summed over the pairs."""
    return sum(len(np.intersect1d(keys[a], keys[b])) for a, b in ((0, 1), (0, 2), (1, 2)))


def _unseen(found: list[Unseen]) -> pd.DataFrame:
    return pd.DataFrame([asdict(u) for u in found], columns=["split", "part", "column", "level", "rows"])
