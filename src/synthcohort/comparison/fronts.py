"""Which generators are beaten on two questions at once, such as utility and privacy?

Per table, a generator dominates another if it is at least as good on both metrics and better on one, by its means over
splits. The Pareto front holds those that nobody dominates: each is the best for some weight of the two questions or
lies in a dent between such. Means are noisy, so a second, stricter word stands beside it: *clearly dominated* by a
generator whose intervals on both metrics lie wholly on the better side. Two intervals that do not overlap ask for more
than a paired test where scores of a split rise and fall together, so the absence of a clear verdict says little.

"Better" is goodness (`intervals.goodness`): the value, its negative, or minus its distance from 1/2 or 0. The interval
of goodness is the image of the metric's interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcohort.comparison.intervals import OBSERVED, goodness

IDEALS = {"half": 0.5, "zero": 0.0}
COLUMNS = [
    *("dataset", "generator", "across", "across_direction", "across_mean", "across_low", "across_high"),
    *("upward", "upward_direction", "upward_mean", "upward_low", "upward_high"),
    *("on_front", "dominated_by", "clearly_dominated_by", "reason"),
]


def front(
    summary: pd.DataFrame, *, across: str, upward: str, apart: Sequence[str] = (), condition: str = OBSERVED
) -> pd.DataFrame:
    """Return for every dataset and generator whether it is on the front, and who dominates it.

    Args:
        summary: of `intervals.summarise`; "real" is no generator and takes no part.
        across, upward: the two metrics.
        apart: generators to show that are no candidates, such as the sentinels: they dominate nobody and are on no
            front.
        condition: the condition of the scores.

    Returns:
        `dataset`, `generator`; per metric its name, direction, and mean, low and high of its *goodness* (NaN if there
        is none); `on_front`; `dominated_by`, `clearly_dominated_by` (tuples of names); `reason` why the generator
        takes no part, else "".

    Raises:
        ValueError: if a metric has no row under the condition.
    """
    chosen = summary[(summary["condition"] == condition) & (summary["generator"] != "real")]
    sides = {side: _side(chosen, metric, side) for side, metric in (("across", across), ("upward", upward))}
    both = sides["across"].join(sides["upward"], how="outer").reset_index()
    for side, metric in (("across", across), ("upward", upward)):
        both[side] = metric
        known = both[f"{side}_direction"].dropna()
        both[f"{side}_direction"] = both[f"{side}_direction"].fillna(known.iloc[0])
    tables = [_judge(table, across, upward, apart) for _, table in both.groupby("dataset", sort=True)]
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def interval_of_goodness(low: pd.Series, high: pd.Series, direction: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the least and the greatest goodness of the values between `low` and `high`; NaN stays NaN."""
    ends = pd.concat([goodness(low, direction), goodness(high, direction)], axis=1)
    ideal = direction.map(IDEALS).astype(float)
    holds = (low <= ideal) & (ideal <= high)  # the ideal is inside: nothing is better than it
    return ends.min(axis=1), ends.max(axis=1).where(~holds, 0.0)


def _side(chosen: pd.DataFrame, metric: str, side: str) -> pd.DataFrame:
    own = chosen[chosen["metric"] == metric].set_index(["dataset", "generator"])
    if own.empty:
        raise ValueError(f"no score of {metric!r}; there are {sorted(set(chosen['metric']))}")
    low, high = interval_of_goodness(own["low"], own["high"], own["direction"])
    mean = goodness(own["mean"], own["direction"])
    found = pd.DataFrame({"direction": own["direction"], "mean": mean, "low": low, "high": high})
    return found.add_prefix(f"{side}_")


def _judge(table: pd.DataFrame, across: str, upward: str, apart: Sequence[str]) -> pd.DataFrame:
    reasons = [_reason(row, across, upward, apart) for _, row in table.iterrows()]
    takes_part = np.array([reason == "" for reason in reasons])
    names = table["generator"].to_numpy()
    mean, low, high = (
        table[[f"across_{end}", f"upward_{end}"]].to_numpy(dtype=float) for end in ("mean", "low", "high")
    )  # each [k, 2]
    dominators, clear = [], []
    for i in range(len(table)):
        beats = takes_part & (mean >= mean[i]).all(axis=1) & (mean > mean[i]).any(axis=1)
        beyond = takes_part & (low > high[i]).all(axis=1)
        dominators.append(tuple(names[beats]) if takes_part[i] else ())
        clear.append(tuple(names[beyond]) if takes_part[i] else ())
    return table.assign(
        on_front=[bool(part) and not by for part, by in zip(takes_part, dominators, strict=True)],
        dominated_by=dominators,
        clearly_dominated_by=clear,
        reason=reasons,
    )


def _reason(row: pd.Series, across: str, upward: str, apart: Sequence[str]) -> str:
    lost = [m for side, m in (("across", across), ("upward", upward)) if pd.isna(row[f"{side}_mean"])]
    if lost:
        return f"no score of {' and '.join(lost)}"
    return "no candidate" if row["generator"] in apart else ""
