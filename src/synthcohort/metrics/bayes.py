"""What could the best possible predictor reach on this table?

Where the law of a table is known (a simulation), so is every row's probability p of being of the rare class. No
predictor that sees the same features beats p in expectation: not in AUROC, average precision or Brier score, and not
in F_beta, whose best rule is a cut on p [Koyejo 2014]. The cuts are those that reach the largest F1 and F2 on
validation rows, as for the rival `threshold`; test rows choose nothing. On few test rows a predictor may be luckier.
"""

from __future__ import annotations

import numpy as np

from synthcohort.metrics.augmentation import Arm, arm_scores, best_cut
from synthcohort.metrics.classifiers import Predictor
from synthcohort.scores import Score

ARM = "bayes_optimal"


def bayes_scores(
    rare: np.ndarray,
    probability: np.ndarray,
    validation_rare: np.ndarray,
    validation_probability: np.ndarray,
    predictor: Predictor,
) -> list[Score]:
    """Return the augmentation scores of the exact probabilities, as the arm `bayes_optimal` beside a predictor's.

    Args:
        rare: [n] 1 where a test row is of the rare class.
        probability: [n] its exact probability of being so, given its features.
        validation_rare, validation_probability: the same of the rows that choose the cuts.
        predictor: the family whose metric names the scores take; it is not fitted.
    """
    cuts = tuple(best_cut(validation_rare, validation_probability, beta=beta) for beta in (1.0, 2.0))
    return arm_scores(Arm(ARM, probability, (cuts[0], cuts[1])), rare, predictor)
