"""May a synthetic table leave the house? What the study's own attacks on its generator say.

Three questions, each answered by scores over the splits of the table:

- Does it copy? The whole interval of `memorisation` must lie below `MEMORISATION_LIMIT` (the convention of `trust`).
- Does a membership attack find train rows? None may catch the generator, by the rule of the page on leaks
  (`questions_leak`): above chance after Holm's adjustment over the attacks on this table; and the interval of each must
  end below `MEMBERSHIP_LIMIT`, a convention of this study.
- Does it single out? The interval of `singling_out_risk` must end below `SINGLING_LIMIT`, borrowed from the guidance on
  policy 0070 of the European Medicines Agency, where .09 is the highest acceptable probability of re-identification.

All three ask for what is sure, so few splits, whose intervals are wide, count against a table. So does a question
without a score. Answers in its favour are no proof of safety: other attacks may succeed, and none of these is a bound
as differential privacy gives one.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from synthcohort.comparison.intervals import OBSERVED, Interval, Resampling, corrected_interval
from synthcohort.figures import labels, style
from synthcohort.report.questions import Evidence
from synthcohort.report.questions_leak import CHANCE, find
from synthcohort.report.tables import number
from synthcohort.report.trust import MEMORISATION_LIMIT, PRIVACY
from synthcohort.report.verdicts import said

SINGLING_OUT = "singling_out_risk"
SINGLING_LIMIT = 0.09
MEMBERSHIP = "mia_auroc_"
MEMBERSHIP_LIMIT = 0.65
BESIDE = (style.REAL, *style.SENTINELS)
SHOWN = (
    *(PRIVACY, "mia_auroc_distance", "mia_auroc_domias", "mia_auroc_logan", "mia_auroc_monte_carlo"),
    *("mia_auroc_shadow", SINGLING_OUT, "linkability_risk", "attribute_inference_risk", "exact_copies"),
)


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Args:
        sentence: the answer with its numbers.
        good: whether it lets the table go.
    """

    sentence: str
    good: bool


