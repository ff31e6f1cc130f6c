"""What are all the scores of one generator, or of the real table itself, on one split?

`evaluate_split` scores the samples of a generator; `reference_split` gives what stands beside every generator: the
ceiling (fresh real rows judged as if they were synthetic, models trained on real rows) and the rivals of augmentation.
To add a metric: write its function in a module of its own, then one `Measure` in the `cell_` module of its axis.

A measure that is not defined on these rows gives failed scores that say why, and the others go on; a frame that breaks
the schema, or an error nobody foresaw, stops the cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from synthcohort.metrics import cell_augmentation, cell_fidelity, cell_privacy, cell_utility
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.split import MINORITY, OBSERVED, Settings, Split, check
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score


def evaluate_split(
    *,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    test: pd.DataFrame,
    samples: Mapping[str, pd.DataFrame],
    schema: Schema,
    metrics: Settings,
    rng: Rng,
    real_auroc: Mapping[str, float],
    absent: str = "the generator gave no sample",
) -> list[Score]:
    """Return every score of one generator on one split.

    Args:
        train: [n, P + Q] rows the generator learned from.
        validation: rows it may have used to stop early.
        test: real rows it never saw.
        samples: condition -> synthetic rows. Without "as_observed" or "minority" the scores that need it fail.
        schema: the schema of all frames.
        metrics: settings.
        rng: the randomness of this split's metrics. Give every generator the same branch: all are then judged on the
            same real subsamples, folds and seeds, which takes that noise out of their differences.
        real_auroc: family of predictors -> its AUROC on the test rows when trained on the train rows.
        absent: why a condition has no sample (a failed fit, a missing ability); becomes the note of failed scores.

    Raises:
        SchemaError: if a frame breaks the schema, naming the frame, the column and the fault.
    """
    split = Split(train, validation, test, schema, metrics, rng)
    for condition, sample in samples.items():
        check(sample, schema, f"the synthetic rows {condition!r}")

    def ask(condition: str) -> pd.DataFrame:
        if condition not in samples:
            raise DataProblem(f"{absent} (condition {condition})")
        return samples[condition]

    observed = partial(ask, OBSERVED)
    trained, predictions = cell_utility.predictions("tstr", split, observed)
    measures = [
        *cell_fidelity.against_train(split, observed),
        cell_fidelity.against_test(split, observed),
        cell_fidelity.moved(split, observed),
        cell_fidelity.predicted(split, observed),
        *predictions,
        *cell_utility.agreements(split, trained, real_auroc),
        *cell_augmentation.augmented(split, partial(ask, MINORITY)),
        *cell_privacy.measures(split, observed),
    ]
    return [score for measure in measures for score in measure.run()]


def reference_split(
    *,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    test: pd.DataFrame,
    schema: Schema,
    metrics: Settings,
    rng: Rng,
    law: Mapping[str, np.ndarray] | None = None,
) -> list[Score]:
    """Return what the real table itself achieves on one split.

    Fresh real rows stand in for a perfect generator: the test rows where a sample is compared with the training table,
    the training rows where it is compared with test rows (`c2st_...`, `wasserstein_test`), the validation rows where it
    is compared with both (privacy), one half of the training rows against the other for `dimension_wise_prediction`. A
    perfect generator of more rows has less noise than these.

    Args:
        train, validation, test, schema, metrics, rng: as in `evaluate_split`.
        law: "validation" and "test" -> P(positive level | row) of these rows, where the law of the table is known.

    Raises:
        SchemaError: if a frame breaks the schema, naming the frame, the column and the fault.
    """
    split = Split(train, validation, test, schema, metrics, rng)
    _, predictions = cell_utility.predictions("trtr", split, lambda: train)
    measures = [
        *cell_fidelity.against_train(split, lambda: test),
        cell_fidelity.against_test(split, lambda: train),
        *cell_fidelity.moved_real(split),
        cell_fidelity.predicted_real(split),
        *predictions,
        *cell_augmentation.rivals(split),
        *(cell_augmentation.best_possible(split, law) if law is not None else []),
        *cell_privacy.measures(split, lambda: validation),
    ]
    return [score for measure in measures for score in measure.run()]
