"""Does it help the rare class, and does it beat moving the threshold? What the page on augmentation says and shows.

The answer is given by the F1 of the minority with as many synthetic rows added as full balance takes, a share fixed
beforehand: the best of several shares would win by choice alone. The rival is `threshold`: no rows added, the cut moved
on validation rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pandas as pd

from synthcohort.comparison.intervals import Arm, Interval, goodness, summarise
from synthcohort.comparison.standing import Standing, across
from synthcohort.figures import labels, style
from synthcohort.report import published
from synthcohort.report.questions import (
    Evidence,
    Page,
    counted,
    entry,
    measured,
    named,
    of_methods,
    others,
    splits_each,
)
from synthcohort.report.questions_versus import Versus, differences, verdict, versus
from synthcohort.report.tables import Cell, number, table
from synthcohort.report.verdicts import estimate

METRICS = ("augment_f1_xgboost", "augment_f1_random_forest")
BALANCED, RIVAL, NONE, OPTIMAL = "minority_1.0", "threshold", "none", "bayes_optimal"
MEASURES = ("f1", "f2", "auroc", "brier")
CALIBRATION = ("brier", "calibration_slope_error", "calibration_intercept")
RECALLS = tuple(range(10, 100, 10))


class RareClass(Page):
    """What the page shows; its metric is the first of `METRICS` that has a score with balanced classes."""

    def versus(self, metric: str, generator: str, arm: str, condition: str = BALANCED) -> Versus:
        """Return how a generator fares against an arm of the real table, such as `RIVAL`."""
        return versus(self.evidence, metric, one=Arm(generator, condition), arm=arm)

    def gains(self) -> pd.DataFrame:
        """Return the paired difference of every generator at balance to `RIVAL` on the page's metric."""
        balanced = [Arm(g, BALANCED) for g in style.order([*style.SENTINELS, *self.evidence.methods])]
        found = [differences(self.evidence, self.metric, one=one, arm=RIVAL) for one in balanced]
        return pd.concat(found, ignore_index=True)

    def measures(self) -> list[str]:
        """Return the metrics of the augmentation curves that have a score."""
        return self.evidence.known([f"augment_{m}_{self.classifier}" for m in MEASURES], NONE)

    def curves(self) -> pd.DataFrame:
        """Return the gain over the real rows alone, turned so that more is better, over tables.

        Returns:
            generator, metric, mean, low, high; share (generators) or rival ("real"), as the figure wants them; only
            metrics that some share has, since rivals alone are no curve.
        """
        frame = self.evidence.frame
        own = frame[frame["metric"].isin(self.measures()) & frame["value"].notna() & (frame["condition"] != OPTIMAL)]
        own = own.assign(goodness=goodness(own["value"], own["direction"]))
        rows = []
        for metric, part in own.groupby("metric"):
            wide = part.pivot_table(index="dataset", columns=["generator", "condition"], values="goodness")
            for generator, condition in wide.columns:
                gain = wide[generator, condition] - wide[style.REAL, NONE]
                found = across(gain.to_numpy(), self.evidence.resampling.confidence)
                rows.append({"metric": metric, "generator": generator, "condition": condition, **vars(found)})
        gained = pd.DataFrame(rows, columns=["metric", "generator", "condition", "mean", "low", "high"])
        both = arms(self.evidence.ordered(gained.assign(dataset="")).drop(columns="dataset"))
        return both[both["metric"].isin(both.loc[both["share"].notna(), "metric"])]

    def optimal(self) -> pd.DataFrame:
        """Return the arms of the tables whose law is known, the exact probabilities among the rivals; may be empty."""
        frame = self.evidence.frame
        known = frame[(frame["condition"] == OPTIMAL) & frame["value"].notna()]["dataset"].unique()
        own = frame[frame["dataset"].isin(known) & frame["metric"].isin(self.measures())]
        return arms(self.evidence.ordered(summarise(own, self.evidence.resampling)))

    def precision(self) -> pd.DataFrame:
        """Return precision at fixed recalls without rows added and with the best generator's."""
        if self.found is None:
            return pd.DataFrame()
        parts = []
        for generator, condition in ((style.REAL, NONE), (self.found.best, BALANCED)):
            means = self.evidence.means([f"augment_precision_at_recall_{r}_xgboost" for r in RECALLS], condition)
            parts.append(means[means["generator"] == generator])
        found = pd.concat(parts, ignore_index=True)
        return found.assign(recall=found["metric"].str.extract(r"_recall_(\d+)_")[0].astype(float) / 100)

    def calibration(self) -> pd.DataFrame:
        """Return calibration after augmentation beside that of the real rows alone ("real"), per table."""
        return pd.concat([self.evidence.means(self.calibrations(), c) for c in (NONE, BALANCED)], ignore_index=True)

    def calibrations(self) -> list[str]:
        """Return the metrics of calibration that have a score."""
        return self.evidence.known([f"augment_{m}_{self.classifier}" for m in CALIBRATION], BALANCED)

    def _answer(self, found: Standing) -> str:
        best = found.best
        rival, plain = self.versus(self.metric, best, RIVAL), self.versus(self.metric, best, NONE)
        return (
            f"{verdict(plain, rival)} The best generator, {style.label(best)}, gains {measured(plain.gain)} of "
            f"{labels.quantity(self.metric)} ({labels.classifier(self.metric)}) on the real rows alone and "
            f"{measured(rival.gain)} on moving the threshold, over {counted(rival.tables, 'table')}, "
            f"{splits_each(*found.splits)}. Against the threshold it is better beyond noise on {len(rival.better)}, "
            f"worse on {len(rival.worse)}, not told apart on {len(rival.open)}."
        )

    def _changes(self, found: Standing) -> list[str]:
        names = [f"augment_{m}_{c}" for c in ("xgboost", "random_forest") for m in MEASURES]
        asked = [m for m in self.evidence.known(names, BALANCED) if m != self.metric]
        rivals = {named(m): self.evidence.standing(m, condition=BALANCED) for m in asked}
        return [
            self._anyone(),
            self._shares(found.best),
            self._measures(found.best, asked),
            others(found, rivals, "metric"),
            self._losers(),
        ]

    def _anyone(self) -> str:
        above = _tables({g: self.versus(self.metric, g, RIVAL).better for g in self.evidence.methods})
        if not above:
            return "Another generator: none beats the threshold beyond noise on any table."
        many = "no allowance for many tests"
        return f"Another generator: the threshold is beaten, beyond noise, by {above}; {many}."

    def _shares(self, best: str) -> str:
        frame = self.evidence.frame
        own = frame[(frame["metric"] == self.metric) & (frame["generator"] == best)]["condition"].unique()
        said = []
        for condition in sorted((c for c in own if c.startswith("minority_") and c != BALANCED), key=_share):
            found = self.versus(self.metric, best, RIVAL, condition)
            said.append(f"{_share(condition):g} gives {measured(found.gain)}")
        if not said:
            return "Another share: no other share has a score."
        return f"Another share of {style.label(best)}'s rows, against the threshold: {'; '.join(said)}."

    def _measures(self, best: str, asked: list[str]) -> str:
        words: dict[str, list[str]] = {"ahead": [], "not told apart": [], "behind": []}
        for metric in asked:
            gain = self.versus(metric, best, RIVAL).gain
            word = "ahead" if gain.low > 0 else "behind" if gain.high < 0 else "not told apart"
            words[word].append(f"{named(metric)} {gain.mean:+.3f}")
        said = "; ".join(f"{word} by {', '.join(names)}" for word, names in words.items() if names)
        return f"Another metric, {style.label(best)} against the threshold: {said or 'none has a score'}."

    def _losers(self) -> str:
        lost = _tables({g: self.versus(self.metric, g, NONE).worse for g in self.evidence.methods})
        return f"Harm: beyond noise, worse than no rows at all: {lost or 'no method on any table'}."


