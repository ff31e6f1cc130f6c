"""How strongly do the columns of one table depend on each other, on every split?

Learned on train rows and judged on validation rows (`metrics.dependence`), so that no test row is read.
"""

from __future__ import annotations

import pandas as pd

from synthcohort import scores
from synthcohort.cells.rows import read_development, read_schema
from synthcohort.metrics import dependence
from synthcohort.metrics.matrix import DataProblem
from synthcohort.scores import Score, failed
from synthcohort.study import Study


def dependence_cell(study: Study, dataset: str) -> pd.DataFrame:
    """Compute the score of every split, write the table's file and return it, tidy; the generator is "real"."""
    found = [_score(study, dataset, split) for split in range(study.splits(dataset))]
    parts = [scores.to_frame(one, dataset=dataset, generator="real", split=split) for split, one in enumerate(found)]
    whole = pd.concat(parts, ignore_index=True)
    scores.write(whole, study.paths.dependence(dataset))
    return whole


def _score(study: Study, dataset: str, split: int) -> list[Score]:
    place = study.paths.development(dataset)
    train, validation = read_development(place, split)
    rows, rng = study.params.metrics.max_rows_distance, study.rng.branch("dependence", dataset, split)
    try:
        return dependence.dependence(train, validation, read_schema(place), max_rows=rows, rng=rng)
    except DataProblem as problem:
        return [failed("imputation", name, str(problem)) for name in dependence.METRICS]
