"""Do attacks agree with the budgets that are claimed? What the page says and shows.

Of every audited generator and budget: the claim, and the lower bound of each thing that was looked at: the rows it
draws, its training loop from the inside, and that loop with two faults made on purpose. A sound mechanism keeps its
bound at or below its claim; a fault is caught where the bound lies above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from synthcohort.comparison.intervals import load_scores
from synthcohort.figures import style
from synthcohort.report.questions import counted
from synthcohort.report.tables import Cell, number, table
from synthcohort.study import Study

SOUND = {"rows": "synthetic rows", "loop": "training loop"}
FAULTS = {"unclipped": "loop without clipping", "reused_noise": "loop with reused noise"}
NAMED = {**SOUND, **FAULTS}


@dataclass(frozen=True)
class Audits:
    """Every audit of the study.

    Args:
        found: columns dataset, generator, epsilon (the budget), audited (a key of `NAMED`), claimed, bound, ceiling,
            guesses, accuracy; one row an audit.
        confidence: of the bounds.
    """

    found: pd.DataFrame
    confidence: float

    def of(self, kinds: dict[str, str]) -> pd.DataFrame:
        """Return the audits of some kinds."""
        return self.found[self.found["audited"].isin(list(kinds))]

    @property
    def provable(self) -> pd.DataFrame:
        """The audits of faults whose claim is below what so many canaries can refute."""
        faults = self.of(FAULTS)
        return faults[faults["claimed"] < faults["ceiling"]]

    def answer(self) -> str:
        """Return whether bounds stay at or below the claims of sound mechanisms."""
        sound = self.of(SOUND)
        over = sound[sound["bound"] > sound["claimed"]]
        percent = f"{100 * self.confidence:g} %"
        if over.empty:
            return (
                f"Supported: in {counted(len(sound), 'audit')} no lower bound lies above its claim. The largest share "
                f"of a claim that a bound reaches is {100 * (sound['bound'] / sound['claimed']).max():.0f} %. Each "
                f"bound holds with {percent} confidence; a low one says that these attacks found little, not that "
                "there is little to find."
            )
        named = "; ".join(f"{_name(row)} {number(row.bound)} above {number(row.claimed)}" for row in over.itertuples())
        return (
            f"Contradicted: in {len(over)} of {counted(len(sound), 'audit')} the lower bound lies above the claim: "
            f"{named}. Each bound holds with {percent} confidence: of so many, at most "
            f"{len(sound) * (1 - self.confidence):.1f} are expected above by chance."
        )

    def controls(self) -> str:
        """Return whether the audit catches mechanisms that are broken on purpose."""
        known = self.provable
        if known.empty:
            return "The audit was not tried on a broken mechanism whose claim so many canaries can refute."
        said = []
        for name, title in FAULTS.items():
            own = known[known["audited"] == name]
            caught = int((own["bound"] > own["claimed"]).sum())
            said.append(f"{title}: caught in {caught} of {len(own)}")
        ceiling = known["ceiling"].max()
        return (
            f"Broken on purpose, with claims below what so many canaries can refute ({number(ceiling, 2)}): "
            f"{'; '.join(said)}."
        )


def find(study: Study) -> Audits | None:
    """Return the audits that have bounds, in the study's order; None without one."""
    block = study.params.audit
    paths = [study.paths.audit(dataset, name) for dataset in block.tables for name in block.families]
    there = [path for path in paths if path.is_file()]
    frame = load_scores(there) if there else None
    if frame is None or frame["value"].isna().all():
        return None
    return audits(frame, study.params.study.confidence, block.tables, list(block.families))


