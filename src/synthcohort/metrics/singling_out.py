"""Do predicates that hold for one synthetic row hold for one patient, and is that patient a training row?

A predicate singles out in a table if exactly one row satisfies it [Cohen & Nissim 2020]. The attacker forms predicates
that single out in the distinct synthetic rows [Giomi 2023]:

- univariate: a value that one row only has; at most the smallest number, at least the largest number of a column;
- multivariate: three columns of a random row joined by "and"; a category is equal, a number is at least the row's if
  that lies above the synthetic median, else at most the row's.

Real tables of different size cannot be compared by such counts: the larger one has more rows that could satisfy a
predicate. So a predicate succeeds if exactly one row of training and test rows together satisfies it, and the row tells
on which side. With q predicates, M of them on members, C on controls and r = n_train / n_test,

    a = M / q,   c = r C / q,   risk = (a - c) / (1 - c)   (Wilson's rates of `risk`; the error of c is r times C's).

Fresh rows of the same law have E M = r E C whatever the sizes, since the one row is equally likely to be any of them.

Many predicates single out the same extreme patient, and are no independent evidence. With u_i the number of predicates
that single out the real row i, the error is multiplied by sqrt(max(1, variance of u / mean of u)), the dispersion that
is 1 for independent successes; without it the interval covered 0 in only 28 of 40 simulated fresh tables.

`singling_out_risk` takes multivariate predicates, `singling_out_risk_univariate` the others. The latter asks whether
rare values of single columns are training values: shuffling columns, or drawing cells from them, republishes all of
them and has a risk near 1, though no row is a patient's.

Departs: the source judges the training and the control table apart and extrapolates the controls' count to the size
of the training table by a fitted curve, which fewer than 1,000 controls cannot determine; a success rate is taken over
the predicates found, not over those asked for; equal real rows stay, since a record that two patients share singles out
neither; and the error allows for predicates on the same row.

Fewer than ten predicates, as in a table of a few levels, are refused for a univariate or multivariate score alone.
Constant columns, numbers outside the training range, and tables without numeric or categorical columns need no care.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
import pandas as pd

from synthcohort.metrics.matrix import DataProblem, tree_features
from synthcohort.metrics.release import Release
from synthcohort.metrics.risk import CONFIDENCE, Rate, rate_score, residual_risk, success_rate
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score, failed

METRICS = ("singling_out_risk", "singling_out_risk_univariate")
WIDTH = 3  # columns of a multivariate predicate
TRIES = 100  # rows drawn for each multivariate predicate asked for
MIN_PREDICATES = 10
FIRST = 1000  # rows a predicate is tried on before it is tried on all

Term = tuple[int, np.ufunc, float]  # column, comparison, value: the cell compares so with the value
Predicate = tuple[Term, ...]  # all terms hold


def singling_out_scores(release: Release, *, attacks: int, rng: Rng, confidence: float = CONFIDENCE) -> list[Score]:
    """Return the scores named in `METRICS`; n is the number of predicates, and too few of a kind fail its score alone.

    Args:
        release: what is attacked.
        attacks: form at most so many predicates of each kind.
        rng: draws the predicates.
        confidence: of the intervals.
    """
    train, test, schema = release.train, release.test, release.schema
    published = release.synthetic.drop_duplicates()

    def several() -> list[Predicate]:
        return multivariate_predicates(published, schema, wanted=attacks, rng=rng.branch("multivariate"))

    def single() -> list[Predicate]:
        every = univariate_predicates(published, schema)
        order = rng.branch("univariate").numpy().permutation(len(every))
        return [every[i] for i in order[:attacks]]

    def score(metric: str, form: Callable[[], list[Predicate]]) -> Score:
        try:
            predicates = form()
            return rate_score(metric, singling_out_risk(predicates, train, test, schema, confidence), len(predicates))
        except DataProblem as problem:
            return failed("privacy", metric, str(problem))

    return [score(METRICS[0], several), score(METRICS[1], single)]


def singling_out_risk(
    predicates: Sequence[Predicate],
    train: pd.DataFrame,
    test: pd.DataFrame,
    schema: Schema,
    confidence: float = CONFIDENCE,
) -> Rate:
    """Return the risk of these predicates.

    Raises:
        DataProblem: if they are fewer than `MIN_PREDICATES`, or single out controls too often to be scaled.
    """
    q = len(predicates)
    if q < MIN_PREDICATES:
        raise DataProblem(f"{q} predicates single out a synthetic row; a rate needs at least {MIN_PREDICATES}")
    hits = singled_out(predicates, train, test, schema)
    members, controls = int(hits[: len(train)].sum()), int(hits[len(train) :].sum())
    ratio = len(train) / len(test)
    if ratio * controls >= q:
        raise DataProblem(f"{controls} of {q} predicates single out a control: scaled to the training rows, all would")
    scaled = success_rate(ratio * controls, q, confidence).value
    control = Rate(scaled, ratio * success_rate(controls, q, confidence).error)
    risk = residual_risk(success_rate(members, q, confidence), control)
    return Rate(risk.value, risk.error * math.sqrt(_dispersion(hits)))


def singled_out(predicates: Sequence[Predicate], train: pd.DataFrame, test: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return how many predicates single out each row among train and test together, [n_train + n_test], train first."""
    table = cells(pd.concat([train, test]), schema)
    hits = np.zeros(table.shape[1], np.int64)
    for predicate in predicates:
        rows = np.flatnonzero(satisfied(predicate, table))
        if len(rows) == 1:
            hits[rows[0]] += 1
    return hits