def find(evidence: Evidence) -> RareClass:
    """Return what the page shows."""
    metric = next(iter(evidence.known(METRICS, BALANCED)), METRICS[0])
    return RareClass(evidence, metric, evidence.standing(metric, condition=BALANCED))


def arms(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with their `share` (generators) or their `rival` arm ("real")."""
    rival = rows["condition"].where(rows["generator"] == style.REAL)
    share = rows["condition"].str.extract(r"^minority_([0-9.]+)$")[0].astype("float64")
    return rows.assign(rival=rival, share=share)


def gains_note(found: RareClass, gains: pd.DataFrame) -> str:
    """Return the caption of the figure of differences to the threshold."""
    own = of_methods(gains)
    better, worse = int((own["low"] > 0).sum()), int((own["high"] < 0).sum())
    confidence = 100 * found.evidence.resampling.confidence
    return (
        f"{labels.quantity(found.metric)} of the minority with balanced classes minus that of the moved threshold, "
        f"{labels.classifier(found.metric)}, paired by split, {confidence:g} % interval. "
        f"Of {len(own)} pairs of a method and a table {better} lie above 0 and {worse} below."
    )


def curves_note(rows: pd.DataFrame) -> str:
    """Return the caption of the gain against the share added."""
    known = of_methods(rows[rows["share"].notna()])
    if not len(known):
        return "No share has a score."
    best = known.loc[known["mean"].idxmax()]
    return (
        "Gain over the real rows alone, turned so that more is better, mean over tables; black lines "
        f"need no generator. Largest: {style.label(best['generator'])} at share {best['share']:g}, "
        f"{best['mean']:+.3f} of {named(best['metric'])}."
    )


def optimal_note(rows: pd.DataFrame) -> str:
    """Return what the exact probabilities achieve beside the best generator, in words."""
    said = []
    for metric, own in rows.groupby("metric", sort=False):
        ideal = own[own["rival"] == OPTIMAL]
        added = of_methods(own[own["share"].notna()])
        if not len(ideal) or not len(added):
            continue
        turned = goodness(added["mean"], added["direction"])
        best, top = added.loc[turned.idxmax()], ideal.iloc[0]
        exact = estimate(Interval(top["mean"], top["low"], top["high"], top["splits"]), "one split")
        said.append(
            f"{named(metric)} {exact}, the best generator {number(best['mean'])} ({style.label(best['generator'])})"
        )
    tables = ", ".join(f"`{name}`" for name in rows["dataset"].unique())
    return (
        f"{tables}: rows of a known law, so the best that any classifier can do is known: {'; '.join(said)}. No "
        "augmentation can pass that line but by luck of the test rows."
    )


def precision_note(curves: pd.DataFrame, best: str) -> str:
    """Return the caption of the precision-recall curves."""
    wide = curves.pivot_table(index=["dataset", "recall"], columns="generator", values="mean").dropna()
    above = int((wide[best] > wide[style.REAL]).sum()) if best in wide and style.REAL in wide else 0
    return (
        f"XGBoost, means over splits with their intervals as bands. A threshold moves along the dashed line and never "
        f"off it. {style.label(best)} is above it at {above} of {len(wide)} points."
    )


def published_f1(found: RareClass) -> str:
    """Return the paper's F1 beside ours on the tables that answer to its own."""
    metrics = found.evidence.known(METRICS, BALANCED)
    means = [found.evidence.means(metrics, condition) for condition in (NONE, RIVAL, BALANCED)]
    ours = pd.concat(means).set_index(["dataset", "generator", "condition", "metric"])
    rows, there = [], set(found.evidence.frame["dataset"])
    for name, (count, share, answering) in published.IMBALANCE_TABLES.items():
        subject = Cell(name, f"{count:,} rows, {share:g} % minority", "text")
        rows.append([subject, "paper", *(number(v, 2) for v in published.IMBALANCE_F1[name]), "–"])
        for dataset, metric in product([d for d in answering if d in there], metrics):
            said: list[object] = [Cell(f"ours: {dataset}", css="text"), labels.classifier(metric)]
            for generator in published.IMBALANCE_METHODS.values():
                condition = NONE if generator == style.REAL else BALANCED
                said.append(entry(ours, (dataset, generator, condition, metric)))
            rows.append([*said, entry(ours, (dataset, style.REAL, RIVAL, metric))])
    return table(["F1 of the minority", "by", *published.IMBALANCE_METHODS, "threshold moved"], rows, text=(0, 1))


def published_f1_note() -> str:
    """Return the caption of the paper's F1."""
    return (
        f"{published.IMBALANCE}: the classifier, the share added and the spread are not stated, and the threshold "
        "was not tried. Ours: balanced classes. The paper's registry is not public; ours of that name is a simulation. "
        "physionet2012 is another cohort of intensive care, open to all, with 14 % deaths."
    )


def published_mmd(evidence: Evidence) -> str:
    """Return the paper's MMD beside ours, the mean over tables."""
    metrics = evidence.known(["mmd", "mmd_narrow", "mmd_wide"])
    ours = evidence.over_tables(evidence.means(metrics)).set_index(["generator", "metric"])
    rows = [
        [method, number(value), *(entry(ours, (generator, metric)) for metric in metrics)]
        for method, (generator, value) in published.IMBALANCE_MMD.items()
    ]
    return table(["method", "paper", *(f"ours: {labels.short_label(m)}" for m in metrics)], rows)


def published_mmd_note() -> str:
    """Return the caption of the paper's MMD."""
    return (
        f"{published.IMBALANCE}: one number a method, table and kernel not stated, so only the order can be compared. "
        "Ours: mean over tables with its t interval."
    )


def _tables(told: Mapping[str, tuple[str, ...]]) -> str:
    return "; ".join(f"{style.label(name)} (on {', '.join(tables)})" for name, tables in told.items() if tables)


def _share(condition: str) -> float:
    return float(condition.removeprefix("minority_"))
