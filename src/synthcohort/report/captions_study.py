"""What do the pages that compare generators say under their figures?

Every sentence is computed from the frame that the figure shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from synthcohort.comparison.claims import TableVerdict, Verdict
from synthcohort.comparison.intervals import Interval
from synthcohort.figures import style
from synthcohort.report.findings import Findings
from synthcohort.report.gathering import Machine
from synthcohort.report.tables import number
from synthcohort.report.trust import MEMORISATION_LIMIT
from synthcohort.report.verdicts import said
from synthcohort.schema import Schema

LIBRARIES = ("torch", "numpy", "scikit-learn", "xgboost")  # whose versions bear on costs and scores


def table_note(how: str) -> str:
    """Return the caption of the table of headline metrics."""
    return (
        f"{how} Best method of each column in green; the real table and the sentinels stand apart in italics. In the "
        "row of the real table, fresh real rows are judged as if they were synthetic, and models are trained on real "
        "train rows."
    )


def compact_note() -> str:
    """Return the caption of the table of metrics that head no axis."""
    return "Means over splits, without intervals; best method of each row in green, and not therefore told apart."


def scores(points: pd.DataFrame, how: str) -> str:
    """Return the caption of a figure of scores: rows, splits, kind of interval."""
    known = points[points["value"].notna()]
    if not len(known):
        return "No split gave a score."
    low, high = known["n"].min(), known["n"].max()
    rows = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return (
        f"Points: splits ({known['split'].nunique()}), each on {rows} rows; bars: {how[0].lower()}{how[1:]} The "
        "frame fits the "
        "methods and the real table; an arrow tells where a sentinel lies beyond it, and bars may be cut."
    )


def trade_off(how: str) -> str:
    """Return the caption of privacy against utility."""
    return (
        f"{how} The frame fits the methods: a sentinel may lie below it. Dotted: no "
        f"memorisation; dashed: the real train rows. Safe enough here: a bar that ends left of {MEMORISATION_LIMIT:g}."
    )


def augmentation(arms: pd.DataFrame, how: str) -> str:
    """Return the caption of augmentation."""
    rivals = ", ".join(str(arm).replace("_", " ") for arm in sorted(arms["rival"].dropna().unique()))
    shares = ", ".join(f"{share:g}" for share in sorted(arms["share"].dropna().unique()))
    return (
        f"Synthetic minority rows were added at shares {shares} of what full balance takes, the smallest share at the "
        f"top of a generator's row; black lines need no generator: {rivals}. {how} The frame fits the means, bars may "
        "be cut."
    )


def overlay(train: pd.DataFrame, columns: list[str], schema: Schema, *, floor: int = 0) -> str:
    """Return the caption of the overlaid marginals; `floor` as in the figure."""
    ends = f"as far out as {floor} rows lie at or beyond" if floor else "between their 0.5 and 99.5 % quantiles"
    hidden = f" Fewer than {floor} rows of a bin or level are not drawn." if floor else ""
    left = len(schema.columns) - len(columns)
    more = f" The other {left} columns are not drawn." if left else ""
    return (
        f"First split, n = {len(train):,} real train rows (grey) and one synthetic table per generator, each "
        "row of the figure at its own scale, the same for both. Columns in "
        f"order of their mutual information with the target, numeric ones {ends}.{more}{hidden}"
    )


def gaps(found: dict[str, pd.DataFrame]) -> str:
    """Return the caption of the pair heat maps: the worst pair of each generator is the story."""
    worst = []
    for generator, gap in found.items():
        row, column = np.unravel_index(np.nanargmax(gap.to_numpy()), gap.shape)
        first, second = gap.index[row], gap.columns[column]
        worst.append(f"{generator.replace('_', ' ')} {gap.loc[first, second]:.2f} ({first} with {second})")
    return f"First split, against the train rows. Largest gap: {'; '.join(worst)}."


def embedding(explained: tuple[float, float], rows: int) -> str:
    """Return the caption of the embedding figure."""
    return (
        f"Rows of the first split in the plane of the first two principal components of its {rows:,} real train rows, "
        f"{100 * sum(explained):.0f} % of their variance. A plane can show a gap; it cannot prove that there is none."
    )


def curves(losses: pd.DataFrame) -> str:
    """Return the caption of the training curves of several generators."""
    splits = losses["split"].nunique()
    return (
        f"Thin lines: splits ({splits}); thick lines: their mean; dashed: validation rows. Each generator has a loss "
        "of its "
        "own, so heights are not comparable between panels."
    )


def cost(costs: pd.DataFrame) -> str:
    """Return the caption of a figure or table of costs."""
    known = costs[costs["metric"] == "train_cpu_seconds"].dropna(subset="value")
    if not len(known):
        return "No cost was recorded."
    means = known.groupby("generator")["value"].mean()
    slowest, fastest = (style.label(str(name)) for name in (means.idxmax(), means.idxmin()))
    return (
        f"Per split ({known['split'].nunique()} splits), on one thread. On average over what is shown, {slowest} took "
        f"longest to train, {number(means.max(), 1)} CPU seconds a fit; {fastest} was fastest, "
        f"{number(means.min(), 2)}."
    )


def cost_by_rows(costs: pd.DataFrame) -> str:
    """Return the caption of training time against table size."""
    known = costs[(costs["metric"] == "train_cpu_seconds") & costs["value"].notna()]
    total = known["value"].sum() / 60
    return f"Mean over splits; all fits together took {total:.1f} CPU minutes."


def measured_on(machines: Mapping[tuple[str, str], Machine | None]) -> list[str]:
    """Return one sentence per machine with its number of cells, the commonest first; then the cells without a record.

    Args:
        machines: (dataset, generator) -> machine; those that differ in nothing that is named count as one.
    """
    told = Counter(_machine(one) for one in machines.values() if one is not None)
    of = f"of {len(machines)} cells"
    said = [f"Measured on: {name} ({number} {of})." for name, number in told.most_common()]
    silent = [cell for cell, one in machines.items() if one is None]
    if silent:
        tables = ", ".join(dict.fromkeys(dataset for dataset, _ in silent))
        said.append(f"Measured on: not recorded ({len(silent)} {of}, on {tables}).")
    return said


def findings(found: Findings) -> str:
    """Return how many claims have which verdict."""
    if not found.verdicts:
        return "params.yaml states no claim to test."
    words = ("supported", "contradicted", "undecided")
    listed = ", ".join(f"{sum(v.verdict == word for v in found.verdicts)} {word}" for word in words)
    return f"Of {len(found.verdicts)} claims on {len(found.answers)} tables and {found.splits} splits: {listed}."


def claims(confidence: float) -> str:
    """Return the caption of the table of claims."""
    return (
        "A claim is supported if at least one table supports it and none contradicts it, and the other way round. "
        "Each "
        f"table's interval is at {100 * confidence:g} % by itself: over many tables some verdicts are due to chance."
    )


def claim(verdict: Verdict) -> str:
    """Return the caption of one claim's forest plot."""
    arms = " minus ".join(f"`{arm.generator}` ({arm.condition})" for arm in (verdict.better, verdict.worse))
    each = [_table(row) for row in verdict.tables] or ["no table is asked for both"]
    paper = f" The paper reports: {verdict.reported}." if verdict.reported else ""
    return (
        f"{verdict.source}. `{verdict.metric}`, {arms}, margin {verdict.margin:g}: {verdict.verdict} "
        f"({'; '.join(each)}).{paper}"
    )


def answers(found: Findings) -> str:
    """Return the caption of the table of answers."""
    return (
        f"Best method per question with its mean and {100 * found.resampling.confidence:g} % interval over "
        f"{found.splits} "
        "splits; after “or” those it cannot be told from. Safe enough: memorisation's interval below "
        f"{MEMORISATION_LIMIT:g}."
    )


def _machine(one: Machine) -> str:
    versions = dict(one.libraries)
    libraries = ", ".join(f"{name} {versions.get(name, 'not recorded')}" for name in LIBRARIES)
    threads = f"{one.threads} thread{'' if one.threads == 1 else 's'} of {one.cores} cores"
    where = "" if one.device == "cpu" else f", networks on {one.device}"
    return f"{one.processor}, {threads}{where}; Python {one.python}, {libraries}"


def _table(row: TableVerdict) -> str:
    if row.reason:
        return f"{row.dataset}: {row.verdict}, {row.reason}"
    difference = said(Interval(row.difference, row.low, row.high, row.splits))
    return f"{row.dataset}: {row.verdict}, {difference}, {row.splits} splits"
