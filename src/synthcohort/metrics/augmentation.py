"""Does adding synthetic minority rows help to find the rare class, more than the honest rivals do?

The minority is the rarer level of a binary target among the real training rows; of two equal levels, the positive one.
Full balance takes need = n_majority - n_minority further minority rows; a share s adds round(s need) synthetic ones to
the real training rows; s > 1 makes the minority the majority. Rivals that need no generator:

- `none`: the training rows as they are;
- `class_weight`: each row weighs n / (2 n_level), so that both levels weigh the same [scikit-learn, "balanced"];
- `random_oversampling`: minority rows drawn with replacement up to full balance [imbalanced-learn];
- `random_undersampling`: as many majority rows, drawn without replacement, as there are minority rows [the same];
- `threshold`: the model of `none`, with the cut of F1 and of F2 moved to where each is largest on validation rows.
  Balancing shifts the predicted risks and little else, so this is the rival to beat [van den Goorbergh 2022].

Measures, with the minority as the class to find: F1 and F2 at a probability of 0.5 (but for `threshold`), AUROC and
average precision (AUPRC), Brier score, calibration slope and intercept (`calibration.py`), all on real test rows.
F_b = (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP). Every arm is trained once (`Arm`) and gives both scores and curve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from sklearn.utils.class_weight import compute_sample_weight

from synthcohort.metrics.calibration import brier, calibration_intercept, calibration_slope_error
from synthcohort.metrics.classifiers import Classifier, Predictor, train_classifier
from synthcohort.metrics.matrix import DataProblem, target_codes
from synthcohort.metrics.utility import PredictionMeasure, f_beta
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score, failed

RIVALS = ("none", "class_weight", "random_oversampling", "random_undersampling", "threshold")
RECALLS = np.arange(1, 21) / 20.0  # 0.05, 0.10 .. 1

RANKED = (
    PredictionMeasure("auroc", "up", roc_auc_score),
    PredictionMeasure("auprc", "up", average_precision_score),
    PredictionMeasure("brier", "down", brier),
    PredictionMeasure("calibration_slope_error", "down", calibration_slope_error),
    PredictionMeasure("calibration_intercept", "zero", calibration_intercept),
)


@dataclass(frozen=True)
class Labelled:
    """Rows beside the question "is this row of the minority?".

    Args:
        rows: [n, P + Q].
        rare: [n] of 0 and 1.
    """

    rows: pd.DataFrame
    rare: np.ndarray


@dataclass(frozen=True)
class Task:
    """Real rows of one split, ready to augment.

    Args:
        train: rows to learn from.
        validation: rows that may choose a cut.
        test: rows that judge.
        schema: the schema of all.
        minority: the rare level of the target.
        need: minority rows that full balance takes.
    """

    train: Labelled
    validation: Labelled
    test: Labelled
    schema: Schema
    minority: str
    need: int


@dataclass(frozen=True)
class Arm:
    """What a predictor trained on one choice of rows says of the test rows.

    Args:
        name: the condition of its scores.
        probability: [n] of being rare.
        cuts: probabilities from which on a row is called rare, for F1 and for F2.
    """

    name: str
    probability: np.ndarray
    cuts: tuple[float, float] = (0.5, 0.5)


def arm_name(share: float) -> str:
    """Return the name of the arm that adds this share of what full balance takes, such as `minority_0.5`."""
    return f"minority_{float(share)}"


def metric_names(predictor: Predictor) -> tuple[str, ...]:
    """Return the names of the scores of one predictor, such as `augment_f1_xgboost`."""
    names = ("f1", "f2", *(measure.name for measure in RANKED))
    return tuple(f"augment_{name}_{predictor.name}" for name in names)


def minority_level(train: pd.DataFrame, schema: Schema) -> str:
    """Return the rarer level of a binary target; of two equal ones, the positive one.

    Raises:
        DataProblem: if the target is not binary.
    """
    if schema.task != "binary":
        raise DataProblem(f"augmentation needs a binary target; {schema.target.name!r} asks for {schema.task}")
    counts = train[schema.target.name].value_counts()
    other = next(level for level in schema.target.levels if level != schema.positive)
    return other if counts[other] < counts[schema.positive] else schema.positive


def rows_to_balance(train: pd.DataFrame, schema: Schema) -> int:
    """Return how many minority rows full balance of `train` takes: n_majority - n_minority."""
    rare = int((train[schema.target.name] == minority_level(train, schema)).sum())
    return len(train) - 2 * rare


def make_task(train: pd.DataFrame, validation: pd.DataFrame, test: pd.DataFrame, schema: Schema) -> Task:
    """Return the task of a split.

    Raises:
        DataProblem: if the target is not binary, or a part lacks one of its levels.
    """
    minority = minority_level(train, schema)
    for name, part in {"train": train, "validation": validation, "test": test}.items():
        if part[schema.target.name].nunique() < 2:
            raise DataProblem(f"the {name} rows hold one level of {schema.target.name!r} only")
    need = rows_to_balance(train, schema)
    learn, choose, judge = (_labelled(part, schema, minority) for part in (train, validation, test))
    return Task(learn, choose, judge, schema, minority, need)


def augmented_arm(task: Task, added: pd.DataFrame, share: float, predictor: Predictor, rng: Rng) -> Arm:
    """Train on real rows and a share of synthetic minority rows.

    Args:
        task: the real rows.
        added: [m, P + Q] synthetic rows, all of the minority; the first round(share x need) are used, none twice.
        share: of what full balance takes, >= 0; above 1 the minority becomes the majority.
        predictor: family of the classifier.
        rng: seeds the fit.

    Raises:
        DataProblem: if there are too few synthetic rows, some are not of the minority, or the family cannot learn.
    """
    wanted = round(share * task.need)
    if len(added) < wanted:
        raise DataProblem(f"a share of {share} takes {wanted} synthetic minority rows; the sample has {len(added)}")
    extra = _labelled(added.iloc[:wanted], task.schema, task.minority)
    if not extra.rare.all():
        strays = int((extra.rare == 0).sum())
        raise DataProblem(f"{strays} of {wanted} rows of the minority sample are not {task.minority!r}")
    rows = pd.concat([task.train.rows, extra.rows], ignore_index=True)  # [n + wanted, P + Q]
    both = Labelled(rows, np.concatenate([task.train.rare, extra.rare]))
    return Arm(arm_name(share), _probability(_train(task, predictor, both, rng), task.test))


def rival_arms(task: Task, predictor: Predictor, rng: Rng) -> dict[str, Arm | DataProblem]:
    """Return the arms in `RIVALS`, which need no generator, or why one could not be trained."""

    def resampled(name: str, sampler: RandomOverSampler | RandomUnderSampler) -> Callable[[], Arm]:
        def train() -> Arm:
            index, _ = sampler.fit_resample(np.arange(len(task.train.rare))[:, None], task.train.rare)
            rows = Labelled(task.train.rows.iloc[index[:, 0]], task.train.rare[index[:, 0]])
            return Arm(name, _probability(_train(task, predictor, rows, rng), task.test))

        return train

    def weighted() -> Arm:
        weights = compute_sample_weight("balanced", task.train.rare)
        return Arm("class_weight", _probability(_train(task, predictor, task.train, rng, weights), task.test))

    over = RandomOverSampler(random_state=rng.branch("random_oversampling").integer())
    under = RandomUnderSampler(random_state=rng.branch("random_undersampling").integer())
    others = {
        "class_weight": weighted,
        "random_oversampling": resampled("random_oversampling", over),
        "random_undersampling": resampled("random_undersampling", under),
    }
    return {**_plain_arms(task, predictor, rng), **{name: _attempt(train) for name, train in others.items()}}


def arm_scores(arm: Arm, rare: np.ndarray, predictor: Predictor) -> list[Score]:
    """Return the scores of an arm; a measure that is not defined for its probabilities fails alone.

    Args:
        arm: what was predicted of the test rows.
        rare: [n] of 0 and 1, both present: the test rows' truth.
        predictor: the family that predicted.
    """
    cut = [
        PredictionMeasure("f1", "up", lambda truth, p: f_beta(truth, p >= arm.cuts[0], 1.0)),
        PredictionMeasure("f2", "up", lambda truth, p: f_beta(truth, p >= arm.cuts[1], 2.0)),
    ]
    return [
        measure.score("augmentation", name, rare, arm.probability, condition=arm.name)
        for measure, name in zip([*cut, *RANKED], metric_names(predictor))
    ]


def augmented_scores(task: Task, added: pd.DataFrame, share: float, predictor: Predictor, rng: Rng) -> list[Score]:
    """Return the scores of `augmented_arm`, whose arguments and refusals these are."""
    return arm_scores(augmented_arm(task, added, share, predictor, rng), task.test.rare, predictor)


def rival_scores(task: Task, predictor: Predictor, rng: Rng) -> list[Score]:
    """Return the scores of `rival_arms`; an arm that could not be trained gives failed ones."""
    result = []
    for name, arm in rival_arms(task, predictor, rng).items():
        if isinstance(arm, DataProblem):
            result += [failed("augmentation", m, str(arm), condition=name) for m in metric_names(predictor)]
        else:
            result += arm_scores(arm, task.test.rare, predictor)
    return result


def precision_recall(arm: Arm, rare: np.ndarray) -> pd.DataFrame:
    """Return an arm's curve on the grid `RECALLS`, interpolated: the largest precision at that recall or a larger one.

    The grid makes the curves of several splits comparable point by point. Interpolated precision is optimistic, so its
    mean is not the average precision of the scores.

    Args:
        arm: what was predicted of the test rows.
        rare: [n] of 0 and 1, both present: the test rows' truth.

    Returns:
        `arm`, `recall`, `precision`, one row for every recall of the grid.
    """
    precision, recall, _ = precision_recall_curve(rare, arm.probability)  # recall falls
    precision, recall = precision[:-1], recall[:-1]  # the last point, (0, 1), is no cut
    reached = [float(precision[recall >= least - 1e-12].max()) for least in RECALLS]
    return pd.DataFrame({"arm": arm.name, "recall": RECALLS, "precision": reached})


def best_cut(rare: np.ndarray, probability: np.ndarray, *, beta: float) -> float:
    """Return the cut on the predicted probability with the largest F_beta; of several, the one nearest to 0.5.

    Candidates lie midway between neighbouring distinct probabilities, and at the smallest one (every row is found).

    Args:
        rare: [n] of 0 and 1, at least one 1.
        probability: [n] predicted probability of 1.
        beta: weight of recall against precision.
    """
    values = np.unique(probability)  # ascending
    cuts = np.concatenate([values[:1], (values[:-1] + values[1:]) / 2.0])
    reached = np.array([f_beta(rare, probability >= cut, beta) for cut in cuts])
    best = cuts[reached == reached.max()]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _labelled(frame: pd.DataFrame, schema: Schema, minority: str) -> Labelled:
    return Labelled(frame, (target_codes(frame, schema) == schema.target.levels.index(minority)).astype(np.int64))


def _train(
    task: Task, predictor: Predictor, train: Labelled, rng: Rng, weights: np.ndarray | None = None
) -> Classifier:
    seed = rng.branch(predictor.name).integer()  # one seed for every arm: arms differ by their rows alone
    return train_classifier(predictor, train.rows, train.rare, schema=task.schema, levels=2, seed=seed, weights=weights)


def _probability(classifier: Classifier, part: Labelled) -> np.ndarray:
    return classifier.probabilities(part.rows)[:, 1]


def _plain_arms(task: Task, predictor: Predictor, rng: Rng) -> dict[str, Arm | DataProblem]:
    try:
        plain = _train(task, predictor, task.train, rng)
    except DataProblem as problem:
        return {"none": problem, "threshold": problem}
    probability, checked = _probability(plain, task.test), _probability(plain, task.validation)
    truth = task.validation.rare
    cuts = best_cut(truth, checked, beta=1.0), best_cut(truth, checked, beta=2.0)
    return {"none": Arm("none", probability), "threshold": Arm("threshold", probability, cuts)}


def _attempt(train: Callable[[], Arm]) -> Arm | DataProblem:
    try:
        return train()
    except DataProblem as problem:
        return problem
