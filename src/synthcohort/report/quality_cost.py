"""What does quality cost: who is the cheapest on the front, and what does one more rank cost?

On every split of a table the methods are ranked by each headline metric (1 is best) and the ranks averaged over the
metrics; interval and mean are over splits. A metric counts on a split if every method with a score on the table has it
there, so none gains by failing. The sentinels change nobody's rank: each stands where it would come if it alone were
added, and is on no front. Cost is what the same split took.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison import fronts
from synthcohort.comparison.intervals import OBSERVED, Resampling, mean_ranks, summarise
from synthcohort.figures import style
from synthcohort.report import gathering
from synthcohort.report.headlines import HEADLINES
from synthcohort.report.tables import Cell, number, table
from synthcohort.study import Study

AXES = ("fidelity", "utility")
NOTHING = "No method has both a rank and a cost, so there is nothing to weigh."


@dataclass(frozen=True)
class Cost:
    """A cost as readers see it.

    Args:
        metric: what is summed over the cost files' metrics `parts`.
        label: of an axis, with the unit.
        unit, symbol: of the numbers shown.
        noun: of a sentence, with the unit.
    """

    metric: str
    parts: tuple[str, ...]
    label: str
    unit: float
    symbol: str
    noun: str


SECONDS = Cost(
    "cpu_seconds",
    ("train_cpu_seconds", "sample_cpu_seconds"),
    "CPU seconds to train and to draw every condition",
    1.0,
    "s",
    "CPU seconds",
)
MEMORY = Cost("peak_memory_bytes", ("peak_memory_bytes",), "peak memory of the process, MB", 1e6, "MB", "MB of memory")


@dataclass(frozen=True)
class Stop:
    """A generator on a front.

    Args:
        generator: its name.
        cost: mean over splits, in units of `Cost.unit`.
        rank, low, high: mean rank and its interval, NaN without one.
    """

    generator: str
    cost: float
    rank: float
    low: float
    high: float


@dataclass(frozen=True)
class Price:
    """What a front of one table asks.

    Args:
        dataset: whose front.
        stops: the generators on it, cheapest first.
    """

    dataset: str
    stops: tuple[Stop, ...]

    @property
    def next(self) -> Stop | None:
        """The cheapest that ranks ahead of the cheapest of all; None if none does."""
        return next((stop for stop in self.stops if stop.rank < self.stops[0].rank), None)

    @property
    def one_rank(self) -> float:
        """Cost of one rank on the way from the cheapest to the next; NaN if there is no next."""
        first, then = self.stops[0], self.next
        return (then.cost - first.cost) / (first.rank - then.rank) if then else math.nan

    @property
    def apart(self) -> bool:
        """Whether the intervals of the two ranks lie apart."""
        return self.next is not None and self.next.high < self.stops[0].low


@dataclass(frozen=True)
class Balance:
    """Ranks and costs of the study.

    Args:
        tables: in the study's order.
        quality: tidy, metrics `<axis>_rank`, a value a split.
        spent: tidy, the metrics of `SECONDS` and `MEMORY`, a value a split.
        counted: axis -> metrics and splits that count, as frame dataset, metric, split.
        asked: axis -> how many there would be if nobody had failed.
        resampling: how the splits were made.
    """

    tables: tuple[str, ...]
    quality: pd.DataFrame
    spent: pd.DataFrame
    counted: Mapping[str, pd.DataFrame]
    asked: Mapping[str, int]
    resampling: Resampling

    def fronts(self, cost: Cost) -> dict[str, pd.DataFrame]:
        """Return axis -> rows of `comparison.fronts.front`, tables in the study's order; {} if nobody has both."""
        both = summarise(pd.concat([self.quality, self.spent], ignore_index=True), self.resampling)
        methods = both[~both["generator"].isin(style.SENTINELS) & both["mean"].notna()]
        metrics = [f"{axis}_rank" for axis in AXES if f"{axis}_rank" in set(methods["metric"])]
        if not metrics or cost.metric not in set(methods["metric"]):
            return {}
        found = {}
        for metric in metrics:
            rows = fronts.front(both, across=cost.metric, upward=metric, apart=style.SENTINELS)
            rows = rows.sort_values("dataset", key=lambda names: names.map(self.tables.index), kind="stable")
            found[metric.removesuffix("_rank")] = rows.reset_index(drop=True)
        return found

    def prices(self, cost: Cost) -> dict[str, list[Price]]:
        """Return axis -> what each table's front asks."""
        return {axis: _prices(rows, cost.unit) for axis, rows in self.fronts(cost).items()}


