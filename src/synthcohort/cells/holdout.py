"""Where are the test rows of a split, and what did a generator answer there?

Only what judges a generator imports this module; what fits one reads `rows`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from synthcohort.cells.rows import read_schema
from synthcohort.schema import Schema, read_frame


def read_test(folder: Path, split: int) -> pd.DataFrame:
    """Return the test rows of one split."""
    return read_frame(folder / f"split_{split}" / "test.csv", read_schema(folder))


def read_law(folder: Path, split: int) -> dict[str, np.ndarray] | None:
    """Return P(positive | row) of the "validation" and "test" rows of one split; None where nobody knows the law."""
    path = folder / f"split_{split}" / "law.csv"
    if not path.is_file():
        return None
    found = pd.read_csv(path)
    return {name: found.loc[found["part"] == name, "probability"].to_numpy() for name in ("validation", "test")}


def read_samples(folder: Path, split: int, schema: Schema, wanted: list[str]) -> dict[str, pd.DataFrame]:
    """Return condition -> synthetic rows of one split of a cell, for those of `wanted` that the cell could give."""
    part = folder / f"split_{split}"
    there = [name for name in wanted if (part / f"{name}.csv").is_file()]
    return {name: read_frame(part / f"{name}.csv", schema) for name in there}


def read_absence(folder: Path, split: int) -> str:
    """Return why a cell has no sample for a condition on one split, "" if it has them all."""
    part = folder / f"split_{split}"
    if not part.is_dir():
        raise FileNotFoundError(f"{folder.name}: split {split} has not been trained; run `dvc repro`")
    if (part / "failed.json").is_file():
        return str(json.loads((part / "failed.json").read_text(encoding="utf-8"))["reason"])
    reasons = json.loads((part / "absent.json").read_text(encoding="utf-8"))
    return "; ".join(f"{condition}: {reason}" for condition, reason in reasons.items())