def univariate_predicates(published: pd.DataFrame, schema: Schema) -> list[Predicate]:
    """Return every predicate on one column that singles out in these distinct rows, in the schema's order."""
    table, found = cells(published, schema), list[Predicate]()
    for j, column in enumerate(schema.columns):
        values, counts = np.unique(table[j], return_counts=True)
        found += [((j, np.equal, float(value)),) for value in values[counts == 1]]
        if column.numeric and counts[0] == 1:
            found.append(((j, np.less_equal, float(values[0])),))
        if column.numeric and counts[-1] == 1:
            found.append(((j, np.greater_equal, float(values[-1])),))
    return found


def multivariate_predicates(published: pd.DataFrame, schema: Schema, *, wanted: int, rng: Rng) -> list[Predicate]:
    """Return at most `wanted` different predicates on `WIDTH` columns that single out in these distinct rows.

    Raises:
        DataProblem: if the schema has fewer than `WIDTH` columns.
    """
    if len(schema.columns) < WIDTH:
        raise DataProblem(f"a multivariate predicate needs {WIDTH} columns; the schema has {schema.names}")
    table, draw = cells(published, schema), rng.numpy()
    medians = np.median(table, axis=1)
    found: dict[Predicate, None] = {}
    for row in draw.integers(table.shape[1], size=TRIES * wanted):
        if len(found) == wanted:
            break
        columns = np.sort(draw.choice(len(table), WIDTH, replace=False))
        predicate = extreme_predicate(table[:, row], columns, medians, schema)
        if _holds_once(predicate, table):
            found[predicate] = None
    return list(found)


def extreme_predicate(
    row: np.ndarray, columns: Sequence[int] | np.ndarray, medians: np.ndarray, schema: Schema
) -> Predicate:
    """Return the predicate that says of these columns what is extreme about the row.

    Args:
        row: [P + Q] cells of a row, as `cells` gives them.
        columns: positions of the columns to use.
        medians: [P + Q] medians of the published rows.
        schema: the schema.
    """

    def compare(j: int) -> np.ufunc:
        if not schema.columns[j].numeric:
            return np.equal
        return np.greater_equal if row[j] > medians[j] else np.less_equal

    return tuple((int(j), compare(j), float(row[j])) for j in columns)


def singling_out_baseline(
    train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema, *, attacks: int, rng: Rng
) -> float:
    """Return the share of random predicates that single out a member.

    Each takes `WIDTH` random columns, and for each a random value and a random comparison: equal or not, for numbers
    also (strictly) above or below.
    """
    table, draw = cells(synthetic, schema), rng.numpy()
    equality, order = (np.equal, np.not_equal), (np.greater, np.less, np.greater_equal, np.less_equal)
    values = [np.unique(row) for row in table]

    def term(j: int) -> Term:
        comparisons = equality + order if schema.columns[j].numeric else equality
        return int(j), comparisons[draw.integers(len(comparisons))], float(draw.choice(values[j]))

    width = min(WIDTH, len(table))
    predicates = [tuple(term(j) for j in draw.choice(len(table), width, replace=False)) for _ in range(attacks)]
    return float(singled_out(predicates, train, test, schema)[: len(train)].sum()) / attacks


def cells(frame: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return the cells as numbers, one contiguous row a column, [P + Q, n]; a category is the position of its level."""
    return np.ascontiguousarray(tree_features(frame, schema.columns).T)


def satisfied(predicate: Predicate, table: np.ndarray) -> np.ndarray:
    """Return which rows of a table of `cells` satisfy the predicate, [n] bool."""
    return reduce(np.logical_and, (compare(table[j], value) for j, compare, value in predicate))


def _holds_once(predicate: Predicate, table: np.ndarray) -> bool:
    first = satisfied(predicate, table[:, :FIRST])  # most predicates hold for two of these, and the rest can be spared
    return bool(np.count_nonzero(first) < 2 and np.count_nonzero(satisfied(predicate, table)) == 1)


def _dispersion(hits: np.ndarray) -> float:
    mean = float(hits.mean())
    return max(1.0, float(hits.var(ddof=1)) / mean) if mean > 0 else 1.0