def audits(frame: pd.DataFrame, confidence: float, tables: list[str], families: list[str]) -> Audits:
    """Gather the tidy scores of all audits, tables and families in the order given."""
    keys = ["dataset", "generator", "condition"]
    known = frame[frame["value"].notna()].set_index([*keys, "metric"]).sort_index()
    rows = []
    for dataset, generator, condition in known.index.droplevel("metric").unique():
        own = known.loc[(dataset, generator, condition)]
        for audited in [name for name in NAMED if f"audit_epsilon_{name}" in own.index]:
            bound = own.loc[f"audit_epsilon_{audited}"]
            epsilon = float(condition.removeprefix("epsilon="))
            rows.append(
                {
                    "dataset": dataset, "generator": generator, "epsilon": epsilon, "audited": audited,
                    "claimed": float(own.loc["audit_epsilon_claimed", "value"]) if audited == "rows" else epsilon,
                    "bound": float(bound["value"]), "guesses": int(bound["n"]),
                    "accuracy": float(own.loc[f"audit_accuracy_{audited}", "value"]),
                    "ceiling": float(own.loc[f"audit_ceiling_{audited}", "value"]),
                    "canaries": int(own.loc[f"audit_ceiling_{audited}", "n"]),
                }
            )  # fmt: skip
    found = pd.DataFrame(rows)
    order = found.assign(
        _table=found["dataset"].map(tables.index),
        _family=found["generator"].map(families.index),
        _kind=found["audited"].map(list(NAMED).index),
    )
    ordered = order.sort_values(["_table", "_family", "_kind", "epsilon"], kind="stable", ignore_index=True)
    return Audits(ordered[list(found.columns)], confidence)


def points(found: Audits) -> pd.DataFrame:
    """Return what the figure draws: name, claimed, bound."""
    names = [f"{_name(row)}, ε = {row.epsilon:g}" for row in found.found.itertuples()]
    return found.found.assign(name=names)[["name", "claimed", "bound"]]


def figure_note(found: Audits) -> str:
    """Return the caption of the figure."""
    sizes = found.found.groupby("audited")["canaries"].max()
    canaries = "; ".join(f"{NAMED[name]}: {size:,}" for name, size in sizes.items())
    return (
        f"Claimed ε and its lower bound at {100 * found.confidence:g} % confidence from one run [Steinke 2023]. "
        f"Canaries, each in or out by a fair coin: {canaries}. The axis is linear near 0."
    )


def bounds_table(found: Audits) -> str:
    """Return every audit, a row each."""
    rows = [
        [
            Cell(row.dataset, css="text"), Cell(style.label(row.generator), css="text"),
            Cell(NAMED[row.audited], css="text"), number(row.claimed, 2),
            Cell(number(row.bound, 2), badge=_badge(row)), number(row.ceiling, 2),
            Cell(f"{100 * row.accuracy:.1f} %", f"of {row.guesses:,}"),
        ]
        for row in found.found.itertuples()
    ]  # fmt: skip
    head = ["table", "generator", "audited", "claimed ε", "lower bound", "ceiling", "guesses right"]
    return table(head, rows, text=(0, 1, 2))


def bounds_note(found: Audits) -> str:
    """Return the caption of that table."""
    return (
        "Green: as it should be, at or below the claim of a sound mechanism, above that of a broken one; red: "
        "otherwise; grey: broken, but its claim is above the ceiling, the bound that right guesses on all canaries "
        "would give. "
        f"Confidence {100 * found.confidence:g} %, all attacks and numbers of guesses taken into account."
    )


def limits(found: Audits) -> list[str]:
    """Return what the audit cannot say."""
    rows = found.of({"rows": ""})
    weak = rows[rows["ceiling"] < rows["claimed"]]
    said = [
        "a bound of 0: these attacks found nothing. Rows alone show far less than gradients do, so that their bounds "
        "are lower.",
        "another run: canaries and coins are drawn once for a table, and every bound is of a single fit.",
    ]
    if len(weak):
        named = ", ".join(sorted({f"{e:g}" for e in weak["epsilon"]}, key=float))
        said.append(f"more canaries: of the rows, claims of ε = {named} lie above what so few canaries can refute.")
    return said


def _badge(row: Any) -> str:
    bound, claimed = float(row.bound), float(row.claimed)
    if row.audited in SOUND:
        return "supported" if bound <= claimed else "contradicted"
    if claimed >= float(row.ceiling):
        return "undecided"
    return "supported" if bound > claimed else "contradicted"


def _name(row: Any) -> str:
    return f"{row.dataset}, {style.label(row.generator)}, {NAMED[row.audited]}"
