"""Which generator may one trust with this table, and for what?

Four questions, each answered by one metric over the splits:

- utility: train on synthetic, test on real (`tstr_auroc_xgboost`; R2 for a numeric target);
- fidelity: how well XGBoost tells synthetic from real (`c2st_xgboost`, 0.5: not at all);
- privacy: `memorisation` (0 fresh rows, 1 copies);
- augmentation: F1 of the minority with synthetic rows added, beside the best rival that needs no generator.

The best generator has the best mean; a generator whose paired difference to it has an interval that reaches 0 is not
distinguishable from it, and is named with it. The sentinels answer no question: one copies, the other forgets. "Safe
enough" is a convention of this study: the whole interval of `memorisation` lies below `MEMORISATION_LIMIT`; a method
whose interval holds the limit is neither safe nor unsafe, and more splits would tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison.intervals import (
    OBSERVED,
    Arm,
    Interval,
    Resampling,
    corrected_interval,
    goodness,
    pairs,
)
from synthcohort.figures.style import REAL, SENTINELS

MEMORISATION_LIMIT = 0.4
FIDELITY = "c2st_xgboost"
PRIVACY = "memorisation"
UTILITIES = ("tstr_auroc_xgboost", "tstr_r2_xgboost", "tstr_auroc_random_forest", "tstr_r2_random_forest")
AUGMENTATIONS = ("augment_f1_xgboost", "augment_f1_random_forest")
RIVALS = ("none", "class_weight", "random_oversampling", "random_undersampling", "threshold")
ATTACKS = "mia_auroc_"  # prefix of the membership attacks, 0.5: chance


@dataclass(frozen=True)
class Choice:
    """The best arm on one metric.

    Args:
        metric: the metric.
        best: whose mean over splits is best, and under which condition.
        interval: its mean and interval.
        ties: generators whose paired difference to the best has an interval that reaches 0.
    """

    metric: str
    best: Arm
    interval: Interval
    ties: tuple[str, ...]


@dataclass(frozen=True)
class Attack:
    """The membership attack that does best against one generator, which is too good by chance: the largest of several.

    Args:
        metric: the attack's metric.
        interval: mean AUROC and its interval; that of the run where there is a single one.
    """

    metric: str
    interval: Interval


@dataclass(frozen=True)
class Answer:
    """What one table's scores say.

    Args:
        dataset: the table.
        utility, fidelity, privacy: the best method on each; None if no method has a score.
        trusted: the best utility among methods that are safe enough; None if no method is.
        attack: the worst membership attack on `trusted`; None without one.
        undecided: methods whose interval of `memorisation` holds the limit.
        real: what models trained on the real table achieve on the utility metric.
        loss: paired difference, best utility minus real.
        augmentation: the best generator and share for the minority; None if the table has no such task.
        rival: the best arm without a generator.
        gain: paired difference, augmentation minus rival.
    """

    dataset: str
    utility: Choice | None
    fidelity: Choice | None
    privacy: Choice | None
    trusted: Choice | None
    attack: Attack | None
    undecided: tuple[str, ...]
    real: Interval
    loss: Interval
    augmentation: Choice | None
    rival: Choice | None
    gain: Interval


def answer(frame: pd.DataFrame, dataset: str, resampling: Resampling) -> Answer:
    """Return what the tidy scores of one table (all generators and "real") say."""
    own = frame[frame["dataset"] == dataset]
    methods = [g for g in own["generator"].unique() if g not in (REAL, *SENTINELS)]
    arms = [Arm(name) for name in methods]
    metric = utility_metric(own)
    utility = choose(own, metric, arms, resampling)
    copying = {arm: interval_of(own, PRIVACY, arm, resampling) for arm in arms}
    safe = [arm for arm, found in copying.items() if found.high < MEMORISATION_LIMIT]
    unsafe = [arm for arm, found in copying.items() if found.low >= MEMORISATION_LIMIT]
    augment = next((m for m in AUGMENTATIONS if known(own, m)), AUGMENTATIONS[0])
    added = own[(own["metric"] == augment) & own["generator"].isin(methods)]
    pairs_of = added[["generator", "condition"]].drop_duplicates().itertuples(index=False)
    augmentation = choose(own, augment, [Arm(g, c) for g, c in pairs_of], resampling)
    rival = choose(own, augment, [Arm(REAL, condition) for condition in RIVALS], resampling)
    trusted = choose(own, metric, safe, resampling)
    real = Arm(REAL)
    trtr = metric.replace("tstr_", "trtr_")
    return Answer(
        dataset=dataset,
        utility=utility,
        fidelity=choose(own, FIDELITY, arms, resampling),
        privacy=choose(own, PRIVACY, arms, resampling),
        trusted=trusted,
        attack=worst_attack(own, trusted.best, resampling) if trusted else None,
        undecided=tuple(arm.generator for arm in arms if arm not in safe and arm not in unsafe),
        real=interval_of(own, trtr, real, resampling),
        loss=_loss(own, utility, trtr, resampling),
        augmentation=augmentation,
        rival=rival,
        gain=difference(own, augment, augmentation, rival, resampling) if augmentation and rival else _NOTHING,
    )


def utility_metric(frame: pd.DataFrame) -> str:
    """Return the metric that stands for utility: the first of `UTILITIES` that has a value."""
    return next((m for m in UTILITIES if known(frame, m)), UTILITIES[0])


def known(frame: pd.DataFrame, metric: str) -> bool:
    """Return whether any split has a value of `metric`."""
    return bool(frame.loc[frame["metric"] == metric, "value"].notna().any())


def choose(frame: pd.DataFrame, metric: str, arms: Sequence[Arm], resampling: Resampling) -> Choice | None:
    """Return the best of `arms` on `metric` and those it cannot be told from; None if none has a score.

    Only arms with a value on every split that any arm has are compared: a generator that failed where the table is
    hard must not win by that.
    """
    values = {arm: _values(frame, metric, arm) for arm in arms}
    splits = {split for series in values.values() for split in series.index}
    whole = {arm: series for arm, series in values.items() if splits and set(series.index) == splits}
    if not whole:
        return None
    best = max(whole, key=lambda arm: float(whole[arm].mean()))
    ties = []
    for arm in whole:
        gap = corrected_interval((whole[best] - whole[arm]).to_numpy(), resampling)
        if arm.generator != best.generator and not gap.low > 0 and arm.generator not in ties:
            ties.append(arm.generator)
    return Choice(metric, best, interval_of(frame, metric, best, resampling), tuple(ties))


def worst_attack(frame: pd.DataFrame, arm: Arm, resampling: Resampling) -> Attack | None:
    """Return the membership attack with the largest mean AUROC against one arm; None if none was run."""
    own = frame[(frame["generator"] == arm.generator) & frame["metric"].str.startswith(ATTACKS)]
    own = own[(own["condition"] == arm.condition) & own["value"].notna()]
    if own.empty:
        return None
    metric = str(own.groupby("metric")["value"].mean().idxmax())
    rows = own[own["metric"] == metric]
    if len(rows) == 1:
        one = rows.iloc[0]
        return Attack(metric, Interval(one["value"], one["low"], one["high"], 1))
    return Attack(metric, corrected_interval(rows["value"].to_numpy(), resampling))


def interval_of(frame: pd.DataFrame, metric: str, arm: Arm, resampling: Resampling) -> Interval:
    """Return the mean of one arm over the splits with its interval."""
    rows = frame[
        (frame["metric"] == metric) & (frame["generator"] == arm.generator) & (frame["condition"] == arm.condition)
    ]
    return corrected_interval(rows["value"].dropna().to_numpy(), resampling)


def difference(frame: pd.DataFrame, metric: str, one: Choice, other: Choice, resampling: Resampling) -> Interval:
    """Return the paired difference of two chosen arms, oriented so that positive favours `one`."""
    paired = pairs(frame, metric, better=one.best, worse=other.best)
    return corrected_interval(paired["difference"].dropna().to_numpy(), resampling)


_NOTHING = Interval(math.nan, math.nan, math.nan, 0)


def _values(frame: pd.DataFrame, metric: str, arm: Arm) -> pd.Series:
    """Return split -> goodness of one arm, splits without a value left out."""
    rows = frame[
        (frame["metric"] == metric) & (frame["generator"] == arm.generator) & (frame["condition"] == arm.condition)
    ]
    rows = rows[rows["value"].notna()].set_index("split")
    return goodness(rows["value"], rows["direction"])


def _loss(frame: pd.DataFrame, utility: Choice | None, trtr: str, resampling: Resampling) -> Interval:
    if utility is None:
        return _NOTHING
    synthetic = _values(frame, utility.metric, utility.best)
    real = _values(frame, trtr, Arm(REAL, OBSERVED))
    return corrected_interval((synthetic - real).dropna().to_numpy(), resampling)
