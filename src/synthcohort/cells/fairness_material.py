"""What do all arms of one split share, when tables are judged by the fairness of what they teach?

The protocol of [Yang 2024]: half of the rows train, a quarter validates, a quarter judges; the splits are those of this
comparison alone, since the study's own have other shares. An ask names the attributes to balance and the dial: nothing
balanced (`observed`), then each attribute alone, then all of them jointly.

Departs: the source splits once and without regard to the label; here splits are repeated and stratified, as all of the
study's are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from synthcohort import joint
from synthcohort.cells.grouping import read_groups
from synthcohort.cells.rows import read_schema, read_table
from synthcohort.metrics import fairness
from synthcohort.metrics.classifiers import PREDICTORS, Classifier, train_classifier
from synthcohort.metrics.matrix import target_codes
from synthcohort.preparation import prepare
from synthcohort.rng import Rng
from synthcohort.schema import Schema, SchemaError
from synthcohort.sensitive import OBSERVED, Attribute, attributes, condition
from synthcohort.splits import make_splits
from synthcohort.study import FairnessBlock, ParamsError, Study

TEST_SHARE = VALIDATION_SHARE = 0.25
PREDICTOR = PREDICTORS["xgboost"]


@dataclass(frozen=True)
class Ask:
    """What is asked of an arm.

    Args:
        condition: its name in the score file, such as `sex_0.5` or `sex+race_1.0`.
        attributes: what to balance.
        dial: from observed, 0, to balanced, 1.
    """

    condition: str
    attributes: tuple[Attribute, ...]
    dial: float


@dataclass(frozen=True)
class Material:
    """One split.

    Args:
        train, validation, test: its rows.
        schema: theirs.
        attributes: by which groups are told apart.
        restricted: whether counts below `disclosure.FLOOR` may not be told.
        rng: of the split, the same for every arm.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    schema: Schema
    attributes: tuple[Attribute, ...]
    restricted: bool
    rng: Rng

    @cached_property
    def truth(self) -> np.ndarray:
        """Whether each test row is positive, [n] of 0 and 1."""
        return self.positive(self.test)

    def positive(self, frame: pd.DataFrame) -> np.ndarray:
        """Return whether each row of a frame is positive, [n] of 0 and 1."""
        level = self.schema.target.levels.index(self.schema.positive)
        return (target_codes(frame, self.schema) == level).astype(np.int64)

    def learned(self, rows: pd.DataFrame, weights: np.ndarray | None = None) -> Classifier:
        """Fit the judge's classifier to an arm's rows; one seed for every arm.

        Raises:
            DataProblem: if they cannot be learned from.
        """
        seed = self.rng.branch("classifier").integer()
        return train_classifier(
            PREDICTOR, rows, self.positive(rows), schema=self.schema, levels=2, seed=seed, weights=weights
        )

    def decided(self, model: Classifier) -> fairness.Decided:
        """Return what a model says of the test rows, decided at one cut for all."""
        return fairness.at_cut(self.truth, model.probabilities(self.test)[:, 1])

    def grid(self, ask: Ask) -> joint.Grid:
        """Return the cells of the label and the attributes of an ask."""
        return joint.grid(self.schema, ask.attributes)

    def law(self, ask: Ask) -> np.ndarray:
        """Return the joint that is asked for, of the shape of its grid."""
        return joint.balanced(self.grid(ask).counts(self.train), ask.dial)


def read_attributes(study: Study, dataset: str) -> tuple[Attribute, ...]:
    """Return the attributes that params.yaml names for a table.

    Raises:
        ParamsError: if one is no column, or numeric without cut points, or the target is not binary.
    """
    schema, block = read_schema(study.paths.table(dataset)), study.params.fairness
    if schema.task != "binary":
        raise ParamsError(
            f"fairness.tables: {dataset} asks for {schema.task}; decisions need a target of two levels: leave it out"
        )
    try:
        return attributes(schema, block.tables[dataset], block.cuts)
    except SchemaError as error:
        raise ParamsError(f"fairness.tables.{dataset}, fairness.cuts: {error}") from None


def asks(known: tuple[Attribute, ...], block: FairnessBlock) -> list[Ask]:
    """Return every ask: `observed` first, then the dials of each attribute alone, then of all of them."""
    together = [known] if len(known) > 1 else []
    subsets = [*((attribute,) for attribute in known), *together]
    first = Ask(OBSERVED, known, block.dials[0])
    return [first, *(Ask(named(own, dial), own, dial) for own in subsets for dial in block.dials[1:])]


def named(balanced: tuple[Attribute, ...], dial: float) -> str:
    """Return the condition that balances these attributes."""
    return condition([attribute.column for attribute in balanced], dial)


def open_splits(study: Study, dataset: str) -> Callable[[int], Material]:
    """Return what reads the material of a split by its number.

    Raises:
        ParamsError: as in `read_attributes`.
    """
    place, known = study.paths.table(dataset), read_attributes(study, dataset)
    table = read_table(place)
    rng = study.rng.branch("fairness", dataset)
    splits = make_splits(
        table.frame,
        table.schema,
        count=study.params.fairness.splits,
        test_share=TEST_SHARE,
        validation_share=VALIDATION_SHARE,
        rng=rng.branch("splits"),
        groups=read_groups(place),
    )

    def material(number: int) -> Material:
        parts = prepare(table.frame, table.schema, splits[number])
        own = rng.branch("split", number)
        return Material(parts.train, parts.validation, parts.test, table.schema, known, table.card.restricted, own)

    return material
