"""Is it useful? What the page on utility says and shows.

The answer is given by `tstr_auroc_xgboost`: a strong classifier trains on synthetic rows and ranks real test rows. The
loss is the difference to the same classifier trained on the real train rows, split by split.
"""

from __future__ import annotations

import pandas as pd

from synthcohort.comparison.intervals import Arm, Interval, corrected_interval, goodness, pairs
from synthcohort.comparison.paired import pairwise
from synthcohort.comparison.standing import Across, Standing, across
from synthcohort.figures import labels, style
from synthcohort.report.questions import (
    Evidence,
    Page,
    counted,
    extent,
    flips,
    margin,
    measured,
    named,
    of_methods,
    others,
)
from synthcohort.report.tables import Cell, table

METRICS = ("tstr_auroc_xgboost", "tstr_auroc_random_forest", "tstr_r2_xgboost", "tstr_r2_random_forest")
AGREEMENT = ("importance_agreement", "ranking_agreement")
CALIBRATION = ("brier", "calibration_slope_error", "calibration_intercept")
MEASURES = ("auprc", "f1", "f2", "balanced_accuracy", "brier")


class Useful(Page):
    """What the page shows; its metric is the first of `METRICS` that has a score."""

    def by_classifier(self) -> list[str]:
        """Return the AUROC of every classifier family that has a score."""
        return self.evidence.known([f"tstr_auroc_{name}" for name in labels.CLASSIFIERS])

    def losses(self) -> pd.DataFrame:
        """Return, for every classifier, generator and table, the paired gain on models trained on real rows.

        Returns:
            dataset, generator, metric, mean: positive where synthetic rows train the better model.
        """
        frame = self.evidence.frame
        own = frame[frame["metric"].isin([*self.by_classifier(), *map(_real, self.by_classifier())])]
        own = own.assign(goodness=goodness(own["value"], own["direction"]))
        rows = []
        for metric in self.by_classifier():
            keys = ["dataset", "split"]
            real = own[own["metric"] == _real(metric)].set_index(keys)["goodness"].rename("real")
            joined = own[own["metric"] == metric].join(real, on=keys)
            gain = (joined["goodness"] - joined["real"]).rename("mean")
            grouped = pd.concat([joined[["dataset", "generator"]], gain], axis=1).dropna()
            rows.append(grouped.groupby(["dataset", "generator"])["mean"].mean().reset_index().assign(metric=metric))
        return self.evidence.ordered(pd.concat(rows, ignore_index=True)) if rows else pd.DataFrame(columns=_POINTS)

    def beside_real(self, metrics: list[str]) -> pd.DataFrame:
        """Return means of metrics per table, those of the real table under the names of the generators'."""
        means = self.evidence.means([*metrics, *map(_real, metrics)])
        return means.assign(metric=means["metric"].str.replace(r"^trtr_", "tstr_", regex=True))

    def calibration(self) -> list[str]:
        """Return the metrics of calibration of the page's classifier that have a score."""
        return self.evidence.known([f"tstr_{measure}_{self.classifier}" for measure in CALIBRATION])

    def tests(self) -> pd.DataFrame:
        """Return the paired tests of all methods on each table, adjusted by Holm within a table."""
        kept = self.evidence.frame[self.evidence.frame["generator"].isin(self.evidence.methods)]
        return pairwise(kept, self.metric, self.evidence.resampling)

    def _answer(self, found: Standing) -> str:
        best = found.best
        losses = {name: self._loss(name, best) for name in found.record.tables}
        total = across([loss.mean for loss in losses.values()], self.evidence.resampling.confidence)
        worse = [name for name, loss in losses.items() if loss.high < 0]
        lost = f" ({', '.join(worse)})" if worse else ""
        verdict = "Yes, but not as useful as real rows" if worse else "Yes"
        verdict = verdict if self._beats_floor(best) else "No more than independent columns are"
        return (
            f"{verdict}. Most useful is {style.label(best)}: {named(self.metric)} "
            f"{measured(found.level(best))} {extent(found)}; the difference to models trained on the "
            f"real rows is {measured(total)}. The loss is beyond noise on {len(worse)} of "
            f"{counted(len(losses), 'table')}{lost}."
        )

    def _changes(self, found: Standing) -> list[str]:
        families = self.by_classifier()
        classifiers = {labels.classifier(m): self.evidence.standing(m) for m in families if m != self.metric}
        measures = {
            labels.quantity(m): self.evidence.standing(m)
            for m in self.evidence.known([f"tstr_{name}_{self.classifier}" for name in MEASURES])
        }
        agreed = {named(m): self.evidence.standing(m) for m in self.evidence.known(AGREEMENT)}
        return [
            margin(found),
            flips(found),
            others(found, classifiers, "classifier"),
            others(found, measures | agreed, "metric"),
        ]

    def _loss(self, dataset: str, generator: str) -> Interval:
        frame = self.evidence.frame
        own = frame[(frame["dataset"] == dataset) & frame["metric"].isin([self.metric, _real(self.metric)])]
        own = own.assign(metric=self.metric)
        paired = pairs(own, self.metric, better=Arm(generator), worse=Arm(style.REAL))
        return corrected_interval(paired["difference"].dropna().to_numpy(), self.evidence.resampling)

    def _beats_floor(self, best: str) -> bool:
        beside = self.evidence.standing(self.metric, beside=["independent"])
        if beside is None or "independent" not in beside.record.generators:
            return True
        gap: Across = beside.margin(best, "independent")
        return gap.low > 0 or (gap.tables == 1 and gap.mean > 0)


