"""How is the answer for a table said in words?

Each sentence is computed from an `Answer`: the numbers, their intervals and the number of splits stand in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from synthcohort.comparison.intervals import Arm, Interval
from synthcohort.comparison.standing import Across
from synthcohort.figures import labels, style
from synthcohort.report.tables import number
from synthcohort.report.trust import MEMORISATION_LIMIT, Answer, Choice


def sentences(answer: Answer) -> list[str]:
    """Return the answer to "which generator may I trust with this table, and for what?"."""
    said = [_utility(answer), _trusted(answer), _fidelity(answer.fidelity), _privacy(answer.privacy)]
    return [sentence for sentence in [*said, _augmentation(answer)] if sentence]


def said(interval: Interval) -> str:
    """Return a mean over splits with its interval, if it has one."""
    return estimate(interval, f"{interval.splits} split")


def estimate(found: Interval | Across, sample: str) -> str:
    """Return a mean with its interval, or that the `sample`, such as "1 split", gives none."""
    if not math.isfinite(found.mean):
        return "no value"
    if not math.isfinite(found.low):
        return f"{number(found.mean)} (no interval from {sample})"
    return f"{number(found.mean)} [{number(found.low)}, {number(found.high)}]"


def listed(generators: tuple[str, ...] | list[str]) -> str:
    """Return names as a reader would list them."""
    shown = [style.label(name) for name in generators]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def first(generators: Sequence[str], most: int = 3) -> str:
    """Return all names, or where that makes a long list the first of them and how many more there are."""
    shown = generators if len(generators) <= most + 1 else generators[:most]
    names = ", ".join(style.label(name) for name in shown)
    return names if shown is generators else f"{names} and {len(generators) - most} others"


def arm(which: Arm) -> str:
    """Return a generator with the share of full balance it adds."""
    share = which.condition.removeprefix("minority_")
    return f"{style.label(which.generator)} at share {share}" if share != which.condition else which.generator


def _ties(best: Choice) -> str:
    return f"; not distinguishable from it: {first(best.ties)}" if best.ties else ""


def _utility(answer: Answer) -> str:
    best = answer.utility
    if best is None:
        return "No method has a utility score on this table."
    gap = answer.loss
    verdict = "less than" if gap.high < 0 else "more than" if gap.low > 0 else "not distinguishable from"
    return (
        f"To train a model: {style.label(best.best.generator)}, {labels.short_label(best.metric)} "
        f"{said(best.interval)} over {best.interval.splits} splits{_ties(best)}. That is {verdict} what the real "
        f"train rows give, {said(answer.real)} (paired difference {said(gap)})."
    )


def _trusted(answer: Answer) -> str:
    limit = f"memorisation whose whole interval is below {MEMORISATION_LIMIT:g}"
    open_ones = f" Too few splits to tell for {first(answer.undecided)}." if answer.undecided else ""
    if answer.trusted is None:
        return f"To hand out: no method has a {limit}, so these distances recommend none.{open_ones}"
    best = answer.trusted
    return (
        f"To hand out: among methods with a {limit}, {style.label(best.best.generator)} is the most useful, "
        f"{labels.short_label(best.metric)} {said(best.interval)}.{_attacked(answer)} A small memorisation is no proof "
        f"of safety.{open_ones}"
    )


def _attacked(answer: Answer) -> str:
    if answer.attack is None:
        return ""
    found = answer.attack.interval
    word = "finds members" if found.low > 0.5 else "does not surely find members"
    return (
        f" The best of the membership attacks on it {word}: {labels.short_label(answer.attack.metric)} "
        f"{said(found)} (0.5: chance)."
    )


def _fidelity(best: Choice | None) -> str:
    if best is None:
        return ""
    return (
        f"To look at: {style.label(best.best.generator)} is hardest to tell from real rows, "
        f"{labels.short_label(best.metric)} {said(best.interval)} (0.5 would be impossible to tell){_ties(best)}."
    )


def _privacy(best: Choice | None) -> str:
    if best is None:
        return ""
    return f"Least memorisation: {style.label(best.best.generator)}, {said(best.interval)}{_ties(best)}."


def _augmentation(answer: Answer) -> str:
    best, rival, gain = answer.augmentation, answer.rival, answer.gain
    if best is None or rival is None:
        return "This table has no minority to augment."
    verdict = "beats" if gain.low > 0 else "falls behind" if gain.high < 0 else "is not distinguishable from"
    return (
        f"To help a rare class: {arm(best.best)} has the best {labels.short_label(best.metric)}, "
        f"{said(best.interval)}; it {verdict} the best rival without a generator, "
        f"{rival.best.condition.replace('_', ' ')} with "
        f"{said(rival.interval)} (paired difference {said(gain)})."
    )
