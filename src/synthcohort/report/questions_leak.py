"""Does it leak? What the page on privacy says and shows.

An attack catches a generator on a table if its membership AUROC exceeds 1/2: mean over splits above 1/2 and the
corrected resampled t-test's p-value below the level after Holm's adjustment over all attacks and tables of that
generator. An attack with one run (shadow models) catches if the interval of that run lies above 1/2. The worst attack
on a table is the one with the largest mean; the largest of several noisy numbers is too large by chance, which is why
being caught, not the size, decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison.intervals import OBSERVED, corrected_interval
from synthcohort.comparison.paired import holm, p_value
from synthcohort.figures import labels, style
from synthcohort.report.questions import NOTHING, Evidence, counted, entry, of_methods, splits_each
from synthcohort.report.tables import number, table
from synthcohort.report.verdicts import listed

CHANCE = 0.5
POOLED = ("distance", "domias", "logan", "monte_carlo")
RATES = {"mia_tpr_at_fpr_1pct": 0.01, "mia_tpr_at_fpr_0p1pct": 0.001}
DISTANCE_SHARE = "dcr_share"
WORST = "mia_auroc_worst"
RISKS = (
    *("memorisation", DISTANCE_SHARE, "replicas", "authenticity", "singling_out_risk", "linkability_risk"),
    *("attribute_inference_risk", "small_cell_disclosure", "exact_copies"),
)


@dataclass(frozen=True)
class Leak:
    """What the page shows.

    Args:
        evidence: the scores.
        attacks: every attack on every generator and table: dataset, generator, attack, mean, low, high, splits, p,
            p_holm, caught.
    """

    evidence: Evidence
    attacks: pd.DataFrame

    def answer(self) -> str:
        """Return the answer in two or three sentences."""
        if self.attacks.empty:
            return "No answer: the score files hold no membership attack."
        own = self._methods()
        if own.empty:
            return "No answer: no method but the sentinels was attacked."
        caught = own[own["caught"]]
        tables, attacks = own["dataset"].nunique(), own["attack"].nunique()
        asked = own["generator"].nunique()
        splits = splits_each(int(own["splits"].min()), int(own["splits"].max()))
        scope = f"{counted(attacks, 'attack')} on {counted(tables, 'table')}, {splits}"
        if caught.empty:
            return (
                f"Not shown: {scope} catch none of {counted(asked, 'method')}. That these attacks failed does not say "
                f"that none would succeed.{self._passes()}"
            )
        worst = caught.loc[caught["mean"].idxmax()]
        names = self._named(caught)
        return (
            f"Yes: {scope} catch {len(names)} of {counted(asked, 'method')} ({listed(names)}). Worst is "
            f"{style.label(worst['generator'])} on {worst['dataset']}: AUROC {_said(worst)} of "
            f"{labels.ATTACKS[worst['attack']]} ({CHANCE:g}: chance).{self._passes()}"
        )

    def changes(self) -> list[str]:
        """Return what would have changed the answer."""
        if self._methods().empty:
            return [NOTHING, *self._sentinels()]
        return [self._by_attack(), self._unadjusted(), self._tables(), *self._sentinels(), *self._shadow()]

    def worst_each(self) -> str:
        """Return each method's worst attack in one sentence."""
        said = []
        for generator in self.evidence.methods:
            own = self.attacks[self.attacks["generator"] == generator]
            if len(own):
                top = own.loc[own["mean"].idxmax()]
                word = "caught" if own["caught"].any() else "not caught"
                attack = labels.ATTACKS[str(top["attack"])]
                said.append(f"{style.label(generator)}: {attack} on {top['dataset']}, {_said(top)}, {word}")
        return f"Worst attack per generator. {'; '.join(said)}." if said else ""

    def worst(self) -> pd.DataFrame:
        """Return the worst attack of each generator and table, one row each."""
        pooled = self.attacks[self.attacks["attack"].isin(POOLED)]
        return pooled.loc[pooled.groupby(["dataset", "generator"])["mean"].idxmax()] if len(pooled) else pooled

    def front_rows(self, utility: str) -> pd.DataFrame:
        """Return utility and the worst membership AUROC as `comparison.fronts.front` wants them."""
        useful = self.evidence.means([utility])
        shared = ["dataset", "generator", "mean", "low", "high"]
        worst = self.worst()[shared].assign(axis="privacy", metric=WORST, condition=OBSERVED, direction="down")
        return pd.concat([useful, worst], ignore_index=True)

    def rates(self) -> pd.DataFrame:
        """Return, per generator and table, the largest true positive rate of any attack at each false positive rate."""
        parts = []
        for prefix in RATES:
            means = self.evidence.means([f"{prefix}_{attack}" for attack in POOLED])
            largest = means.groupby(["dataset", "generator"], sort=False)["mean"].max().reset_index()
            parts.append(largest.assign(metric=f"{prefix}_worst"))
        return pd.concat(parts, ignore_index=True)

    def passed(self) -> pd.DataFrame:
        """Return the caught generators and tables that `dcr_share` alone would pass: its interval reaches 0.5."""
        caught = self._caught()
        shares = self.evidence.means([DISTANCE_SHARE])[["dataset", "generator", "low", "high"]]
        joined = caught[["dataset", "generator"]].merge(shares, on=["dataset", "generator"])
        return joined[(joined["low"] <= CHANCE) & (joined["high"] >= CHANCE)]

    def _methods(self) -> pd.DataFrame:
        return self.attacks[self.attacks["generator"].isin(self.evidence.methods)]

    def _caught(self) -> pd.DataFrame:
        """Return one row for every method and table with an attack that catches."""
        own = self._methods()
        return own[own["caught"]].drop_duplicates(["dataset", "generator"])

    def _named(self, rows: pd.DataFrame) -> list[str]:
        return [name for name in self.evidence.methods if name in set(rows["generator"])]

    def _passes(self) -> str:
        if not self.evidence.known([DISTANCE_SHARE]):
            return ""
        caught, passed = self._caught(), self.passed()
        if caught.empty:
            return ""
        pairs = counted(len(caught), "case")
        if passed.empty:
            return f" The DCR share alone would have found the same {pairs} of a method and a table."
        return (
            f" The DCR share alone would have passed {len(passed)} of these {pairs} of a method and a table "
            f"({listed(self._named(passed))}): its interval reaches {CHANCE:g} there."
        )

    def _by_attack(self) -> str:
        own = self._methods()
        total = own[own["caught"]].groupby("attack").size()
        said = [f"{labels.ATTACKS[a]} {int(total.get(a, 0))}" for a in labels.ATTACKS if a in set(own["attack"])]
        return f"Another attack: cases of a method and a table that each attack alone catches: {', '.join(said)}."

    def _unadjusted(self) -> str:
        own = self._methods()
        plain = int((own["low"] > CHANCE).sum())
        return (
            f"Many tests: {int(own['caught'].sum())} of {len(own)} attacks catch after Holm's adjustment; by each "
            f"interval on its own it would be {plain}."
        )

    def _tables(self) -> str:
        own = self._methods()
        counts = own[own["caught"]].groupby("generator")["dataset"].nunique()
        tables = own["dataset"].nunique()
        said = [f"{style.label(name)} {int(counts.get(name, 0))}" for name in self.evidence.methods]
        return f"Tables on which a method is caught, of {tables}: {', '.join(said)}."

    def _sentinels(self) -> list[str]:
        said = []
        for name, wish in ((style.SENTINELS[0], "which copies, must be"), (style.REAL, "fresh rows, must not be")):
            own = self.attacks[(self.attacks["generator"] == name) & self.attacks["attack"].isin(POOLED)]
            if len(own):
                caught = own[own["caught"]]["dataset"].nunique()
                said.append(f"{style.label(name)} ({wish} caught) on {caught} of {own['dataset'].nunique()} tables")
        return [f"Can these attacks be believed? Caught: {'; '.join(said)}."] if said else []

    def _shadow(self) -> list[str]:
        own = self._methods()
        shadow = own[own["attack"] == "shadow"]
        if shadow.empty:
            return ["Shadow models were not run on any table."]
        top = shadow.loc[shadow["mean"].idxmax()]
        return [
            f"Shadow models, run on {', '.join(sorted(shadow['dataset'].unique()))}: at most "
            f"{_said(top)} ({style.label(top['generator'])})."
        ]


