"""What does privacy cost? What the page says and shows, table by table and over all of them.

Two answers: the smallest epsilon that leaves rows as useful as those drawn without privacy, by family; and whether
small groups of patients lose more than large ones. Both come from `comparison.privacy_cost`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcohort.comparison import privacy_cost
from synthcohort.comparison.claims import decide
from synthcohort.comparison.intervals import Resampling, load_scores, summarise
from synthcohort.comparison.privacy_cost import Excess, Reach
from synthcohort.dp.budget import Budget
from synthcohort.figures import labels, style
from synthcohort.report import gathering, private_budget
from synthcohort.report.questions import counted
from synthcohort.report.verdicts import listed, said
from synthcohort.study import FrontierBlock, Study

CRYPTOGRAPHIC = "cryptographic_noise"


@dataclass(frozen=True)
class Case:
    """What one table says.

    Args:
        dataset: the table.
        frame: tidy scores of every family, with the columns epsilon and group.
        means: as `comparison.intervals.summarise` gives them, with the same columns.
        families: the private generators, in the study's order.
        sentinels: generators that are not private, likewise.
        block: settings of the frontier.
        resampling: how the splits were made.
    """

    dataset: str
    frame: pd.DataFrame
    means: pd.DataFrame
    families: list[str]
    sentinels: list[str]
    block: FrontierBlock
    resampling: Resampling

    @property
    def metric(self) -> str:
        """The score that gives the answer."""
        return f"tstr_auroc_{self.block.classifiers[0]}"

    @property
    def tried(self) -> str:
        """The budgets, in words."""
        return ", ".join(f"{e:g}" for e in self.block.epsilons)

    def panels(self) -> dict[str, str]:
        """Return the scores of all rows that there are, with their titles, in order."""
        wanted = [
            *("shape", "trend"),
            *(f"{measure}_{name}" for measure in ("tstr_auroc", "minority_f1") for name in self.block.classifiers),
            *(f"mia_auroc_{attack}" for attack in labels.ATTACKS),
            "attribute_inference_risk",
        ]
        known = set(self.means.loc[self.means["mean"].notna(), "metric"])
        return {metric: labels.short_label(metric) for metric in wanted if metric in known}

    def group_means(self) -> pd.DataFrame:
        """Return the means of the AUROC of every group that has a value."""
        own = self.means[(self.means["metric"] == self._group_metric) & (self.means["group"] != "")]
        return own[own["mean"].notna()]

    def group_panels(self) -> dict[str, str]:
        """Return every group with its size, the smallest first."""
        own = self.frame[(self.frame["metric"] == self._group_metric) & self.frame["value"].notna()]
        sizes = own[own["group"] != ""].groupby("group")["n"].mean().sort_values(kind="stable")
        return {str(group): f"{group}: {size:,.0f} test rows" for group, size in sizes.items()}

    def gaps(self) -> pd.DataFrame:
        """Return the gap of every budget, by the score of the answer."""
        return privacy_cost.gaps(self.frame, self.metric, self.resampling, tolerance=self.block.tolerance)

    def reaches(self, metric: str | None = None, tolerance: float | None = None) -> list[Reach]:
        """Return the smallest epsilon of every family that has one, by the page's score and tolerance or by others."""
        limit = self.block.tolerance if tolerance is None else tolerance
        found = privacy_cost.gaps(self.frame, metric or self.metric, self.resampling, tolerance=limit)
        known = {reach.generator: reach for reach in privacy_cost.reaches(found, tolerance=limit)}
        return [known[name] for name in self.families if name in known]

    def excesses(self) -> list[Excess]:
        """Return how much more the smallest group of every sensitive column loses, by family."""
        found = privacy_cost.excesses(self.frame, self._group_metric, self.resampling)
        return sorted(found, key=lambda excess: self.families.index(excess.generator))

    def answer(self) -> str:
        """Return the smallest epsilons in one sentence."""
        found = self.reaches()
        if not found:
            return (
                f"{self.dataset}: no private family has a {labels.short_label(self.metric)} beside its counterpart's."
            )
        each = "; ".join(f"{style.label(r.generator)} {reached(r)}" for r in found)
        return (
            f"{self.dataset}: smallest ε whose {labels.short_label(self.metric)} is within {self.block.tolerance:g} of "
            f"the same method's without privacy, of {self.tried}: {each}. "
            "In brackets the smallest ε that is not surely outside and the smallest that is surely inside."
        )

    def fairness(self) -> str:
        """Return whether small groups lose more."""
        found = self.excesses()
        if not found:
            return (
                f"{self.dataset}: no sensitive column has two groups with scores, so nobody can be said to lose more."
            )
        whole = privacy_cost.together(found, self.resampling)
        word = decide(whole, 0.0)
        counts = pd.Series([excess.verdict for excess in found]).value_counts()
        tally = ", ".join(f"{counts[w]} {w}" for w in ("supported", "contradicted", "undecided") if w in counts)
        return (
            f"{self.dataset}: that small groups lose more is {word}. The smallest group of a column loses "
            f"{said(whole)} more AUROC than the largest, mean over budgets, columns, families and "
            f"{counted(whole.splits, 'split')}; family by family and column by column: {tally}."
        )

    def sure(self) -> str:
        """Return from which budget on which family is surely as useful as without privacy, by its interval."""
        known = sorted((r for r in self.reaches() if math.isfinite(r.high)), key=lambda r: r.high)
        each = [f"{style.label(r.generator)} from ε = {r.high:g} (AUROC {self.level(r):.2f} there)" for r in known]
        return f"on {self.dataset} {listed(each) if each else 'of no family at any ε tried'}"

    def level(self, reach: Reach) -> float:
        """Return the family's score at the smallest budget that is surely inside, mean over splits."""
        own = self.means[(self.means["metric"] == self.metric) & (self.means["group"] == "")]
        own = own[(own["generator"] == reach.generator) & (own["epsilon"] == reach.high)]
        return float(own["mean"].iloc[0])

    def changes(self) -> dict[str, list[Reach]]:
        """Return the smallest epsilons as asked for, by each other classifier, and by half the tolerance."""
        asked = {f"{labels.short_label(self.metric)}, within {self.block.tolerance:g}": self.reaches()}
        others = [f"tstr_auroc_{name}" for name in self.block.classifiers[1:]]
        again = {f"by {labels.short_label(metric)}": self.reaches(metric) for metric in others}
        stricter = self.block.tolerance / 2
        return asked | again | {f"within {stricter:g}": self.reaches(tolerance=stricter)}

    @property
    def _group_metric(self) -> str:
        return f"group_auroc_{self.block.classifiers[0]}"