def find(study: Study) -> Balance:
    """Read the scores and costs of the study."""
    return balance(gathering.all_scores(study), gathering.all_costs(study), gathering.resampling(study))


def balance(scores: pd.DataFrame, costs: pd.DataFrame, resampling: Resampling) -> Balance:
    """Weigh tidy scores against tidy costs; a method is a generator that is neither "real" nor a sentinel."""
    generators = [name for name in dict.fromkeys(scores["generator"]) if name != style.REAL]
    methods = [name for name in generators if name not in style.SENTINELS]
    quality, counted, asked = [], {}, {}
    for axis in AXES:
        own = scores[
            scores["metric"].isin(HEADLINES[axis]) & (scores["condition"] == OBSERVED) & scores["value"].notna()
        ]
        own = own[own["generator"].isin(generators)]
        counted[axis] = _counted(own, methods)
        asked[axis] = len(own[own["generator"].isin(methods)].drop_duplicates(["dataset", "metric", "split"]))
        quality.append(_ranks(own.merge(counted[axis]), methods).assign(axis=axis, metric=f"{axis}_rank"))
    spent = [_spent(costs, cost) for cost in (SECONDS, MEMORY)]
    tables = tuple(dict.fromkeys([*costs["dataset"], *scores["dataset"]]))
    return Balance(
        tables, pd.concat(quality, ignore_index=True), pd.concat(spent, ignore_index=True), counted, asked, resampling
    )


def answer(found: Balance, cost: Cost) -> str:
    """Return who is the cheapest on the front and what one more rank costs, over the tables."""
    said = [_sentence(axis, prices, cost) for axis, prices in found.prices(cost).items()]
    return " ".join(said) or NOTHING


def prices(found: Balance, cost: Cost) -> str:
    """Return the table of the answer: per table and axis the cheapest, the price of the next rank, the best."""
    by_axis = found.prices(cost)
    rows = [
        [name, *(cell for own in by_axis.values() for cell in _cells(own, name, cost))]
        for name in found.tables
        if any(price.dataset == name for own in by_axis.values() for price in own)
    ]
    head = [title for axis in by_axis for title in (f"{axis}: cheapest", "one more rank", "best rank")]
    return table(["table", *head], rows, text=range(len(head) + 1))


def prices_note(cost: Cost) -> str:
    """Return the caption of the table of prices."""
    return (
        f"Generators on the Pareto front of mean rank and {cost.noun}, means over splits. One more rank: what it "
        "costs, per rank gained, to go from the cheapest to the next on the front; not told apart where the intervals "
        "of their two ranks overlap."
    )


def front_note(found: Balance, confidence: float) -> str:
    """Return the caption of the figure of fronts."""
    parts = []
    for axis in AXES:
        lost = found.asked[axis] - len(found.counted[axis])
        metrics = found.counted[axis].groupby("dataset")["metric"].nunique()
        if not len(metrics):
            continue
        few, most = metrics.min(), metrics.max()
        each = f"{most}" if few == most else f"{few} to {most}"
        missing = (
            f" ({lost} of {found.asked[axis]} pairs of metric and split left out, since a method lacks a score there)"
            if lost
            else ""
        )
        parts.append(f"{axis} by {each} headline metrics{missing}")
    return (
        f"Mean rank of the methods: {'; '.join(parts)}. Bars: {100 * confidence:g} % intervals over splits. Grey: a "
        "sentinel, where it would rank if it alone were added; it is on no front."
    )