@dataclass(frozen=True)
class PrivacyVerdict:
    """The answers on one generator and table, in the order of the module's questions."""

    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether every answer lets the table go."""
        return all(finding.good for finding in self.findings)

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        against = sum(not finding.good for finding in self.findings)
        if against:
            return f"{against} of {len(self.findings)} answers speak against handing this table out."
        return (
            f"None of {len(self.findings)} answers speaks against handing this table out. That these attacks failed "
            "does not say that none would succeed."
        )


def missing(frame: pd.DataFrame, generator: str) -> list[str]:
    """Return which of the three questions the score files hold nothing about, not even a reason."""
    own = set(frame.loc[frame["generator"] == generator, "metric"])
    attacked = any(metric.startswith(MEMBERSHIP) for metric in own)
    return [name for name in (PRIVACY, SINGLING_OUT) if name not in own] + ([] if attacked else ["membership attacks"])


def judge(frame: pd.DataFrame, generator: str, resampling: Resampling) -> PrivacyVerdict:
    """Return the verdict on one generator from the tidy scores of one table."""
    return PrivacyVerdict(
        (
            _copies(frame, generator, resampling),
            _members(frame, generator, resampling),
            _singles(frame, generator, resampling),
        )
    )


def interval(frame: pd.DataFrame, metric: str, generator: str, resampling: Resampling) -> Interval:
    """Return the mean over splits with its interval; of a single split the interval that its score carries."""
    own = _own(frame, metric, generator)
    known = own[own["value"].notna()]
    if len(known) == 1:
        one = known.iloc[0]
        return Interval(float(one["value"]), float(one["low"]), float(one["high"]), 1)
    return corrected_interval(known["value"].to_numpy(), resampling)


def beside(frame: pd.DataFrame, generator: str, resampling: Resampling) -> pd.DataFrame:
    """Return the privacy scores of the generator beside the real table's and the sentinels', as text.

    Returns:
        A row for each of `SHOWN` with a score of the generator; columns "score", then a name for each arm.
    """
    arms = [generator, *(name for name in BESIDE if name != generator)]
    rows = [
        {"score": labels.metric_label(metric), **{_arm(a): said(interval(frame, metric, a, resampling)) for a in arms}}
        for metric in SHOWN
        if len(_own(frame, metric, generator))
    ]
    return pd.DataFrame(rows, columns=["score", *(_arm(a) for a in arms)])


def _arm(generator: str) -> str:
    apart = {style.REAL: "fresh real rows", "bootstrap": "bootstrap (copies)", "independent": "independent (shuffled)"}
    return apart.get(generator, style.label(generator))


def _own(frame: pd.DataFrame, metric: str, generator: str) -> pd.DataFrame:
    return frame[(frame["metric"] == metric) & (frame["generator"] == generator) & (frame["condition"] == OBSERVED)]


def _unknown(frame: pd.DataFrame, metric: str, generator: str) -> Finding:
    notes = _own(frame, metric, generator)["note"]
    reason = next((str(note) for note in notes if note), "there is no score")
    return Finding(
        f"{labels.short_label(metric)}: not measured ({reason.rstrip('.')}), which counts against it.", False
    )


def _copies(frame: pd.DataFrame, generator: str, resampling: Resampling) -> Finding:
    found = interval(frame, PRIVACY, generator, resampling)
    if not found.splits:
        return _unknown(frame, PRIVACY, generator)
    good = found.high < MEMORISATION_LIMIT
    limit = f"below {MEMORISATION_LIMIT:g}, this study's limit (0: fresh rows, 1: copies)"
    return Finding(f"Memorisation {said(found)}: {'surely' if good else 'not surely'} {limit}.", good)


def _members(frame: pd.DataFrame, generator: str, resampling: Resampling) -> Finding:
    own = frame[frame["generator"] == generator]
    attacks = find(Evidence(own, [generator], resampling, {})).attacks
    if attacks.empty:
        return Finding("Membership attacks: none has a score, which counts against it.", False)
    caught = attacks[attacks["caught"]]
    open_ones = attacks[~(attacks["high"] < MEMBERSHIP_LIMIT)]
    if not caught.empty:
        return Finding(
            f"Membership: {len(caught)} of {len(attacks)} attacks find train rows; {_told(caught, 'mean')}.", False
        )
    if not open_ones.empty:
        return Finding(
            f"Membership: none of {len(attacks)} attacks finds train rows, but of {len(open_ones)} the AUROC is not "
            f"surely below {MEMBERSHIP_LIMIT:g}; {_told(open_ones, 'high')}.",
            False,
        )
    return Finding(
        f"Membership: none of {len(attacks)} attacks finds train rows, AUROC surely below {MEMBERSHIP_LIMIT:g}; "
        f"{_told(attacks, 'mean')}.",
        True,
    )


def _told(attacks: pd.DataFrame, by: str) -> str:
    """Return the attack that leads in a column, with its area under the curve."""
    top = attacks.sort_values(by, kind="stable").iloc[-1]
    area = f"{number(top['mean'])} [{number(top['low'])}, {number(top['high'])}]"
    return f"the best has AUROC {area}, {labels.ATTACKS[str(top['attack'])]} ({CHANCE:g}: chance)"


def _singles(frame: pd.DataFrame, generator: str, resampling: Resampling) -> Finding:
    found = interval(frame, SINGLING_OUT, generator, resampling)
    if not found.splits:
        return _unknown(frame, SINGLING_OUT, generator)
    good = found.high < SINGLING_LIMIT
    word = "predicates made from it single out train rows; " if found.low > 0 else ""
    limit = f"{'surely' if good else 'not surely'} below {SINGLING_LIMIT:g}"
    return Finding(
        f"{labels.short_label(SINGLING_OUT)} {said(found)}: {word}{limit} (0: no more than on fresh rows).", good
    )