_POINTS = ["dataset", "generator", "mean", "metric"]


def find(evidence: Evidence) -> Useful:
    """Return what the page shows."""
    metric = next(iter(evidence.known(METRICS)), METRICS[0])
    return Useful(evidence, metric, evidence.standing(metric))


def wins(tests: pd.DataFrame, methods: list[str], confidence: float) -> str:
    """Return generators by generators: on how many tables the row beats the column and the column the row."""
    names = [name for name in methods if name in {*tests["first"], *tests["second"]}]
    sure = tests[tests["p_holm"] < 1 - confidence]
    forward = sure[sure["difference"] > 0].groupby(["first", "second"]).size()
    backward = sure[sure["difference"] < 0].groupby(["second", "first"]).size()
    won = pd.concat([forward, backward]).groupby(level=[0, 1]).sum() if len(sure) else pd.Series(dtype=int)
    rows = []
    for one in names:
        cells: list[object] = [style.label(one)]
        for other in names:
            ahead, behind = int(won.get((one, other), 0)), int(won.get((other, one), 0))
            css = "best" if ahead > behind else ""
            said = f"{ahead} / {behind}" if ahead or behind else "·"
            cells.append(Cell("") if one == other else Cell(said, css=css))
        rows.append(cells)
    return table(["tables won / lost", *(style.label(name) for name in names)], rows)


def wins_note(tests: pd.DataFrame, metric: str, confidence: float) -> str:
    """Return the caption of the table of wins."""
    sure = int((tests["p_holm"] < 1 - confidence).sum())
    plain = int((tests["p"] < 1 - confidence).sum())
    return (
        f"Tables on which the row's {named(metric)} is above, and below, the column's (paired corrected "
        f"resampled t-test, Holm's adjustment within a table, {100 * confidence:g} %). Of {len(tests)} pairs on "
        f"{tests['dataset'].nunique()} tables {sure} differ; without the adjustment it would be {plain}. ·: none."
    )


def losses_note(losses: pd.DataFrame, note: str) -> str:
    """Return the caption of the figure of losses by classifier."""
    means = of_methods(losses).groupby("metric")["mean"].mean()
    if not len(means):
        return "No classifier has scores from synthetic and from real rows."
    most, least = labels.classifier(str(means.idxmin())), labels.classifier(str(means.idxmax()))
    return (
        f"AUROC of a classifier trained on synthetic rows minus the same classifier trained on real rows; dotted: no "
        f"loss. Over all methods and tables {most} loses most, {-means.min():.3f}, and {least} least, "
        f"{-means.max():.3f}. {note}"
    )


def _real(metric: str) -> str:
    return metric.replace("tstr_", "trtr_")
