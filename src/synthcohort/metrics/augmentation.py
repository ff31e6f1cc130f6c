"""Does adding synthetic minority rows help to find the rare class, more than the honest rivals do?

The minority is the rarer level of a binary target among the real training rows; of two equal levels, the positive one.
Full balance takes need = n_majority - n_minority further minority rows; a share s adds round(s need) synthetic ones to
the real training rows. Rivals that need no generator:

- `none`: the training rows as they are;
- `class_weight`: each row weighs n / (2 n_level), so that both levels weigh the same [scikit-learn, "balanced"];
- `random_oversampling`: minority rows drawn with replacement up to full balance [imbalanced-learn];
- `threshold`: the model of `none`, with the cut of F1 and of F2 moved to where each is largest on validation rows.
  Balancing shifts the predicted risks and little else, so this is the rival to beat [van den Goorbergh 2022].

Measures, with the minority as the class to find: F1 and F2 at a probability of 0.5 (but for `threshold`), AUROC and
average precision (AUPRC), all on real test rows. F_b = (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from imblearn.over_sampling import RandomOverSampler
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.utils.class_weight import compute_sample_weight

from synthcohort.metrics.classifiers import Predictor, fit_classifier
from synthcohort.metrics.matrix import DataProblem, target_codes, tree_features
from synthcohort.rng import Rng
from synthcohort.schema import Schema
from synthcohort.scores import Score

RIVALS = ("none", "class_weight", "random_oversampling", "threshold")


@dataclass(frozen=True)
class Labelled:
    """Features beside the question "is this row of the minority?".

    Args:
        features: [n, F].
        rare: [n] of 0 and 1.
    """

    features: np.ndarray
    rare: np.ndarray


@dataclass(frozen=True)
class Task:
    """Real rows of one split, ready to augment.

    Args:
        train: rows to learn from.
        validation: rows that may choose a cut.
        test: rows that judge.
        minority: the rare level of the target.
        need: minority rows that full balance takes.
    """

    train: Labelled
    validation: Labelled
    test: Labelled
    minority: str
    need: int


def arm_name(share: float) -> str:
    """Return the name of the arm that adds this share of what full balance takes, such as `minority_0.5`."""
    return f"minority_{float(share)}"


def metric_names(predictor: Predictor) -> tuple[str, ...]:
    """Return the names of the scores of one predictor, such as `augment_f1_xgboost`."""
    return tuple(f"augment_{measure}_{predictor.name}" for measure in ("f1", "f2", "auroc", "auprc"))


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
    return Task(learn, choose, judge, minority, need)


def augmented_scores(
    task: Task, added: pd.DataFrame, share: float, predictor: Predictor, *, schema: Schema, rng: Rng
) -> list[Score]:
    """Train on real rows and a share of synthetic minority rows; score on test.

    Args:
        task: the real rows.
        added: [m, P + Q] synthetic rows, all of the minority; the first round(share x need) are used.
        share: of what full balance takes, >= 0.
        predictor: family of the classifier.
        schema: the schema of all rows.
        rng: seeds the fit.

    Raises:
        DataProblem: if there are too few synthetic rows, or some are not of the minority.
    """
    wanted = round(share * task.need)
    if len(added) < wanted:
        raise DataProblem(f"a share of {share} takes {wanted} synthetic minority rows; the sample has {len(added)}")
    extra = _labelled(added.iloc[:wanted], schema, task.minority)
    if not extra.rare.all():
        strays = int((extra.rare == 0).sum())
        raise DataProblem(f"{strays} of {wanted} rows of the minority sample are not {task.minority!r}")
    features = np.concatenate([task.train.features, extra.features])  # [n + wanted, F]
    rare = np.concatenate([task.train.rare, extra.rare])  # [n + wanted]
    probability = _fit_predict(predictor, Labelled(features, rare), task.test, rng)
    return _scores(predictor, arm_name(share), task.test.rare, probability, (0.5, 0.5))


def rival_scores(task: Task, predictor: Predictor, rng: Rng) -> list[Score]:
    """Return the scores of the arms in `RIVALS`, which need no generator."""
    train, truth = task.train, task.test.rare
    seed = rng.branch(predictor.name).integer()
    plain = fit_classifier(predictor, train.features, train.rare, levels=2, seed=seed)
    probability = plain.probabilities(task.test.features)[:, 1]
    checked = plain.probabilities(task.validation.features)[:, 1]
    cuts = best_cut(task.validation.rare, checked, beta=1.0), best_cut(task.validation.rare, checked, beta=2.0)
    weights = compute_sample_weight("balanced", train.rare)
    weighted = fit_classifier(predictor, train.features, train.rare, levels=2, seed=seed, weights=weights)
    sampler = RandomOverSampler(random_state=rng.branch("random_oversampling").integer())
    repeated = Labelled(*sampler.fit_resample(train.features, train.rare))
    return [
        *_scores(predictor, "none", truth, probability, (0.5, 0.5)),
        *_scores(predictor, "threshold", truth, probability, cuts),
        *_scores(predictor, "class_weight", truth, weighted.probabilities(task.test.features)[:, 1], (0.5, 0.5)),
        *_scores(
            predictor, "random_oversampling", truth, _fit_predict(predictor, repeated, task.test, rng), (0.5, 0.5)
        ),
    ]


def f_beta(rare: np.ndarray, found: np.ndarray, beta: float) -> float:
    """Return F_beta of the rare class; 0 if no rare row is found.

    Args:
        rare: [n] of 0 and 1, at least one 1.
        found: [n] whether the row is predicted to be rare.
        beta: weight of recall against precision.
    """
    hits = float(np.sum(found & (rare == 1)))
    missed, false = float(np.sum(rare)) - hits, float(np.sum(found)) - hits
    return (1 + beta**2) * hits / ((1 + beta**2) * hits + beta**2 * missed + false)


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
    rare = (target_codes(frame, schema) == schema.target.levels.index(minority)).astype(np.int64)
    return Labelled(tree_features(frame, schema), rare)


def _fit_predict(predictor: Predictor, train: Labelled, test: Labelled, rng: Rng) -> np.ndarray:
    seed = rng.branch(predictor.name).integer()  # one seed for every arm: arms differ by their rows alone
    fitted = fit_classifier(predictor, train.features, train.rare, levels=2, seed=seed)
    return fitted.probabilities(test.features)[:, 1]


def _scores(
    predictor: Predictor, arm: str, rare: np.ndarray, probability: np.ndarray, cuts: tuple[float, float]
) -> list[Score]:
    values = (
        f_beta(rare, probability >= cuts[0], 1.0),
        f_beta(rare, probability >= cuts[1], 2.0),
        float(roc_auc_score(rare, probability)),
        float(average_precision_score(rare, probability)),
    )
    names = metric_names(predictor)
    return [Score("augmentation", m, v, len(rare), "up", condition=arm) for m, v in zip(names, values)]
