"""Does a model treat the groups of real patients alike?

A model of risk p(x) and its decisions D in [0, 1], the probability of deciding "positive" (0 or 1 unless a rule draws
lots), on real test rows with truth Y. By group g of a sensitive attribute [fairlearn 0.15, MetricFrame]:

    selection rate s_g = E[D],   true positive rate t_g = E[D | Y = 1],   false positive rate f_g = E[D | Y = 0];

- demographic parity: ratio min s / max s, difference max s - min s;
- equal opportunity [Hardt 2016]: the same of t;
- equalized odds: the smaller of the ratios, the larger of the differences, of t and of f;
- of every group besides: its AUROC, and its calibration in the large, mean risk less share of positives.

AUROC of the whole is what a reader of the decisions has left: rows are ranked by the decision, then by p. Where the
decision is p >= 1/2 this is the AUROC of p; cut points that differ by group change the order between groups. Of a rule
that draws lots it is the expectation: for a positive row i, a negative row j, independent lots, and h = 1 where
p_i > p_j, 1/2 where they are equal,

    E = mean over pairs of  D_i (1 - D_j) + (D_i D_j + (1 - D_i)(1 - D_j)) h.

Intervals are central 95 % of a bootstrap of the test rows of one split; where groups are nearly alike they lie to one
side, since no draw is more alike than alike. Groups without a test row take no part.

Departs: fairlearn calls the rate of a group without positives 0, and the ratio of two rates of 0 missing. Both are
0/0: here the score fails, and its note names the group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, mean_prediction
from sklearn.metrics import roc_auc_score

from synthcohort.metrics.matrix import DataProblem
from synthcohort.rng import Rng
from synthcohort.scores import Direction, Score, failed
from synthcohort.sensitive import Attribute, slug

CUT = 0.5
ROUNDS = 200
SELECTED, TRUE, FALSE = "selection_rate", "true_positive_rate", "false_positive_rate"
Rates = dict[str, np.ndarray]  # rate -> [..., G], NaN where a group has no row to take it over


@dataclass(frozen=True)
class Decided:
    """What a model says of the test rows.

    Args:
        truth: [n] of 0 and 1, both present.
        risk: [n] predicted probability of 1.
        decision: [n] probability of deciding 1.
    """

    truth: np.ndarray
    risk: np.ndarray
    decision: np.ndarray


def at_cut(truth: np.ndarray, risk: np.ndarray) -> Decided:
    """Return the decisions of a risk of `CUT` or more; arguments as in `Decided`."""
    return Decided(truth, risk, (risk >= CUT).astype(np.float64))


def auroc(decided: Decided) -> float:
    """Return the expected AUROC of the ranking by decision, then by risk.

    Raises:
        DataProblem: if one class only is present.
    """
    if len(np.unique(decided.truth)) < 2:
        raise DataProblem(f"the {len(decided.truth)} test rows are of one class, so AUROC is undefined")
    chosen, found = decided.decision, decided.truth == 1
    hit, false = float(chosen[found].mean()), float(chosen[~found].mean())
    both, neither = hit * false, (1 - hit) * (1 - false)
    tied = sum(
        share * float(roc_auc_score(decided.truth, decided.risk, sample_weight=weight))
        for share, weight in ((both, chosen), (neither, 1 - chosen))
        if share
    )
    return hit * (1 - false) + tied


@dataclass(frozen=True)
class Parity:
    """A number that compares the groups.

    Args:
        name: its metric's, less the attribute's.
        direction: which values are better.
        rates: the rates it compares.
        compute: rates -> the number, [...]; NaN where it is 0/0.
        ratio: whether it divides, so that rates of 0 throughout leave it undefined.
    """

    name: str
    direction: Direction
    rates: tuple[str, ...]
    compute: Callable[[Rates], np.ndarray]
    ratio: bool


def _ratio(rate: np.ndarray) -> np.ndarray:
    most = rate.max(axis=-1)
    return np.divide(rate.min(axis=-1), most, out=np.full_like(most, np.nan), where=most > 0)


def _spread(rate: np.ndarray) -> np.ndarray:
    return np.asarray(rate.max(axis=-1) - rate.min(axis=-1))


PARITIES = (
    Parity("demographic_parity_ratio", "up", (SELECTED,), lambda r: _ratio(r[SELECTED]), True),
    Parity("demographic_parity_difference", "down", (SELECTED,), lambda r: _spread(r[SELECTED]), False),
    Parity("equal_opportunity_ratio", "up", (TRUE,), lambda r: _ratio(r[TRUE]), True),
    Parity("equal_opportunity_difference", "down", (TRUE,), lambda r: _spread(r[TRUE]), False),
    Parity("equalized_odds_ratio", "up", (TRUE, FALSE), lambda r: np.minimum(_ratio(r[TRUE]), _ratio(r[FALSE])), True),
    Parity(
        "equalized_odds_difference",
        "down",
        (TRUE, FALSE),
        lambda r: np.maximum(_spread(r[TRUE]), _spread(r[FALSE])),
        False,
    ),
)
_BY_GROUP: tuple[tuple[str, Direction], ...] = (
    (SELECTED, "up"), (TRUE, "up"), (FALSE, "down"), ("auroc", "up"), ("calibration", "zero"),
)  # fmt: skip


def parity_names(attribute: Attribute) -> list[str]:
    """Return the names of the scores that compare the groups, such as `demographic_parity_ratio_sex`."""
    return [f"{parity.name}_{slug(attribute.column)}" for parity in PARITIES]


def group_names(attribute: Attribute) -> list[str]:
    """Return the names of the scores of single groups, such as `auroc_sex_female`."""
    return [f"{name}_{slug(attribute.column)}_{slug(group)}" for group in attribute.groups for name, _ in _BY_GROUP]


def by_group(decided: Decided, groups: np.ndarray) -> pd.DataFrame:
    """Return what is known of every group with a test row.

    Args:
        decided: what a model says of n rows.
        groups: [n] number of each row's group.

    Returns:
        Indexed by group: `rows`, `positives`, the three rates, `auroc`, `calibration`; NaN for a 0/0.
    """
    decisions = MetricFrame(
        metrics={
            "rows": lambda truth, decision: float(len(truth)),
            "positives": lambda truth, decision: float(np.sum(truth)),
            SELECTED: mean_prediction,
            TRUE: lambda truth, decision: _mean_where(decision, truth == 1),
            FALSE: lambda truth, decision: _mean_where(decision, truth == 0),
        },
        y_true=decided.truth,
        y_pred=decided.decision,
        sensitive_features=groups,
    )
    risks = MetricFrame(
        metrics={"auroc": _auroc_or_nan, "calibration": lambda truth, risk: float(np.mean(risk) - np.mean(truth))},
        y_true=decided.truth,
        y_pred=decided.risk,
        sensitive_features=groups,
    )
    return pd.concat([decisions.by_group, risks.by_group], axis=1).astype(np.float64)


def fairness_scores(
    decided: Decided, frame: pd.DataFrame, attribute: Attribute, *, condition: str, rng: Rng
) -> list[Score]:
    """Return the scores of one attribute: `parity_names`, then those of its groups, n their test rows.

    Args:
        decided: what a model says of the test rows.
        frame: [n, P + Q] the test rows.
        attribute: whose groups are compared.
        condition: of the scores.
        rng: the bootstrap.
    """
    codes = attribute.codes(frame)
    found = by_group(decided, codes)
    names = [attribute.groups[code] for code in found.index]
    rounds = _bootstrap(decided, codes, np.asarray(found.index), rng)
    compared = [
        _parity_score(parity, metric, found, rounds, names, condition)
        for parity, metric in zip(PARITIES, parity_names(attribute), strict=True)
    ]
    return [*compared, *_group_scores(found, attribute, condition)]


def _parity_score(
    parity: Parity, metric: str, found: pd.DataFrame, rounds: Rates, names: Sequence[str], condition: str
) -> Score:
    rates: Rates = {name: found[name].to_numpy() for name in parity.rates}
    problem = _undefined(parity, rates, names)
    if problem:
        return failed("fairness", metric, problem, condition=condition)
    value, drawn = float(parity.compute(rates)), parity.compute(rounds)
    known = drawn[np.isfinite(drawn)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) > ROUNDS / 2 else (np.nan, np.nan)
    rows = int(found["rows"].sum())
    return Score("fairness", metric, value, rows, parity.direction, float(low), float(high), condition)


def _undefined(parity: Parity, rates: Rates, names: Sequence[str]) -> str:
    """Return why a comparison is 0/0, "" if it is not."""
    lacks = {TRUE: "no positive", FALSE: "no negative"}
    for rate, values in rates.items():
        empty = [name for name, value in zip(names, values, strict=True) if np.isnan(value)]
        if empty:
            return f"0/0: group {empty[0]!r} has {lacks[rate]} test row, so it has no {rate.replace('_', ' ')}"
        if parity.ratio and not values.any():
            return f"0/0: the {rate.replace('_', ' ')} of every group ({', '.join(names)}) is 0, so they have no ratio"
    return ""


def _group_scores(found: pd.DataFrame, attribute: Attribute, condition: str) -> list[Score]:
    result = []
    for code, group in enumerate(attribute.groups):
        for name, direction in _BY_GROUP:
            metric = f"{name}_{slug(attribute.column)}_{slug(group)}"
            if code not in found.index:
                why = f"0/0: group {group!r} has no test row"
            elif np.isnan(found.loc[code, name]):
                why = f"0/0: group {group!r} lacks positive or negative test rows"
            else:
                row = found.loc[code]
                result.append(
                    Score("fairness", metric, float(row[name]), int(row["rows"]), direction, condition=condition)
                )
                continue
            result.append(failed("fairness", metric, why, condition=condition))
    return result


def _bootstrap(decided: Decided, codes: np.ndarray, groups: np.ndarray, rng: Rng) -> Rates:
    """Return the rates of every group in bootstrap rounds, [ROUNDS, G].

    Rows that agree in group, truth and decision are interchangeable, so their numbers are drawn, not the rows.
    """
    kinds, sizes = np.unique(np.stack([codes, decided.truth, decided.decision], axis=1), axis=0, return_counts=True)
    held = rng.numpy().multinomial(len(codes), sizes / sizes.sum(), size=ROUNDS)  # [B, U]
    member = (kinds[:, :1] == groups).astype(np.float64)  # [U, G]
    rates = {}
    for name, asked in ((SELECTED, np.ones(len(kinds))), (TRUE, kinds[:, 1] == 1), (FALSE, kinds[:, 1] == 0)):
        rows = held @ (member * np.asarray(asked, dtype=np.float64)[:, None])  # [B, G]
        hits = held @ (member * (asked * kinds[:, 2])[:, None])
        rates[name] = np.divide(hits, rows, out=np.full_like(hits, np.nan), where=rows > 0)
    return rates


def _mean_where(values: np.ndarray, asked: np.ndarray) -> float:
    return float(np.mean(values[asked])) if np.any(asked) else float("nan")


def _auroc_or_nan(truth: np.ndarray, risk: np.ndarray) -> float:
    return float(roc_auc_score(truth, risk)) if len(np.unique(truth)) > 1 else float("nan")