def find(evidence: Evidence) -> Leak:
    """Return what the page shows."""
    names = [f"mia_auroc_{attack}" for attack in labels.ATTACKS]
    own = evidence.frame[evidence.frame["metric"].isin(names) & (evidence.frame["condition"] == OBSERVED)]
    known = own[own["value"].notna()]
    rows = []
    for (dataset, generator, metric), group in known.groupby(["dataset", "generator", "metric"], sort=True):
        found = corrected_interval(group["value"].to_numpy(), evidence.resampling)
        alone = len(group) == 1  # the interval of the single run, where there is one
        low, high = (group["low"].iloc[0], group["high"].iloc[0]) if alone else (found.low, found.high)
        p = p_value(group["value"].to_numpy() - CHANCE, evidence.resampling)
        attack = str(metric).removeprefix("mia_auroc_")
        rows.append([dataset, generator, attack, found.mean, low, high, len(group), p])
    columns = ["dataset", "generator", "attack", "mean", "low", "high", "splits", "p"]
    attacks = pd.DataFrame(rows, columns=columns)
    attacks["p_holm"] = attacks.groupby("generator")["p"].transform(lambda p: holm(p.to_numpy()))
    surely = (attacks["p_holm"] < 1 - evidence.resampling.confidence) & (attacks["mean"] > CHANCE)
    attacks["caught"] = surely | (attacks["p"].isna() & (attacks["low"] > CHANCE))
    return Leak(evidence, evidence.ordered(attacks))


