"""What do the stages that judge filled cells share on one split?

The rows with the holes they had from the first, and which further cells are hidden from whoever is to fill them. The
masks of a table, split and scenario are the same for every imputer and every stage, and so is the randomness of a fit:
an imputer is the same one wherever it is fitted.

The target is never hidden, as `prepare` never fills it: to guess a label is to predict. Cells that were missing from
the first are open too, to learn with and to fill, but no truth is known of them: they are outside every mask.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from synthcohort import missingness
from synthcohort.cells import holes, imputers
from synthcohort.cells.holdout import read_test
from synthcohort.cells.rows import read_development, read_schema
from synthcohort.datasets.restricted import is_restricted
from synthcohort.disclosure import FLOOR
from synthcohort.generators.base import FitError, Generator
from synthcohort.imputation import ImputationError
from synthcohort.imputers.base import Imputer
from synthcohort.metrics.imputation import METRICS
from synthcohort.metrics.imputation_plausibility import METRICS as PLAUSIBLE
from synthcohort.missingness import MissingnessError
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.study import ImputationBlock, Scenario, Study

FAILURES = (FitError, ImputationError, MissingnessError)  # of hiding, fitting and drawing: reasons, no faults
PARTS = ("train", "validation", "test")
TOO_FEW = "too few cells to be told of a restricted table"


@dataclass(frozen=True)
class Split:
    """What all imputers share on one split.

    Args:
        train, validation, test: rows with the holes they had from the first.
        filled: the test rows as `prepare` filled them.
        schema: of all.
        block: settings.
        masks: the randomness of what is hidden.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    filled: pd.DataFrame
    schema: Schema
    block: ImputationBlock
    masks: Rng

    def mask(self, part: str, scenario: Scenario) -> np.ndarray:
        """Return which cells of a part are hidden, [n, P + Q] bool."""
        hiding = missingness.MECHANISMS[scenario.mechanism]
        rng = self.masks.branch(part, scenario.name)
        return hiding(getattr(self, part), self.schema, rate=scenario.rate, rng=rng, spare_target=True)

    def hidden(self, part: str, scenario: Scenario) -> pd.DataFrame:
        """Return the rows of a part with these cells hidden."""
        return missingness.hide(getattr(self, part), self.mask(part, scenario))


def open_split(study: Study, dataset: str, *, split: int) -> Split:
    """Read the rows of one split and open the holes they had."""
    place, gaps = study.paths.development(dataset), study.paths.holes(dataset) / f"split_{split}"
    filled = dict(zip(PARTS, (*read_development(place, split), read_test(study.paths.test(dataset), split))))
    return Split(
        **{name: holes.reopened(frame, gaps / f"{name}.csv") for name, frame in filled.items()},
        filled=filled["test"],
        schema=read_schema(place),
        block=study.params.imputation,
        masks=study.rng.branch("holes", dataset, split),
    )


def files(study: Study, dataset: str, *, split: int) -> list[Path]:
    """Return the files that `open_split` reads."""
    name = f"split_{split}"
    return [
        study.paths.development(dataset) / "schema.json",
        *(study.paths.development(dataset) / name / f"{part}.csv" for part in PARTS[:2]),
        study.paths.test(dataset) / name / "test.csv",
        *(study.paths.holes(dataset) / name / f"{part}.csv" for part in PARTS),
    ]


def randomness(study: Study, dataset: str, imputer: str, *, split: int) -> Rng:
    """Return the randomness of an imputer on one split; its branch "fit" is that of the fit."""
    return study.rng.branch("impute", dataset, imputer, split)


def owed(schema: Schema) -> Sequence[str]:
    """Return the scores that hidden features of a table have."""
    kinds = {"", *(column.kind for column in schema.features)}
    return [name for name, measure in METRICS.items() if measure.kind in kinds]


def told(study: Study, dataset: str, found: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy scores of a table as they may be told.

    How many cells a mask hides says how many were missing from the first, since the seed is no secret; and holes as
    found are such a number themselves. So the scores of a restricted table count cells in whole steps of `FLOOR`, and
    those of fewer are withheld.
    """
    if not is_restricted(dataset, study.params.datasets[dataset]):
        return found
    counted = found["metric"].isin([*METRICS, *PLAUSIBLE]) & found["value"].notna()
    few = counted & (found["n"] < FLOOR)
    return found.assign(
        value=found["value"].mask(few),
        n=found["n"].mask(counted, found["n"] // FLOOR * FLOOR),
        note=found["note"].mask(few, TOO_FEW),
    )


def fit(split: Split, model: Imputer | Generator, rng: Rng, device: str) -> float:
    """Fit a model to the train rows, cells hidden as the settings say, and return the CPU seconds of the fit.

    Raises:
        FitError, ImputationError, MissingnessError: if it cannot be fitted or the cells cannot be hidden.
    """
    scenario = split.block.fitted
    train, validation = split.hidden("train", scenario), split.hidden("validation", scenario)
    started = time.process_time()
    imputers.fit(model, train, split.schema, validation=validation, rng=rng, device=device)
    return time.process_time() - started
