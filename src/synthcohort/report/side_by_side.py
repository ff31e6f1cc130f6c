"""What does the page that sets every generator side by side draw on?

The score files of one table with their summary, and, for the pictures, the rows of its first split: what each generator
drew beside the train rows it was asked to imitate.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from synthcohort.cells.fitting_history import read_history
from synthcohort.cells.holdout import read_samples
from synthcohort.cells.rows import read_card, read_development, read_schema
from synthcohort.comparison.intervals import OBSERVED, Resampling, summarise
from synthcohort.datasets.table import Card
from synthcohort.figures import labels
from synthcohort.figures.style import REAL
from synthcohort.report import gathering, pictures
from synthcohort.report.headlines import first, rest
from synthcohort.report.trust import Answer, answer, utility_metric
from synthcohort.schema import Schema
from synthcohort.study import Study

AXES = {
    "fidelity": "Fidelity: does the table look like the real one?",
    "utility": "Utility: does a model trained on it work on real rows?",
    "privacy": "Privacy: are the rows new?",
}
PICTURED_COLUMNS = 6
DRAWN = ("f1", "f2", "auroc", "auprc")  # of augmentation


@dataclass(frozen=True)
class Material:
    """All that the page shows.

    Args:
        study, dataset: whose page it is.
        card, schema: of the table.
        scores: tidy scores of every generator and "real"; utility of "real" goes under the names of the generators'.
        summary: their means and intervals.
        resampling: how intervals were made.
        train: [n, P + Q] train rows of the first split.
        samples: generator -> its rows for that split; generators whose fit failed are absent.
    """

    study: Study
    dataset: str
    card: Card
    schema: Schema
    scores: pd.DataFrame
    summary: pd.DataFrame
    resampling: Resampling
    train: pd.DataFrame
    samples: dict[str, pd.DataFrame]

    @property
    def columns(self) -> list[str]:
        """The columns that are drawn: the target and the most informative features about it."""
        return pictures.informative_columns(self.train, self.schema, PICTURED_COLUMNS)

    @property
    def answer(self) -> Answer:
        """Which generator to trust with the table, and for what."""
        return answer(self.scores, self.dataset, self.resampling)

    @property
    def real_utility(self) -> float | None:
        """What the real train rows achieve on the utility metric; None without a score."""
        name = utility_metric(self.scores)
        rows = observed(self.summary, [name])
        own = rows[rows["generator"] == REAL]["mean"].dropna()
        return float(own.iloc[0]) if len(own) else None

    def gaps(self) -> dict[str, pd.DataFrame]:
        """Return generator -> 1 - Trend of every pair of columns."""
        return {g: pictures.pair_gaps(self.train, rows, self.schema) for g, rows in self.samples.items()}

    def embedding(self) -> pictures.Embedding:
        """Return real and synthetic rows in the plane of the real rows' first two components."""
        return pictures.embed(self.train, self.samples, self.schema)

    def history(self) -> pd.DataFrame:
        """Return the training histories of every generator that keeps one, as one tidy frame."""
        splits = self.study.splits(self.dataset)
        names = self.study.generators(self.dataset)
        parts = [read_history(self.study.paths.trained(self.dataset, g), g, splits) for g in names]
        kept = [part for part in parts if len(part)]
        return pd.concat(kept, ignore_index=True) if kept else parts[0]


def gather(study: Study, dataset: str) -> Material:
    """Read all that the page of `dataset` needs."""
    place = study.paths.development(dataset)
    schema = read_schema(place)
    train, _ = read_development(place, 0)
    drawn = {g: read_samples(study.paths.trained(dataset, g), 0, schema, [OBSERVED]) for g in study.generators(dataset)}
    samples = {generator: rows[OBSERVED] for generator, rows in drawn.items() if OBSERVED in rows}
    scores = gathering.table_scores(study, dataset)
    how = gathering.resampling(study)
    summary = summarise(_on_one_scale(scores), how)
    return Material(study, dataset, read_card(place), schema, scores, summary, how, train, samples)


def observed(frame: pd.DataFrame, metrics: list[str]) -> pd.DataFrame:
    """Return the rows of `metrics` under the condition "as_observed"."""
    return frame[frame["metric"].isin(metrics) & (frame["condition"] == OBSERVED)]


def of_axis(frame: pd.DataFrame, axis: str) -> pd.DataFrame:
    """Return the rows of one axis under the condition "as_observed", real ones under the generators' names."""
    return _on_one_scale(frame[(frame["axis"] == axis) & (frame["condition"] == OBSERVED)])


def directions(summary: pd.DataFrame, *axes: str) -> dict[str, str]:
    """Return metric -> direction for what was computed under "as_observed", in the order of `AXES`.

    Args:
        summary: means and intervals.
        axes: only these axes; none: all of `AXES`.
    """
    found: dict[str, str] = {}
    for axis in axes or tuple(AXES):
        own = of_axis(summary, axis)
        own = own[own["mean"].notna() & (own["generator"] != REAL)]
        pairs = dict(zip(own["metric"], own["direction"], strict=True))
        found |= {metric: pairs[metric] for metric in sorted(pairs, key=labels.place)}
    return found


def headlines(summary: pd.DataFrame, *axes: str) -> dict[str, str]:
    """Return metric -> direction as `directions` does, only for the metrics that head their axis."""
    found: dict[str, str] = {}
    for axis in axes or tuple(AXES):
        known = directions(summary, axis)
        found |= {metric: known[metric] for metric in first(axis, known)}
    return found


def others(summary: pd.DataFrame, axis: str) -> dict[str, str]:
    """Return metric -> direction for the metrics of an axis that do not head it."""
    known = directions(summary, axis)
    return {metric: known[metric] for metric in rest(axis, known)}


def augmentation(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the augmentation rows with their `share` in [0, 1] (generators) or their `rival` arm ("real")."""
    own = summary[(summary["axis"] == "augmentation") & summary["mean"].notna()].copy()
    own["rival"] = own["condition"].where(own["generator"] == REAL)
    shares = own["condition"].str.extract(r"^minority_([0-9.]+)$")[0].astype("float64")
    return own.assign(share=shares)


def augmentation_metrics(arms: pd.DataFrame) -> list[str]:
    """Return which augmentation metrics are drawn: those of `DRAWN`, of XGBoost where it has scores."""
    names = sorted(arms["metric"].unique())
    last = "xgboost" if any(n.endswith("_xgboost") for n in names) else "random_forest"
    return [name for name in (f"augment_{measure}_{last}" for measure in DRAWN) if name in names]


def _on_one_scale(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with what the real table achieves under the names of what the generators achieve."""
    return frame.assign(metric=frame["metric"].str.replace(r"^trtr_", "tstr_", regex=True))