def attacks_note(found: Leak) -> str:
    """Return the caption of the figure of attacks."""
    return (
        f"Means over splits with their {100 * found.evidence.resampling.confidence:g} % interval, unadjusted; filled: "
        f"caught after adjustment; an attack run once has the interval of that run. {found.worst_each()}"
    )


def rates_note(rates: pd.DataFrame, note: str) -> str:
    """Return the caption of the figure of true positive rates."""
    known = of_methods(rates)
    if not len(known):
        return "No attack has a true positive rate."
    top = known.loc[known["mean"].idxmax()]
    return (
        f"The largest rate of any attack, which chance alone puts above the dotted level. Highest: "
        f"{style.label(top['generator'])} on {top['dataset']}, {top['mean']:.3f} "
        f"({short(top['metric'])}). {note}"
    )


def front_note(front: pd.DataFrame) -> str:
    """Return the caption of the Pareto fronts."""
    counts = front[front["on_front"]]["generator"].value_counts()
    said = ", ".join(f"{style.label(name)} on {n}" for name, n in counts.items())
    return f"Of {front['dataset'].nunique()} tables, on the front: {said or 'nobody'}. Worst attack: largest mean."


def shadow_table(found: Leak) -> str:
    """Return the shadow-model attack, a row per generator and a column per table."""
    own = found.attacks[found.attacks["attack"] == "shadow"]
    tables = list(dict.fromkeys(own["dataset"]))
    wide = own.set_index(["generator", "dataset"])
    names = style.order(list(own["generator"].unique()))
    rows = [[style.label(name), *(entry(wide, (name, dataset)) for dataset in tables)] for name in names]
    return table(["shadow models, AUROC", *tables], rows)


def shadow_note() -> str:
    """Return the caption of the table of the shadow-model attack."""
    return (
        "One attack a generator and table, aimed at its most exposed train rows; intervals are over those rows. 0.5 is "
        "chance."
    )


def short(metric: str) -> str:
    """Return the name of a metric of attacks without the word that every one begins with."""
    return labels.short_label(metric).removeprefix("Membership ")


def levels() -> dict[str, float]:
    """Return metric of `Leak.rates` -> the rate that guessing achieves."""
    return {f"{prefix}_worst": rate for prefix, rate in RATES.items()}


def ideals(metrics: Iterable[str]) -> dict[str, float]:
    """Return metric -> its ideal, where it has one that is no end of a scale."""
    return {metric: CHANCE if metric == DISTANCE_SHARE else 0.0 for metric in metrics if metric != "authenticity"}


def _said(row: pd.Series) -> str:
    return f"{number(row['mean'])} [{number(row['low'])}, {number(row['high'])}]"
