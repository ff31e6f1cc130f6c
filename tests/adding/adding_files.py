"""Files as people send them, and the study they are added to."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from synthcohort import study as studies

N = 120
PARAMS = """# The whole study.   trailing blanks stay
study: {seed: 3, splits: 2, test_share: 0.25, validation_share: 0.15}   # small

datasets:
  wdbc: {}   # a comment: {with: braces}
  # one more may follow

# Generators
generators:
    independent: {}
    bootstrap: {}
    gaussian_copula: {}
metrics:
  classifiers: [xgboost]
  augmentation_classifiers: [xgboost]
  augmentation_shares: [1.0]
  max_rows_pairwise: 50
  max_rows_distance: 50
  max_rows_transport: 50
  max_rows_membership: 20
  attacks: 20
"""


def study(root: Path, text: str = PARAMS) -> studies.Study:
    """Write and open a study in `root`."""
    root.mkdir(exist_ok=True)
    (root / "params.yaml").write_bytes(text.encode())
    (root / "dvc.yaml").touch()
    return studies.load(root)


def columns(seed: int = 0, n: int = N) -> dict[str, list[str]]:
    """Columns of n patients: a binary target that depends on the first two, no trap among them."""
    draw = np.random.default_rng(seed)
    age, marker = draw.integers(18, 90, n), draw.normal(5, 1, n).round(2)
    ward = draw.choice(["north", "south", "east"], n)
    died = draw.random(n) < 1 / (1 + np.exp(-(age - 60) / 10 - marker + 5))
    return {
        "age": [str(a) for a in age],
        "marker": [f"{m:.2f}" for m in marker],
        "ward": [str(w) for w in ward],
        "died": ["yes" if d else "no" for d in died],
    }


def save(
    path: Path,
    table: Mapping[str, Sequence[str]],
    *,
    header: Sequence[str] | None = None,
    separator: str = ",",
    encoding: str = "utf-8",
) -> Path:
    """Write columns of text as a file, under other names than their keys if a header is given."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(header or list(table))
    writer.writerows(zip(*table.values(), strict=True))
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def changed(table: dict[str, list[str]], name: str, cells: Mapping[int, str]) -> dict[str, list[str]]:
    """Return the table with other cells in one column, by row."""
    return {**table, name: [cells.get(i, cell) for i, cell in enumerate(table[name])]}
