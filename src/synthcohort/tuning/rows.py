"""Which rows may choose a generator's settings?

Rows that are in the test part of no split of the study: what is chosen on them is clean for every test set. Where rows
belong together, as the stays of one patient do, no row of such a group is in any test part either. The splits are made
again from the whole table as the stage `prepare` makes them. Of the rows left at most `tuning.rows` are drawn once, the
same for every generator, and split like any table of the study into

- train: a generator learns from them;
- validation: it may stop early on them, a share `study.validation_share`;
- judged: a third, which the objective alone sees.

Judged rows stand apart from validation rows because not every generator stops early: one that had chosen its own step
on the rows that judge it would be ahead of one that had not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.cells.grouping import read_groups
from synthcohort.cells.parting import study_splits
from synthcohort.cells.rows import read_table
from synthcohort.datasets.table import Table
from synthcohort.fingerprint import fingerprints
from synthcohort.preparation import prepare
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.splits import Split, make_splits
from synthcohort.study import ParamsError, Study

JUDGED_SHARE = 1 / 3
FEWEST = 60


@dataclass(frozen=True)
class TuningRows:
    """The rows of one table that trials may see, without missing cells.

    Args:
        train, validation, judged: frames that satisfy the schema, no row of which is a test row of the study.
        schema: their schema.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    judged: pd.DataFrame
    schema: Schema


def tuning_rows(study: Study, dataset: str) -> TuningRows:
    """Return the rows of one table on which settings are chosen.

    Raises:
        ParamsError: if the table is absent here, or its splits leave fewer than `FEWEST` rows out of every test part.
        SplitError: if a class has too few of these rows to be in every part.
    """
    if study.paths.skipped(dataset).is_file():
        raise ParamsError(f"tuning.tables: {dataset} could not be had on this machine; bring it, or name other tables")
    table, rng = read_table(study.paths.table(dataset)), study.rng.branch("tuning", dataset)
    groups = read_groups(study.paths.table(dataset))
    splits = study_splits(study, dataset)
    tested = np.concatenate([split.test for split in splits])
    clean = np.setdiff1d(np.arange(len(table.frame)), tested)
    if len(clean) < FEWEST:
        raise ParamsError(
            f"tuning.tables: the {len(splits)} splits of {dataset} leave {len(clean)} rows out of every test part, "
            f"tuning needs {FEWEST}; leave the table out, or give it a `reserve`"
        )
    places = _draw(clean, study.params.tuning.rows, rng.branch("rows"))
    drawn = table.frame.iloc[places].reset_index(drop=True)
    (split,) = make_splits(
        drawn,
        table.schema,
        count=1,
        test_share=JUDGED_SHARE,
        validation_share=study.params.study.validation_share,
        rng=rng.branch("parts"),
        groups=None if groups is None else np.unique(groups[places], return_inverse=True)[1],
    )
    parts, known = prepare(drawn, table.schema, split), _fingerprints_of_tests(table, splits)
    return TuningRows(
        train=_without(known, parts.train),
        validation=_without(known, parts.validation),
        judged=_without(known, parts.test),
        schema=table.schema,
    )


def _draw(places: np.ndarray, most: int, rng: Rng) -> np.ndarray:
    """Return at most `most` of these places, ascending."""
    return np.sort(rng.numpy().choice(places, size=min(most, len(places)), replace=False))


def _fingerprints_of_tests(table: Table, splits: list[Split]) -> np.ndarray:
    """Return the fingerprints of all test rows as the study judges by them, their missing cells filled."""
    return np.concatenate([fingerprints(prepare(table.frame, table.schema, split).test) for split in splits])


def _without(known: np.ndarray, part: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `part` whose fingerprint is not known: filling can make a row equal to a filled test row."""
    return part[~np.isin(fingerprints(part), known)].reset_index(drop=True)
