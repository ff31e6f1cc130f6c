"""What did the study find, in one file that pages and README quote?

`reports/findings.json` holds the verdict on every claim, the answer for every table and the headline numbers behind
them. It is computed from the score files alone.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from synthcohort.comparison.claims import Claim, Verdict, judge_claim
from synthcohort.comparison.intervals import Interval, Resampling, summarise
from synthcohort.figures.style import REAL
from synthcohort.report import gathering
from synthcohort.report.trust import FIDELITY, PRIVACY, Answer, Choice, answer, utility_metric
from synthcohort.report.verdicts import sentences
from synthcohort.study import Study

HEADLINES = ("shape", "trend", FIDELITY, PRIVACY)


@dataclass(frozen=True)
class Findings:
    """All the study found.

    Args:
        answers: one per table that has scores.
        verdicts: one per claim.
        skipped: dataset -> why it was not run on this machine.
        headlines: tidy: dataset, generator, metric, mean, low, high, splits.
        resampling: how splits and intervals were made.
        splits: number of splits asked for, as text: tables may differ ("3 to 10").
    """

    answers: tuple[Answer, ...]
    verdicts: tuple[Verdict, ...]
    skipped: dict[str, str]
    headlines: pd.DataFrame
    resampling: Resampling
    splits: str


def find(study: Study) -> Findings:
    """Compute the findings from the score files of the study."""
    frame = gathering.all_scores(study)
    how = gathering.resampling(study)
    scored = [dataset for dataset in study.params.datasets if (frame["dataset"] == dataset).any()]
    claims = study.params.claims.items()
    return Findings(
        answers=tuple(answer(frame, dataset, how) for dataset in scored),
        verdicts=tuple(judge_claim(frame, name, claim, _with_both(study, claim), how) for name, claim in claims),
        skipped=gathering.skipped(study),
        headlines=_headlines(frame, how),
        resampling=how,
        splits=_count(study),
    )


def _with_both(study: Study, claim: Claim) -> list[str]:
    """Return the tables on which both arms of a claim are asked for."""
    arms = {claim.better, claim.worse} - {REAL}
    return [dataset for dataset in gathering.compared(study) if arms.issubset(study.generators(dataset))]


def _count(study: Study) -> str:
    counts = sorted({study.splits(dataset) for dataset in gathering.compared(study)}) or [0]
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def write(findings: Findings, path: Path) -> None:
    """Write the findings as JSON: sorted, rounded to 6 digits, missing numbers as null."""
    record = {
        "splits": findings.splits,
        "confidence": findings.resampling.confidence,
        "skipped": findings.skipped,
        "tables": {found.dataset: _table(found, findings.headlines) for found in findings.answers},
        "claims": [asdict(verdict) for verdict in findings.verdicts],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(_plain(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def read(path: Path) -> dict[str, Any]:
    """Read what `write` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def _headlines(frame: pd.DataFrame, how: Resampling) -> pd.DataFrame:
    parts = []
    for _, own in frame.groupby("dataset", sort=False):
        metric = utility_metric(own)
        wanted = own[own["metric"].isin([*HEADLINES, metric, metric.replace("tstr_", "trtr_")])]
        parts.append(summarise(wanted[wanted["condition"] == "as_observed"], how))
    columns = ["dataset", "generator", "metric", "mean", "low", "high", "splits"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _table(found: Answer, headlines: pd.DataFrame) -> dict[str, Any]:
    own = headlines[headlines["dataset"] == found.dataset]
    numbers: dict[str, dict[str, Any]] = {}
    for row in own.itertuples():
        entry = {"mean": row.mean, "low": row.low, "high": row.high, "splits": row.splits}
        numbers.setdefault(str(row.generator), {})[str(row.metric)] = entry
    choices = {name: _choice(getattr(found, name)) for name in _CHOICES}
    intervals = {name: _interval(getattr(found, name)) for name in ("real", "loss", "gain")}
    return {
        **choices,
        "attack": None if found.attack is None else {"metric": found.attack.metric, **_interval(found.attack.interval)},
        "undecided": list(found.undecided),
        **intervals,
        "sentences": sentences(found),
        "generators": numbers,
    }


_CHOICES = ("utility", "fidelity", "privacy", "trusted", "augmentation", "rival")


def _choice(choice: Choice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    return {**asdict(choice.best), "metric": choice.metric, **_interval(choice.interval), "ties": list(choice.ties)}


def _interval(interval: Interval) -> dict[str, Any]:
    return asdict(interval)


def _plain(value: Any) -> Any:
    """Return `value` with JSON's own types: numbers rounded, NaN as null."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