def _counted(own: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Return dataset, metric and split wherever every method with a score on the table has that one."""
    rows = own[own["generator"].isin(methods)]
    have = rows.groupby(["dataset", "metric", "split"])["generator"].transform("nunique")
    there = rows.groupby("dataset")["generator"].transform("nunique")
    return rows.loc[have == there, ["dataset", "metric", "split"]].drop_duplicates()


def _ranks(own: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Return the mean rank of every method and sentinel on every table and split, as tidy scores."""
    guests = [name for name in style.SENTINELS if name in set(own["generator"])]
    parts = [pd.DataFrame(columns=["dataset", "generator", "mean_rank", "split"])]
    for split, rows in own.groupby("split", sort=True):
        for kept in (list(methods), *([guest] for guest in guests)):
            ranked = rows[rows["generator"].isin([*methods, *kept])]
            found = mean_ranks(ranked, list(ranked["metric"].unique()))
            parts.append(found[found["generator"].isin(kept)].assign(split=split))
    found = pd.concat(parts[1:] or parts, ignore_index=True).rename(columns={"mean_rank": "value"})
    return found.assign(condition=OBSERVED, direction="down", note="")


def _spent(costs: pd.DataFrame, cost: Cost) -> pd.DataFrame:
    """Return the sum of the parts of a cost on every table and split, missing where a part is, as tidy scores."""
    own = costs[costs["metric"].isin(cost.parts)]
    keys = ["dataset", "generator", "split"]
    sums = own.groupby(keys)["value"].sum(min_count=len(cost.parts)).reset_index()
    return sums.assign(axis="cost", metric=cost.metric, condition=OBSERVED, direction="down", note="")


def _prices(rows: pd.DataFrame, unit: float) -> list[Price]:
    found = []
    for dataset, own in rows[rows["on_front"]].groupby("dataset", sort=False):
        best = own.sort_values(["across_mean", "upward_mean"], ascending=False, kind="stable")
        stops = [
            Stop(row.generator, -row.across_mean / unit, -row.upward_mean, -row.upward_high, -row.upward_low)
            for row in best.itertuples()
        ]
        found.append(Price(str(dataset), tuple(stops)))
    return found


def _sentence(axis: str, found: Sequence[Price], cost: Cost) -> str:
    cheapest: dict[str, list[str]] = {}
    for price in found:
        cheapest.setdefault(style.label(price.stops[0].generator), []).append(price.dataset)
    everywhere = f"all {len(found)} tables" if len(cheapest) == 1 < len(found) else ""
    named = "; ".join(f"{name} on {everywhere or ', '.join(tables)}" for name, tables in cheapest.items())
    asking = sorted((price for price in found if price.next), key=lambda price: price.one_rank)
    if not asking:
        return f"{axis.capitalize()}: cheapest on the front is {named}; no method ranks ahead of it."
    low, high = (f"{_amount(price.one_rank)} ({price.dataset})" for price in (asking[0], asking[-1]))
    span = low if len(asking) == 1 else f"{low} to {high}"
    return f"{axis.capitalize()}: cheapest on the front is {named}; one more rank costs {span} {cost.noun}."


def _cells(found: Sequence[Price], dataset: str, cost: Cost) -> list[Cell]:
    price = next((one for one in found if one.dataset == dataset), None)
    if price is None:
        return [Cell("no score", css="text"), Cell("–", css="text"), Cell("–", css="text")]
    step = Cell("nobody ranks ahead", css="text")
    if price.next is not None:
        doubt = "" if price.apart else ", not told apart"
        step = Cell(
            f"{_amount(price.one_rank)} {cost.symbol}", f"to {style.label(price.next.generator)}{doubt}", "text"
        )
    return [_stop(price.stops[0], cost), step, _stop(price.stops[-1], cost)]


def _stop(stop: Stop, cost: Cost) -> Cell:
    return Cell(style.label(stop.generator), f"rank {number(stop.rank, 1)}, {_amount(stop.cost)} {cost.symbol}", "text")


def _amount(value: float) -> str:
    """Return a cost with two digits that count below 1, else one decimal."""
    return f"{value:.2g}" if value < 1 else number(value, 1)
