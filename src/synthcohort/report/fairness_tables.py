"""Which tables and captions stand on the page about fairness?"""

from __future__ import annotations

import math

from synthcohort.comparison.intervals import Interval
from synthcohort.comparison.matched import Matched
from synthcohort.figures import style
from synthcohort.report.fairness import Case
from synthcohort.report.fairness_published import BALANCED, OURS, SOURCE
from synthcohort.report.questions import counted
from synthcohort.report.tables import Cell, interval, number, table
from synthcohort.sensitive import OBSERVED

_ROWS = {"shape_asked": "Shape", "trend_asked": "Trend", "joint_gap": "gap to the joint"}


def curves_note(case: Case) -> str:
    """Return the caption of the figure."""
    dials = ", ".join(f"{dial:g}" for dial in case.dials)
    beside = (
        f" Crosses: {SOURCE}, named where they aim at fairness; another classifier and other splits."
        if case.published
        else ""
    )
    return (
        f"{case.name}: means over {_splits(case)} of models judged on real test rows, a line an arm, from the joint as "
        f"observed (open) to the balanced one (filled), dials {dials}. Vertical bars: {_confidence(case)} intervals "
        f"(corrected resampled t) of the balanced ones. A ratio that is 0/0 on a split is left out there.{beside}"
    )


def headlines(case: Case) -> str:
    """Return AUROC, the two ratios and the fidelity of every arm, at the last dial of every ask."""
    rows, all_splits = [], case.frame["split"].nunique()
    for text, conditions in case.asks.items():
        for arm in case.arms:
            cells = [
                _cell(case.mean(arm, metric, conditions[-1]), all_splits) for metric in ("auroc", *case.ratios, *_ROWS)
            ]
            rows.append([text, Cell(style.label(arm), css="text"), *cells])
    plain = [_cell(case.mean(case.arms[0], metric, OBSERVED), all_splits) for metric in ("auroc", *case.ratios)]
    first = [["nothing balanced", Cell("real rows", css="text"), *plain, *(Cell("–") for _ in _ROWS)]]
    has_real = "resampled" in case.arms
    head = ["what is balanced", "arm", "AUROC", *case.ratios.values(), *_ROWS.values()]
    return table(head, [*(first if has_real else []), *rows], text=(0, 1))


def headlines_note(case: Case) -> str:
    """Return the caption of the table of headline numbers."""
    return (
        f"{case.name}: means over {_splits(case)} with their {_confidence(case)} intervals, every arm balanced in "
        "full. Shape and Trend: against real test rows weighted to the joint that was asked for. Gap: total variation "
        "between the joint asked for and the one the rows have. Arms without rows of their own have none of the three. "
        "–: no value, as where a ratio is 0/0 on every split."
    )


def verdicts(case: Case) -> str:
    """Return the gain of every generator over every rival at the same AUROC, by both ratios."""
    rivals = case.rivals()
    found = {(one.metric, one.first, one.second): one for rival in rivals for one in case.against(rival)}
    rows = [
        [title, Cell(style.label(arm), css="text"), *(_gain(found[metric, arm, rival]) for rival in rivals)]
        for metric, title in case.ratios.items()
        for arm in case.methods
    ]
    return table(["gain in", "generator", *(f"over {style.label(rival)}" for rival in rivals)], rows, text=(0, 1))


def verdicts_note(case: Case) -> str:
    """Return the caption of the table of gains."""
    return (
        f"{case.name}: fairness of a model of the generator's balanced rows less what the rival offers at the same "
        f"AUROC or a higher one, mean over the splits where it reaches that AUROC, with its {_confidence(case)} "
        "interval. Green: above 0; red: below; grey: neither. In the verdicts, comparisons with one rival are "
        "read together and count after Holm's adjustment only."
    )


def beside(case: Case) -> str:
    """Return the published rows with ours: AUROC and the two ratios, by either of their protocols and here."""
    rows, all_splits = [], case.frame["split"].nunique()
    for row in case.published:
        arm = OURS.get(row.method, "")
        asked = case.conditions(case.columns)[-1] if arm in BALANCED else OBSERVED
        ours = [case.mean(arm, metric, asked) for metric in ("auroc", *case.ratios)]
        rows.append([row.method, _three(row.original), _three(row.uniform), *(_cell(one, all_splits) for one in ours)])
    head = ["method", "reported", "reported, uniform", *(f"here: {name}" for name in ("AUROC", *case.ratios.values()))]
    return table(head, rows)


def beside_note(case: Case) -> str:
    """Return the caption of the table of published rows."""
    return (
        f"{case.name}: AUROC · demographic parity ratio · equalized odds ratio as reported ({SOURCE}; CatBoost, one "
        "split, three seeds), for rows as they are and with sensitive columns replaced at random; here XGBoost over "
        f"{_splits(case)}. Rows as observed, but for methods that balance. –: not run here."
    )


def _gain(one: Matched) -> Cell:
    if not one.gain.splits:
        return Cell("–", f"no common AUROC on {counted(one.lost, 'split')}")
    known = math.isfinite(one.gain.low)
    bounds = f"[{one.gain.low:+.3f}, {one.gain.high:+.3f}]" if known else "no interval"
    without = f", {one.lost} without" if one.lost else ""
    return Cell(f"{one.gain.mean:+.3f}", f"{bounds}{without}", badge=one.word)


def _cell(found: Interval, all_splits: int) -> Cell:
    """Return a mean with its interval, and how many splits have a value if some have none."""
    cell = interval(found.mean, found.low, found.high)
    if not 0 < found.splits < all_splits:
        return cell
    return Cell(cell.text, f"{cell.note} of {counted(found.splits, 'split')}".strip())


def _three(values: tuple[float, float, float]) -> Cell:
    return Cell(" · ".join(number(value) for value in values))


def _splits(case: Case) -> str:
    return counted(int(case.frame["split"].nunique()), "split")


def _confidence(case: Case) -> str:
    return f"{100 * case.resampling.confidence:g} %"