def find(study: Study) -> list[Case]:
    """Return a case for every table that has scores, in the study's order."""
    block, found = study.params.frontier, []
    for dataset in block.tables:
        files = [study.paths.frontier(dataset, name) for name in block.families]
        there = [path for path in files if path.is_file()]
        frame = load_scores(there) if there else None
        if frame is not None and frame["value"].notna().any():
            found.append(case(frame, block, gathering.resampling(study)))
    return found


def case(frame: pd.DataFrame, block: FrontierBlock, resampling: Resampling) -> Case:
    """Gather the tidy scores of one table."""
    known = set(frame["generator"])
    return Case(
        dataset=str(frame["dataset"].iloc[0]),
        frame=privacy_cost.with_budgets(frame),
        means=privacy_cost.with_budgets(summarise(frame, resampling)),
        families=[name for name, family in block.families.items() if family.counterpart != name and name in known],
        sentinels=[name for name, family in block.families.items() if family.counterpart == name and name in known],
        block=block,
        resampling=resampling,
    )


def headline(cases: Sequence[Case]) -> str:
    """Return the answer over all tables in one sentence."""
    first = cases[0]
    return (
        f"Rows are surely ({100 * first.resampling.confidence:g} %) within {first.block.tolerance:g} "
        f"{labels.short_label(first.metric)} of what the same method reaches without privacy: "
        f"{'; '.join(case.sure() for case in cases)}. A method that is poor without privacy loses little."
    )


def reached(reach: Reach) -> str:
    """Return the smallest epsilon with its bounds and the gap there, in words."""
    bounds = "" if reach.gap.splits < 2 else f" [{named(reach.low)}, {named(reach.high)}]"
    return f"{named(reach.epsilon)}{bounds} (gap {said(reach.gap)})"


def areas(cases: Sequence[Case]) -> pd.DataFrame:
    """Return the means of the score of the answer on every table."""
    parts = [case.means[(case.means["metric"] == case.metric) & (case.means["group"] == "")] for case in cases]
    return pd.concat(parts, ignore_index=True)


def title(found: Case) -> str:
    """Return what the score of the answer is called."""
    return labels.short_label(found.metric)


def over_all_figure_note(cases: Sequence[Case]) -> str:
    """Return the caption of the figure over all tables."""
    return (
        f"{title(cases[0])} on real test rows, mean over splits with its "
        f"{100 * cases[0].resampling.confidence:g} % interval; open markers at ∞: the same method without privacy; "
        "dashed: sentinels."
    )


def spent(found: Case) -> str:
    """Return what the fits say they spent, and where their noise came from."""
    own = found.frame[found.frame["value"].notna()]
    kinds = set(own.loc[own["metric"] == CRYPTOGRAPHIC, "value"])
    if not kinds:
        return f"{found.dataset}: no private fit has told what it spent."
    rows = own[own["metric"] == "epsilon_spent"]
    share = rows["value"] / rows["epsilon"]
    delta = own.loc[own["metric"] == "delta_spent", "value"]
    return (
        f"{found.dataset}: fits report {100 * share.min():.1f} to {100 * share.max():.1f} % of the ε they were given, "
        f"at δ = {delta.min():.2g}{f' to {delta.max():.2g}' if delta.max() > delta.min() else ''} for "
        f"{int(rows['n'].min()):,} train rows or more. {randomness(kinds)}"
    )


def composition(found: Case) -> str:
    """Return how the budget nearest to 1 is made up, family by family."""
    own = found.frame[found.frame["value"].notna() & np.isfinite(found.frame["epsilon"])]
    delta, n = own[own["metric"] == "delta_spent"], own.loc[own["metric"] == "epsilon_spent", "n"]
    if delta.empty:
        return f"{found.dataset}: no private fit has told what it spent."
    epsilon = min(found.block.epsilons, key=lambda e: abs(math.log(e)))
    budget, rows = Budget(epsilon, float(delta["value"].min())), int(n.min())
    each = [
        f"{style.label(name)}: "
        f"{private_budget.composed(name, found.block.families[name].settings, budget=budget, n=rows)}"
        for name in found.families
    ]
    return f"{found.dataset}: how ε = {epsilon:g} is made up on {rows:,} train rows. {'. '.join(each)}."


def randomness(kinds: set[float]) -> str:
    """Return where the noise came from (1: a cryptographic generator, 0: the study's seed)."""
    if kinds == {0.0}:
        return private_budget.SEEDED
    if kinds == {1.0}:
        return private_budget.CRYPTOGRAPHIC
    return (
        "Noise came from the study's seed in some fits, which are not for release, and from a cryptographic generator."
    )


def named(epsilon: float) -> str:
    """Return a budget in words."""
    return f"{epsilon:g}" if math.isfinite(epsilon) else "none tried"
