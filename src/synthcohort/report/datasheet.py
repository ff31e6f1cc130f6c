"""What must go with a synthetic table that leaves the house?

A data sheet in the order of [Gebru et al. 2021, Datasheets for Datasets, CACM 64(12)]: motivation, composition, how the
rows were made, preprocessing, uses, distribution, and what is known against it. Every number is computed; of the real
table only what its card says is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version

import pandas as pd

from synthcohort.cells.releasing import Candidate
from synthcohort.comparison.intervals import Resampling
from synthcohort.disclosure import FLOOR
from synthcohort.figures import labels, style
from synthcohort.generators import load as registry
from synthcohort.report import captions, private_budget
from synthcohort.report.gathering import Machine
from synthcohort.report.privacy_verdict import PrivacyVerdict, beside, interval
from synthcohort.report.trust import FIDELITY, utility_metric
from synthcohort.report.verdicts import said


@dataclass(frozen=True)
class Sheet:
    """All that a data sheet draws on.

    Args:
        found: the table and what made it.
        seed: of the study.
        splits: splits of the real table in the study.
        scores: tidy scores of the generator, the real table and the sentinels on this table; may be empty.
        resampling: how intervals were made.
        verdict: what the attacks say; None without scores.
        despite: why the table was handed out against the verdict, "" if it was not.
        machine: what the generator was fitted on; None if that was not recorded.
    """

    found: Candidate
    seed: int
    splits: int
    scores: pd.DataFrame
    resampling: Resampling
    verdict: PrivacyVerdict | None
    despite: str
    machine: Machine | None

    def markdown(self) -> str:
        """Return the data sheet."""
        found = self.found
        title = f"# Data sheet: synthetic rows of {captions.subject(found.card)}"
        parts = [
            (title, [f"No row of this table describes a person. It was made by a program, `{found.generator}`."]),
            ("## Why it was made", self._motivation()),
            ("## What it holds", self._composition()),
            ("## How it was made", self._making()),
            ("## Privacy", self._privacy()),
            ("## Fidelity and utility", self._quality()),
            ("## Known limits", [_points(self._limits())]),
            ("## Use, licence, source", self._terms()),
        ]
        return "\n\n".join("\n\n".join([heading, *said]) for heading, said in parts) + "\n"

    def _motivation(self) -> list[str]:
        return [
            "To let people who may not see the real rows write and try analyses. A result that matters is to be "
            "repeated on the real rows before anyone acts on it."
        ]

    def _composition(self) -> list[str]:
        found = self.found
        rows = [[c.name, c.kind, c.role, c.unit or "–", c.meaning or "–"] for c in found.schema.columns]
        return [
            f"{len(found.rows):,} rows and {len(found.schema.columns)} columns, no cell missing; the target is "
            f"`{found.schema.target.name}`. SHA-256 of the CSV: `{found.digest}`.",
            _table(["column", "kind", "role", "unit", "meaning"], rows),
        ]

    def _making(self) -> list[str]:
        found = self.found
        simulated = " The real table is itself simulated." if found.card.simulated else ""
        return [
            f"`{found.generator}` was fitted on the {len(found.train):,} train rows of split {found.split} (of "
            f"{self.splits}) of the table `{found.dataset}` and asked for as many rows, as observed. No row was "
            "altered or chosen afterwards. Missing cells of the real table, if any, had been filled with the median or "
            f"the most frequent level of the train rows.{simulated}",
            _points(
                [
                    f"Settings: `{json.dumps(found.settings, ensure_ascii=False)}`",
                    f"Seed of the study: {self.seed}; branches `fit/{found.dataset}/{found.generator}/{found.split}`",
                    f"Versions: synthcohort {version('synthcohort')}{_versions(self.machine)}",
                ]
            ),
        ]

    def _privacy(self) -> list[str]:
        promised = private_budget.promise(self.found.record, self.found.settings)
        if self.verdict is None:
            lacking = "Not measured: the study holds no privacy scores of this generator on this table."
            return [*promised, lacking]
        told = [*promised, f"**{self.verdict.sentence}**", _points(f.sentence for f in self.verdict.findings)]
        if self.despite:
            told.append(f"**Handed out despite this verdict. The reason given:** {self.despite}")
        table = beside(self.scores, self.found.generator, self.resampling)
        return [
            *told,
            _table(list(table.columns), table.to_numpy().tolist()),
            f"Means over splits with their {100 * self.resampling.confidence:g} % interval: they speak of the "
            "generator on this table, and of these rows as one of its draws. Read a privacy score between fresh real "
            "rows, which give nothing away, and the sentinels: copies of rows, and columns shuffled one by one.",
        ]

    def _quality(self) -> list[str]:
        metric = utility_metric(self.scores)
        lines = [
            ("How alike are columns, and pairs of columns (1: the same)?", ["shape", "trend"], ()),
            ("Are the rows told from real ones (0.5: no better than chance)?", [FIDELITY], ()),
            (
                "Does a model trained on them work on real rows?",
                [metric],
                (style.REAL, metric.replace("tstr_", "trtr_")),
            ),
        ]
        return [_points(f"{question} {self._scored(wanted, real)}" for question, wanted, real in lines)]

    def _scored(self, wanted: list[str], real: tuple[str, ...]) -> str:
        told = [
            f"{labels.short_label(m)} {said(interval(self.scores, m, self.found.generator, self.resampling))}"
            for m in wanted
        ]
        if real:
            told.append(f"trained on real rows {said(interval(self.scores, real[1], real[0], self.resampling))}")
        return "; ".join(told) + "."

    def _limits(self) -> list[str]:
        found = self.found
        private = "private" in registry.find(found.generator).abilities
        return [
            "An attack that fails proves nothing about other attacks. Distances and attacks are measured on average "
            "over rows; the most exposed patients are at more risk than that."
            + ("" if private else " The generator gives no bound such as differential privacy does."),
            found.exposed(FLOOR),
            "What is wrong or one-sided in the real table is here again; what few rows show was learned from few rows, "
            "so small groups are the least faithful part.",
            "Intervals and tests computed from it as if its rows were patients are too narrow: they know nothing of "
            "the error of the generator.",
        ]

    def _terms(self) -> list[str]:
        card = self.found.card
        restricted = " The real table is restricted: its terms bind whoever hands this on." if card.restricted else ""
        return [
            f"Real table: {card.title}, {card.publisher}. Licence or terms: {card.licence}.{restricted} Cite: "
            f"{card.citation}.",
            *([_points(card.urls)] if card.urls else []),
            *([_points(card.quirks)] if card.quirks else []),
        ]


def _points(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in lines)


def _versions(machine: Machine | None) -> str:
    if machine is None:
        return "; those of the libraries were not recorded"
    return f", Python {machine.python}, " + ", ".join(f"{name} {number}" for name, number in machine.libraries)
