"""Which utility scores has a sample?

Every family of predictors trained on it and judged on test rows, and whether its users would think the same columns and
the same family best as those who hold the real table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from synthcohort.metrics import agreement, utility
from synthcohort.metrics.classifiers import PREDICTORS, Predictor
from synthcohort.metrics.matrix import DataProblem
from synthcohort.metrics.split import Measure, Sample, Split, owed
from synthcohort.metrics.utility import Judged
from synthcohort.scores import Score

FOREST = "random_forest"


class Trained:
    """The predictors trained on one sample: each is fitted when it is first asked for, and once."""

    def __init__(self, split: Split, sample: Sample) -> None:
        self.split = split
        self.sample = sample
        self.known: dict[str, Judged | DataProblem] = {}

    def judged(self, predictor: Predictor) -> Judged:
        """Return the trained predictor with its predictions of the test rows.

        Raises:
            DataProblem: if it cannot be trained on these rows, the same one at every call.
        """
        if predictor.name not in self.known:
            self.known[predictor.name] = self._train(predictor)
        found = self.known[predictor.name]
        if isinstance(found, DataProblem):
            raise found
        return found

    def areas(self) -> dict[str, float]:
        """Return family -> AUROC on the test rows, of the families that could be trained.

        Raises:
            DataProblem: the first reason, if none could.
        """
        found, reasons = {}, []
        for predictor in self.split.predictors():
            try:
                found[predictor.name] = utility.auroc(self.judged(predictor), self.split.schema)
            except DataProblem as problem:
                reasons.append(problem)
        if not found:
            raise reasons[0]
        return found

    def _train(self, predictor: Predictor) -> Judged | DataProblem:
        split = self.split
        try:
            train, rng = split.enough(self.sample()), split.rng.branch("utility")
            return utility.judge(predictor, train=train, test=split.test, schema=split.schema, rng=rng)
        except DataProblem as problem:
            return problem


def predictions(prefix: str, split: Split, sample: Sample) -> tuple[Trained, list[Measure]]:
    """Return the trained predictors and their measures, named `prefix` ("tstr", "trtr") by what they learned from."""
    trained = Trained(split, sample)

    def compute(predictor: Predictor) -> list[Score]:
        return utility.judged_scores(prefix, trained.judged(predictor), split.schema)

    return trained, [
        Measure(
            owed("utility", utility.metric_names(prefix, predictor, split.schema)),
            partial(compute, predictor),
        )
        for predictor in split.predictors()
    ]


def agreements(split: Split, trained: Trained, real_auroc: Mapping[str, float]) -> list[Measure]:
    """Return whether users of the sample would draw the conclusions of those who hold the real table.

    Args:
        split: the real rows.
        trained: the predictors trained on the sample.
        real_auroc: family -> AUROC on test rows when trained on the real table.
    """

    def importances() -> list[Score]:
        real = Trained(split, lambda: split.train).judged(PREDICTORS[FOREST])
        synthetic = trained.judged(PREDICTORS[FOREST])
        return agreement.importance_agreement(agreement.importances(real), agreement.importances(synthetic))

    def ranking() -> list[Score]:
        return agreement.ranking_agreement(real_auroc, trained.areas())

    return [
        Measure(owed("utility", ["importance_agreement"]), importances),
        Measure(owed("utility", ["ranking_agreement"]), ranking),
    ]
