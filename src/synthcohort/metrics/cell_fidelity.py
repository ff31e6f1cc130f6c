"""Which fidelity scores has a sample?

Marginals and pairs, the kernel two-sample statistics, neighbourhoods, transport, prediction of each column from the
others, rare and impossible combinations against the training rows; the classifier two-sample tests against test rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from synthcohort.metrics import combinations, detection, fidelity, manifold, mmd, prediction, sdmetrics, transport
from synthcohort.metrics.release import Release
from synthcohort.metrics.split import Measure, Sample, Split, owed
from synthcohort.schema import Schema
from synthcohort.scores import Score

_MANIFOLD = [
    *owed("fidelity", [name for name in manifold.METRICS if name != "authenticity"]),
    *owed("privacy", ["authenticity"]),
]


def against_train(split: Split, sample: Sample) -> list[Measure]:
    """Return what compares a sample with the training rows."""
    train, schema, rng, caps = split.train, split.schema, split.rng, split.metrics

    def columns() -> list[Score]:
        return fidelity.fidelity_scores(train, split.enough(sample()), schema)

    def kernel() -> list[Score]:
        most = caps.max_rows_pairwise
        return mmd.mmd_score(train, split.enough(sample()), schema, max_rows=most, rng=rng.branch("mmd"))

    def neighbourhoods() -> list[Score]:
        rows, most = split.enough(sample()), caps.max_rows_pairwise
        return manifold.manifold_scores(train, rows, schema, max_rows=most, rng=rng.branch("manifold"))

    def strong_pairs() -> list[Score]:
        return sdmetrics.trend_sdmetrics(train, split.enough(sample()), schema)

    def logistic_detection() -> list[Score]:
        rows, most = split.enough(sample()), caps.max_rows_distance
        return sdmetrics.logistic_detection(train, rows, schema, max_rows=most, rng=rng.branch("logistic_detection"))

    def together(measure: Callable[[pd.DataFrame, pd.DataFrame, Schema], list[Score]]) -> list[Score]:
        return measure(train, split.enough(sample()), schema)

    combined = (
        combinations.correlation_difference,
        combinations.rare_combinations,
        combinations.rule_confidence,
        combinations.out_of_range,
        combinations.impossible_combinations,
    )
    return [
        Measure(owed("fidelity", fidelity.METRICS), columns),
        Measure(owed("fidelity", mmd.METRICS), kernel),
        Measure(_MANIFOLD, neighbourhoods),
        Measure(owed("fidelity", ["trend_sdmetrics"]), strong_pairs),
        Measure(owed("fidelity", ["logistic_detection"]), logistic_detection),
        *(Measure(owed("fidelity", [measure.__name__]), partial(together, measure)) for measure in combined),
    ]


def against_test(split: Split, sample: Sample) -> Measure:
    """Return what compares a sample with rows no generator saw."""

    def told_apart() -> list[Score]:
        return detection.c2st_scores(split.test, split.enough(sample()), split.schema, split.rng.branch("c2st"))

    return Measure(owed("fidelity", detection.METRICS), told_apart)


def moved(split: Split, sample: Sample) -> Measure:
    """Return the transport distances of a sample to training and to test rows."""
    return Measure(owed("fidelity", transport.METRICS), lambda: _transport(split, sample))


def moved_real(split: Split) -> list[Measure]:
    """Return the transport distance of fresh real rows: from train to test rows, under both names."""

    def reach(name: str, rows: pd.DataFrame) -> list[Score]:
        return [score for score in _transport(split, lambda: rows) if score.metric == name]

    stand_ins = {"wasserstein_train": split.test, "wasserstein_test": split.train}
    return [Measure(owed("fidelity", [name]), partial(reach, name, rows)) for name, rows in stand_ins.items()]


def predicted(split: Split, sample: Sample) -> Measure:
    """Return how well each column is predicted from the others by a model trained on the sample."""

    def compute() -> list[Score]:
        rows, rng = split.enough(sample()), split.rng.branch("dimension_wise_prediction")
        return prediction.dimension_wise_prediction(
            split.train, split.test, rows, split.schema, max_rows=split.metrics.max_rows_distance, rng=rng
        )

    return Measure(owed("fidelity", prediction.METRICS), compute)


def predicted_real(split: Split) -> Measure:
    """Return the same of fresh real rows: one half of the train rows stands for the table, the other for a sample."""

    def compute() -> list[Score]:
        rng = split.rng.branch("dimension_wise_prediction")
        order = rng.branch("halves").numpy().permutation(len(split.train))
        table, fresh = (split.train.iloc[np.sort(half)] for half in np.array_split(order, 2))
        return prediction.dimension_wise_prediction(
            table, split.test, fresh, split.schema, max_rows=split.metrics.max_rows_distance, rng=rng
        )

    return Measure(owed("fidelity", prediction.METRICS), compute)


def _transport(split: Split, sample: Sample) -> list[Score]:
    release = Release(split.train, split.test, sample(), split.schema)
    most = split.metrics.max_rows_transport
    return transport.transport_scores(release, max_rows=most, rng=split.rng.branch("transport"))
