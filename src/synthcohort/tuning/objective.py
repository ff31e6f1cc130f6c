"""How good is a setting, in one number that is the same for every generator?

Of the synthetic rows of one table, as many as there are train rows, four parts, each in [0, 1], higher is better:

- fidelity = (Shape + Trend) / 2, against judged rows (`metrics.fidelity`);
- indistinguishable = min(1, 2 (1 - A)), A the AUROC of boosted trees that tell synthetic from judged rows
  (`metrics.detection`);
- useful = min(1, T / R), T the AUROC on judged rows of predictors trained on synthetic rows, R of the same predictors
  trained on the train rows, each the mean over `LEARNERS` (`metrics.utility`);
- fresh = 1 - memorisation, held to [0, 1] (`metrics.privacy`): repeating the train rows earns the first three and
  loses this one.

The objective is the mean of the four, then of the tables. A part that is not defined on these rows has no value, and
the trial fails; it is never a zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.metrics import detection, fidelity, privacy, utility
from synthcohort.metrics.classifiers import PREDICTORS
from synthcohort.rng import Rng
from synthcohort.tuning.rows import TuningRows

LEARNERS = ("xgboost", "logistic_regression")


@dataclass(frozen=True)
class Parts:
    """The four parts of the objective on one table, each in [0, 1], higher is better."""

    fidelity: float
    indistinguishable: float
    useful: float
    fresh: float

    @property
    def value(self) -> float:
        """Their mean."""
        return (self.fidelity + self.indistinguishable + self.useful + self.fresh) / 4


@dataclass(frozen=True)
class Judge:
    """What every trial on one table is judged by.

    Args:
        rows: the table's rows.
        real_auroc: R of the module's text.
        rng: draws subsamples, folds and classifiers, the same for every trial of every generator.
    """

    rows: TuningRows
    real_auroc: float
    rng: Rng

    @classmethod
    def of(cls, rows: TuningRows, rng: Rng) -> Judge:
        """Return the judge of these rows.

        Raises:
            DataProblem: if the train rows teach no predictor, or the target is numeric.
        """
        return cls(rows, _auroc(rows.train, rows, rng), rng)

    def parts(self, synthetic: pd.DataFrame) -> Parts:
        """Return the four parts of synthetic rows [n, P + Q].

        Raises:
            DataProblem: if one of them is not defined on these rows.
        """
        rows, schema = self.rows, self.rows.schema
        alike = fidelity.fidelity_scores(rows.judged, synthetic, schema)
        told = detection.c2st_xgboost(rows.judged, synthetic, schema, self.rng.branch("detection"))
        copied = privacy.privacy_scores(
            rows.train, rows.judged, synthetic, schema, max_rows=len(synthetic), rng=self.rng.branch("privacy")
        )
        values = {score.metric: score.value for score in (*alike, *told, *copied)}
        return Parts(
            fidelity=(values["shape"] + values["trend"]) / 2,
            indistinguishable=min(1.0, 2 * (1 - values["c2st_xgboost"])),
            useful=min(1.0, _auroc(synthetic, rows, self.rng) / self.real_auroc),
            fresh=1 - min(1.0, max(0.0, values["memorisation"])),
        )


def _auroc(train: pd.DataFrame, rows: TuningRows, rng: Rng) -> float:
    """Return the AUROC on judged rows of predictors trained on `train`, the mean over `LEARNERS`."""
    areas = [
        utility.auroc(
            utility.judge(
                PREDICTORS[name], train=train, test=rows.judged, schema=rows.schema, rng=rng.branch("useful")
            ),
            rows.schema,
        )
        for name in LEARNERS
    ]
    return float(np.mean(areas))
