"""Which synthetic table would be handed out, what made it, and are the scores those of this very table?

A cell may have been trained again after it was judged. Memorisation takes seconds, so it is computed again from the
rows that would go and compared with the score file: scores of other rows must not vouch for these.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from synthcohort.cells.holdout import read_test
from synthcohort.cells.rows import read_card, read_development, read_schema
from synthcohort.datasets import restricted
from synthcohort.datasets.table import Card
from synthcohort.disclosure import outer
from synthcohort.metrics.privacy import privacy_scores
from synthcohort.schema import Schema, read_frame
from synthcohort.study import Study

ASKED = "as_observed"
SAME = 1e-6  # score files hold ten digits


class ReleaseError(ValueError):
    """A synthetic table is not handed out; the message says why, and which command mends it."""


@dataclass(frozen=True)
class Candidate:
    """A synthetic table that may be handed out.

    Args:
        dataset, generator, split: whose it is.
        path: its CSV.
        rows: [m, P + Q] its rows.
        train: [n, P + Q] the real rows its generator learned from.
        schema, card: of the real table.
        settings: the generator's hyperparameters as they were.
        record: what the fit wrote down of itself, such as the privacy it spent.
        digest: SHA-256 of the CSV.
    """

    dataset: str
    generator: str
    split: int
    path: Path
    rows: pd.DataFrame
    train: pd.DataFrame
    schema: Schema
    card: Card
    settings: dict[str, Any]
    record: dict[str, Any]
    digest: str

    def exposed(self, floor: int) -> str:
        """Return what of it may be rare levels and extreme numbers of real rows: those of fewer than `floor`."""
        rare, far = self._rare_levels(floor), self._far_columns(floor)
        return (
            f"It shows {rare} level{'' if rare == 1 else 's'} that fewer than {floor} train rows have, and {far} of "
            f"{len(self.schema.numeric)} numeric columns reach beyond the values that {floor} train rows lie at or "
            "beyond: rare levels and extreme numbers may be those of real patients."
        )

    def _rare_levels(self, floor: int) -> int:
        count = 0
        for column in self.schema.categorical:
            real = self.train[column.name].value_counts()
            count += sum(real.get(level, 0) < floor for level in self.rows[column.name].unique())
        return count

    def _far_columns(self, floor: int) -> int:
        ends = {c.name: outer(self.train[c.name], floor) for c in self.schema.numeric}
        return sum(
            found is None or self.rows[name].min() < found[0] or self.rows[name].max() > found[1]
            for name, found in ends.items()
        )


def candidate(study: Study, dataset: str, generator: str, split: int) -> Candidate:
    """Return the synthetic table of one split of a cell.

    Raises:
        ReleaseError: if the cell was not trained here, its fit failed, or it could not be asked for rows.
    """
    folder = study.paths.trained(dataset, generator) / f"split_{split}"
    path, remedy = folder / f"{ASKED}.csv", f"run `dvc repro train@{dataset}-{generator}`"
    if not folder.is_dir():
        raise ReleaseError(f"{generator} on {dataset}, split {split}: not trained on this machine; {remedy}")
    if not path.is_file():
        reason, veil = _reason(folder), restricted.veils(study).get(dataset)
        told = reason if veil is None else veil.over(reason)
        raise ReleaseError(f"{generator} on {dataset}, split {split}: the generator gave no rows; {told}")
    place = study.paths.development(dataset)
    schema = read_schema(place)
    train, _ = read_development(place, split)
    kept = json.loads((folder / "generator.json").read_text(encoding="utf-8"))
    return Candidate(
        dataset=dataset,
        generator=generator,
        split=split,
        path=path,
        rows=schema.check(read_frame(path, schema)),
        train=train,
        schema=schema,
        card=read_card(place),
        settings=kept["hyperparameters"],
        record=kept["record"],
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def check_scores(study: Study, found: Candidate, scores: pd.DataFrame) -> None:
    """Compute memorisation again and compare it with the score file's; a score that failed is not compared.

    Args:
        scores: tidy scores of the table.

    Raises:
        ReleaseError: if the scores are of other rows.
    """
    own = scores[(scores["generator"] == found.generator) & (scores["split"] == found.split)]
    own = own[(own["metric"] == "memorisation") & (own["condition"] == ASKED) & own["value"].notna()]
    if own.empty:
        return
    test = read_test(study.paths.test(found.dataset), found.split)
    rng = study.rng.branch("metrics", found.dataset, found.split).branch("privacy")
    most = study.params.metrics.max_rows_distance
    now = privacy_scores(found.train, test, found.rows, found.schema, max_rows=most, rng=rng)
    value = next(score.value for score in now if score.metric == "memorisation")
    if abs(value - float(own["value"].iloc[0])) > SAME:
        raise ReleaseError(
            f"{found.generator} on {found.dataset}: the scores are not those of the rows in {found.path.parent.name}, "
            f"whose memorisation is {value:.6g} and not {own['value'].iloc[0]:.6g}; run "
            f"`dvc repro evaluate@{found.dataset}-{found.generator}`"
        )


def _reason(folder: Path) -> str:
    for name, key in (("failed.json", "reason"), ("absent.json", ASKED)):
        if (folder / name).is_file():
            told = json.loads((folder / name).read_text(encoding="utf-8"))
            if key in told:
                return f"the reason: {told[key]}"
    return "no reason was kept; train it again"
