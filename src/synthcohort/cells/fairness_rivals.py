"""How fair is a model without any generator, when the real rows or the decisions are mended instead?

Four kinds of rival, each with the same asks and dials as the generators:

- `resampled`: train rows drawn to the balanced joint, rows repeated where a combination has too few;
- `reweighed`: every train row weighs q(y, g) / p(y, g), label and groups independent [Kamiran & Calders 2012];
- `fair_smote`: train rows, with new ones interpolated within a combination of label and groups that has too few
  [Chakraborty 2021], by the SMOTE of this library; a combination of one row, which has no neighbour, is repeated;
- `threshold_...`: decisions of the model of the train rows, moved group by group until on validation rows the selection
  rates are equal (`demographic_parity`), or true and false positive rates are (`equalized_odds`) [Hardt 2016], by
  fairlearn. The dial is the probability of the moved decision; else the model's own stands.

Departs: [Chakraborty 2021] makes all combinations of the same size, so that labels are even too; here the joint is the
one asked for, label as observed, as of every other arm. Too many rows are thinned out at random, likewise. A group of
which validation rows show one class only cannot be moved and keeps the model's decisions. Of fairlearn's decisions the
probability is taken, not a draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator, ClassifierMixin

from synthcohort import joint
from synthcohort.cells import fairness as cell
from synthcohort.cells.fairness_judging import decision_scores, lost, table_scores
from synthcohort.cells.fairness_material import Ask, Material, asks
from synthcohort.generators.smote import Smote
from synthcohort.metrics.classifiers import Classifier
from synthcohort.metrics.fairness import CUT, Decided
from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema
from synthcohort.scores import Score
from synthcohort.sensitive import OBSERVED
from synthcohort.study import Study

NAME = "rivals"
TABLES = ("resampled", "fair_smote")
CONSTRAINTS = ("demographic_parity", "equalized_odds")
RIVALS = (*TABLES, "reweighed", *(f"threshold_{name}" for name in CONSTRAINTS))


def rivals_cell(study: Study, dataset: str) -> pd.DataFrame:
    """Judge every rival on one table, write their score file and return its scores, tidy."""
    return cell.run(
        study,
        dataset,
        name=NAME,
        settings=None,
        judge=lambda material: judged(material, asks(material.attributes, study.params.fairness)),
    )


def judged(material: Material, wanted: list[Ask]) -> dict[str, list[Score]]:
    """Return the scores of every rival; with nothing balanced they are all the model of the train rows."""
    plain = material.learned(material.train)
    first = decision_scores(material, material.decided(plain), OBSERVED)
    observed = next(ask for ask in wanted if ask.condition == OBSERVED)
    real = table_scores(material, observed, material.train)
    found = {name: [*first, *(real if name in TABLES else [])] for name in RIVALS}
    for ask in (ask for ask in wanted if ask.condition != OBSERVED):
        for name, rows in (("resampled", resampled(material, ask)), ("fair_smote", fair_smote(material, ask))):
            decided = partial(_learned, material, rows)
            found[name] += [*_attempt(material, ask, decided), *table_scores(material, ask, rows)]
        found["reweighed"] += _attempt(
            material, ask, partial(_learned, material, material.train, weights(material, ask))
        )
        for constraint in CONSTRAINTS:
            found[f"threshold_{constraint}"] += _attempt(
                material, ask, partial(moved, material, ask, plain, constraint)
            )
    return found


def resampled(material: Material, ask: Ask) -> pd.DataFrame:
    """Return train rows drawn to the joint that is asked for."""
    grid, train = material.grid(ask), material.train
    wanted = joint.numbers(material.law(ask), len(train))
    rows = joint.drawn(grid.cells(train), wanted, material.rng.branch("resampled", ask.condition))
    return train.iloc[rows].reset_index(drop=True)


def weights(material: Material, ask: Ask) -> np.ndarray:
    """Return the weight of every train row, [n], with mean 1."""
    grid = material.grid(ask)
    counts = grid.counts(material.train)
    law = joint.independent(counts, ask.dial)
    each = np.divide(law * counts.sum(), counts, out=np.zeros_like(law), where=counts > 0)
    return each.ravel()[grid.cells(material.train)]


def fair_smote(material: Material, ask: Ask) -> pd.DataFrame:
    """Return train rows and rows interpolated within combinations, together with the joint that is asked for."""
    grid, train, rng = material.grid(ask), material.train, material.rng.branch("fair_smote", ask.condition)
    cells, counts = grid.cells(train), grid.counts(train)
    wanted = joint.numbers(material.law(ask), len(train))
    kept = np.where(counts > 1, np.minimum(wanted, counts), wanted)
    real = train.iloc[joint.drawn(cells, kept, rng.branch("real"))]
    new = interpolated(train, material.schema, grid, wanted - kept, rng=rng.branch("new"))
    return pd.concat([real, new], ignore_index=True)


def interpolated(
    train: pd.DataFrame, schema: Schema, grid: joint.Grid, wanted: np.ndarray, *, rng: Rng
) -> pd.DataFrame:
    """Return new rows between train rows of the same combination.

    Args:
        train: [n, P + Q].
        schema: its schema.
        grid: the combinations.
        wanted: new rows of each combination, of the grid's shape; 0 where it has fewer than two rows.
        rng: the draws.
    """
    asked = np.repeat(np.arange(wanted.size), wanted.ravel())
    if not len(asked):
        return train.iloc[:0]
    fixed = {grid.target, *(a.column for a in grid.attributes if not a.cuts)}
    cells = grid.cells(train)
    names = tuple(str(cell) for cell in np.unique(cells))
    target = Column("combination", "categorical", role="target", levels=names)
    rest = tuple(replace(c, role="feature") for c in schema.columns if c.name not in fixed)
    own = Schema((*rest, target), names[0])
    rows = own.cast(train.assign(combination=cells.astype(str)))
    conditions = pd.DataFrame({"combination": pd.Categorical(asked.astype(str), categories=list(names))})
    new = (
        Smote()
        .fit(rows, own, rng=rng.branch("fit"))
        .sample(len(asked), conditions=conditions, rng=rng.branch("sample"))
    )
    return schema.cast(new.assign(**_levels(grid, asked)))


def moved(material: Material, ask: Ask, model: Classifier, constraint: str) -> Decided:
    """Return the model's decisions, moved by fairlearn until a constraint holds on validation rows.

    Raises:
        DataProblem: if of no group validation rows show both classes.
    """
    checked, risk = (model.probabilities(part)[:, 1] for part in (material.validation, material.test))
    own = risk >= CUT
    truth = material.positive(material.validation)
    groups = [_combined(ask, part) for part in (material.validation, material.test)]
    both = pd.Series(truth).groupby(groups[0]).nunique()
    known = both.index[both == 2]
    if not len(known):
        raise DataProblem(f"no group of {ask.condition} has validation rows of both classes, so no cut can be moved")
    use, movable = np.isin(groups[0], known), np.isin(groups[1], known)
    optimiser = ThresholdOptimizer(
        estimator=_Known(),
        constraints=constraint,
        objective="accuracy_score",
        prefit=True,
        predict_method="predict_proba",
    )
    optimiser.fit(checked[use, None], truth[use], sensitive_features=groups[0][use])
    decision = own.astype(np.float64)
    chance = optimiser._pmf_predict(risk[movable, None], sensitive_features=groups[1][movable])[:, 1]
    decision[movable] = (1 - ask.dial) * decision[movable] + ask.dial * chance
    return Decided(material.truth, risk, decision)


class _Known(ClassifierMixin, BaseEstimator):
    """Takes risks for features and returns them, so that fairlearn need not know how a model reads rows."""

    classes_ = np.array([0, 1])

    def fit(self, risk: np.ndarray, truth: np.ndarray) -> _Known:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, risk: np.ndarray) -> np.ndarray:
        return np.hstack([1 - risk, risk])


def _learned(material: Material, rows: pd.DataFrame, weights: np.ndarray | None = None) -> Decided:
    return material.decided(material.learned(rows, weights))


def _attempt(material: Material, ask: Ask, decide: Callable[[], Decided]) -> list[Score]:
    try:
        decided = decide()
    except DataProblem as problem:
        return lost(material.attributes, ask.condition, str(problem))
    return decision_scores(material, decided, ask.condition)


def _combined(ask: Ask, frame: pd.DataFrame) -> np.ndarray:
    """Return one number a row for its group of every attribute of the ask, [n]."""
    shape = tuple(len(a.groups) for a in ask.attributes)
    return np.ravel_multi_index([a.codes(frame) for a in ask.attributes], shape)


def _levels(grid: joint.Grid, cells: np.ndarray) -> dict[str, list[str]]:
    """Return the label and the categorical attributes of every cell, by column."""
    label, *groups = np.unravel_index(cells, grid.shape)
    found = {grid.target: [grid.labels[code] for code in label]}
    for attribute, codes in zip(grid.attributes, groups, strict=True):
        if not attribute.cuts:
            found[attribute.column] = [attribute.groups[code] for code in codes]
    return found
