"""What do the scores of several splits say together, and how sure can one be?

Splits overlap: the training tables of two repeated splits share most rows, so their scores are correlated and the usual
standard error is too small. The corrected resampled t interval [Nadeau & Bengio 2003, eq. 9] takes for k splits

    mean +- t_{k-1, (1 + confidence) / 2} * sqrt((1/k + n_test / n_train) * s^2),

s^2 the variance over splits with k - 1 in the denominator. One split has no variance, hence no interval. A failed score
is counted and never enters a mean.

Differences between two arms are taken split by split, on the same rows, and oriented so that positive favours the
first: by its direction a score is better when larger ("up"), smaller ("down"), nearer to 1/2 ("half") or to 0 ("zero").
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t

from synthcohort import scores

KEYS = ["dataset", "generator", "axis", "metric", "condition"]
OBSERVED = "as_observed"


@dataclass(frozen=True)
class Resampling:
    """How the splits were made, as far as an interval needs to know.

    Args:
        confidence: of every interval, in (0, 1).
        test_to_train: test rows over training rows of a split, > 0.
    """

    confidence: float
    test_to_train: float

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence is {self.confidence}; it must lie between 0 and 1, such as 0.95")
        if not self.test_to_train > 0:
            raise ValueError(f"test_to_train is {self.test_to_train}; it must be above 0")


@dataclass(frozen=True)
class Interval:
    """A mean over splits with its interval; NaN where there is none.

    Args:
        mean: over the splits that have a value.
        low, high: bounds; NaN with fewer than two splits.
        splits: how many splits have a value.
    """

    mean: float
    low: float
    high: float
    splits: int


@dataclass(frozen=True)
class Arm:
    """Whose scores: a generator under a condition ("real" holds what the real table itself achieves)."""

    generator: str
    condition: str = OBSERVED


def load_scores(paths: Iterable[Path]) -> pd.DataFrame:
    """Return the score files as one tidy frame, sorted by its keys.

    Args:
        paths: the files, by name; none is searched for, so that a stale file is never picked up.

    Raises:
        FileNotFoundError: naming the file that is not there.
        ValueError: if no file is given, a file lacks a column, or a score stands twice.
    """
    files = [Path(path) for path in paths]
    if not files:
        raise ValueError("no score file was given; name at least one")
    frame = pd.concat([scores.read(path) for path in files], ignore_index=True)
    keys = [*KEYS, "split"]
    repeated = frame[frame.duplicated(keys)]
    if len(repeated):
        raise ValueError(f"the same score stands twice in the files: {repeated.iloc[0][keys].to_dict()}")
    return frame.sort_values(keys, kind="stable", ignore_index=True)


def corrected_interval(values: Sequence[float] | np.ndarray, resampling: Resampling) -> Interval:
    """Return the mean over splits and its corrected resampled t interval.

    Args:
        values: [k] one value a split, finite; k may be 0 or 1.
        resampling: confidence and the ratio of test to training rows.
    """
    k = len(values)
    if k == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(np.mean(values))
    if k == 1:
        return Interval(mean, math.nan, math.nan, 1)
    scale = math.sqrt((1.0 / k + resampling.test_to_train) * float(np.var(values, ddof=1)))
    half = float(t.ppf((1.0 + resampling.confidence) / 2.0, k - 1)) * scale
    return Interval(mean, mean - half, mean + half, k)


def summarise(frame: pd.DataFrame, resampling: Resampling) -> pd.DataFrame:
    """Return one row for every dataset, generator, axis, metric and condition.

    Returns:
        `KEYS`, `direction`, `mean`, `low`, `high`, `splits` (with a value), `failed` (without), `note` (why).
    """
    rows = []
    for key, group in frame.groupby(KEYS, sort=True):
        known = group[group["value"].notna()]
        lost = group[group["value"].isna()]
        interval = corrected_interval(known["value"].to_numpy(), resampling)
        rows.append(
            {
                **dict(zip(KEYS, key)),
                "direction": (known if len(known) else lost)["direction"].iloc[0],
                "mean": interval.mean,
                "low": interval.low,
                "high": interval.high,
                "splits": interval.splits,
                "failed": len(lost),
                "note": lost["note"].iloc[0] if len(lost) else "",
            }
        )
    return pd.DataFrame(rows, columns=[*KEYS, "direction", "mean", "low", "high", "splits", "failed", "note"])


def goodness(values: pd.Series, directions: pd.Series) -> pd.Series:
    """Return the values turned so that larger is better: x, -x, -|x - 1/2| or -|x| by direction."""
    turned = {"up": values, "down": -values, "half": -(values - 0.5).abs(), "zero": -values.abs()}
    unknown = sorted(set(directions) - set(turned))
    if unknown:
        raise ValueError(f"unknown direction {unknown}; allowed are {sorted(turned)}")
    result = pd.Series(np.nan, index=values.index)
    for direction, series in turned.items():
        result = result.where(directions != direction, series)
    return result


def pairs(frame: pd.DataFrame, metric: str, *, better: Arm, worse: Arm) -> pd.DataFrame:
    """Return the two arms side by side, one row for every dataset and split that either of them has.

    Returns:
        `dataset`, `split`, `better`, `worse` (their values, NaN if failed or absent), `difference` (oriented so that
        positive favours `better`), `note` (why there is no difference, else "").
    """
    first, second = _arm(frame, metric, better), _arm(frame, metric, worse)
    first, second = first.add_suffix("_better"), second.add_suffix("_worse")
    both = first.merge(second, how="outer", left_index=True, right_index=True).sort_index()
    notes = [_lost(row, better, worse) for row in both.itertuples()]
    out = pd.DataFrame(
        {
            "better": both["value_better"],
            "worse": both["value_worse"],
            "difference": both["goodness_better"] - both["goodness_worse"],
            "note": pd.Series(notes, index=both.index, dtype="str"),
        }
    )
    return out.reset_index()


def mean_ranks(frame: pd.DataFrame, metrics: Sequence[str], *, condition: str = OBSERVED) -> pd.DataFrame:
    """Rank the generators of each dataset on each metric (1 is best, ties share) and average the ranks.

    A generator is ranked by its mean over splits. One whose metric failed on every split has no rank there, which
    `ranked` shows; "real" is no generator and takes no part.

    Args:
        frame: tidy scores.
        metrics: the metrics to rank by, such as those of the fidelity axis.
        condition: the condition of the scores.

    Returns:
        `dataset`, `generator`, `mean_rank`, `ranked` (number of metrics that have a rank), best first within a dataset.
    """
    chosen = frame[frame["metric"].isin(metrics) & (frame["condition"] == condition) & (frame["generator"] != "real")]
    absent = sorted(set(metrics) - set(chosen["metric"]))
    if absent:
        raise ValueError(f"no score of {absent} under {condition!r}; there are {sorted(set(frame['metric']))}")
    known = chosen[chosen["value"].notna()]
    keys = ["dataset", "metric", "generator"]
    means = known.groupby([*keys, "direction"], sort=True)["value"].mean().reset_index()
    means["goodness"] = goodness(means["value"], means["direction"])
    means["rank"] = means.groupby(["dataset", "metric"])["goodness"].rank(ascending=False, method="average")
    table = means.groupby(["dataset", "generator"])["rank"].agg(mean_rank="mean", ranked="size").reset_index()
    return table.sort_values(["dataset", "mean_rank", "generator"], kind="stable", ignore_index=True)


def _arm(frame: pd.DataFrame, metric: str, arm: Arm) -> pd.DataFrame:
    chosen = frame[
        (frame["metric"] == metric) & (frame["generator"] == arm.generator) & (frame["condition"] == arm.condition)
    ].set_index(["dataset", "split"])
    chosen = chosen.assign(goodness=goodness(chosen["value"], chosen["direction"]))
    return chosen[["value", "goodness", "note"]]


def _lost(row: object, better: Arm, worse: Arm) -> str:
    reasons = []
    for side, arm in (("better", better), ("worse", worse)):
        value, note = getattr(row, f"value_{side}"), getattr(row, f"note_{side}")
        if pd.isna(value):
            reasons.append(
                f"{arm.generator} ({arm.condition}): {note if isinstance(note, str) and note else 'no score'}"
            )
    return "; ".join(reasons)
