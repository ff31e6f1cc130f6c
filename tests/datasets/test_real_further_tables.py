"""Are the further published tables read as their publishers describe them? Needs SYNTHCOHORT_DATA_MIRROR."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcohort.datasets import fetch
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.further_tables import FURTHER_TABLES
from synthcohort.datasets.load import load
from synthcohort.datasets.table import Table
from synthcohort.preparation import prepare, unseen_levels
from synthcohort.rng import Rng
from synthcohort.splits import fingerprints, make_splits
from synthcohort.study import DatasetBlock

MIRROR = os.environ.get(fetch.MIRROR, "")
pytestmark = pytest.mark.skipif(not MIRROR, reason=f"{fetch.MIRROR} is not set: the published tables are not here")
Find = Callable[[str], Table]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Find:
    """Return what reads a table from the mirror, or skips the test if the mirror has no folder for it."""
    root = tmp_path_factory.mktemp("study")

    @cache
    def find(name: str) -> Table:
        if not _shelf(name).is_dir():
            pytest.skip(f"the mirror has no {_shelf(name).name}")
        assert not fetch.bring(name, DatasetBlock(), root / "data" / name).skipped
        return load(name, DatasetBlock(), root / "data" / name)

    return find


def _shelf(name: str) -> Path:
    return Path(MIRROR) / (CATALOGUE[name].shelf or name)


@pytest.mark.parametrize(
    ("name", "shape", "positive", "cases", "absent"),
    [
        ("california", (20_640, 10), "", 0, {"total_bedrooms": 207}),
        ("insurance", (1338, 7), "", 0, {}),
        ("churn", (10_000, 11), "1", 2037, {}),
        ("cardio", (70_000, 12), "1", 34_979, {"height": 30, "weight": 7, "ap_hi": 228 + 103, "ap_lo": 1006 + 103}),
        ("heart_failure", (299, 12), "1", 96, {}),
    ],
)
def test_shape_classes_and_missing_cells(
    table: Find, name: str, shape: tuple[int, int], positive: str, cases: int, absent: dict[str, int]
) -> None:
    found = table(name)
    assert found.frame.shape == shape and found.schema.positive == positive
    assert (found.frame[found.schema.target.name] == positive).sum() == cases
    assert {k: v for k, v in found.frame.isna().sum().items() if v} == absent
    assert all(column.meaning for column in found.schema.columns)


def test_kidney_patients_and_their_holes(table: Find) -> None:
    frame = table("ckd").frame
    assert frame.shape == (400, 25) and frame["class"].value_counts().to_dict() == {"ckd": 250, "notckd": 150}
    absent = frame.isna().sum()
    assert absent.sum() == 1012 + 4 and not absent["class"] and absent.drop("class").min() == 1
    assert (absent["rbc"], absent["rbcc"], absent["wbcc"], absent["age"]) == (152, 131, 106, 9)


def test_kidney_patients_equal_an_independent_copy(table: Find) -> None:
    """Another publisher's CSV of the same patients agrees in every cell but the four impossible ones."""
    frame = table("ckd").frame
    copy = pd.read_csv(_shelf("ckd") / "kidney_disease.csv", dtype=str, na_values=["?", "\t?"]).drop(columns="id")
    copy.columns = frame.columns
    differing = 0
    for column in table("ckd").schema.columns:
        theirs, ours = copy[column.name].str.strip(), frame[column.name]
        if column.numeric or column.name in ("sg", "al", "su"):
            theirs, ours = theirs.astype(float), ours.astype(float)
        differing += int(((theirs != ours.astype(theirs.dtype)) & ~(theirs.isna() & ours.isna())).sum())
    assert differing == 4


def test_intensive_care_stays(table: Find) -> None:
    """Of the publisher's 120 columns 24.4 % of the cells are empty; identity and outcomes, which have none, are out."""
    found = table("physionet2012")
    frame = found.frame
    assert frame.shape == (8000, 112) and (frame["In-hospital_death"] == "1").sum() == 554 + 568
    assert frame.isna().to_numpy().mean() == pytest.approx(0.2553, abs=5e-5)
    absent = frame.isna().sum()
    assert (absent["TroponinI_first"], absent["Gender"], absent["Age"]) == (7614, 8, 0)
    assert absent["Height"] == 3824 + 12 and frame["Height"].max() == 208.3
    raw = pd.concat([pd.read_csv(path) for path in sorted(_shelf("physionet2012").glob("*.csv*"))], ignore_index=True)
    left_out = ["recordid", "SAPS-I", "SOFA", "Length_of_stay", "Survival", "UrineOutputSum"]
    assert raw.drop(columns=left_out).isna().sum().sum() + 12 - 2960 == frame.isna().sum().sum()
    assert (frame["MechVentLast8Hour"] == "never").sum() == 2960
    assert raw.isna().to_numpy().mean() == pytest.approx(0.2444, abs=5e-5)


def test_intensive_care_numbers_equal_an_independent_parse(table: Find) -> None:
    frame = table("physionet2012").frame
    raw = pd.concat([pd.read_csv(path) for path in sorted(_shelf("physionet2012").glob("*.csv*"))], ignore_index=True)
    for column in table("physionet2012").schema.numeric:
        theirs = raw[column.name].where(raw[column.name] <= 250) if column.name == "Height" else raw[column.name]
        assert np.allclose(frame[column.name], theirs, rtol=1e-9, atol=0, equal_nan=True)


def test_codes_read_as_gender_agree_with_heights(table: Find) -> None:
    """Men are taller: the file of cardio has no key to its codes 1 and 2."""
    for name, gender, height in (("cardio", "gender", "height"), ("physionet2012", "Gender", "Height")):
        means = table(name).frame.groupby(gender, observed=True)[height].mean()
        assert means["male"] - means["female"] > 5


def test_the_readme_lists_every_further_table_with_its_true_figures(table: Find) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^  \| `(\w+)` \| (\S+ × .*)$", readme, re.MULTILINE))
    assert list(listed) == [entry.name for entry in FURTHER_TABLES]
    for name, line in listed.items():
        frame, schema = table(name).frame, table(name).schema
        figures = [f"{len(frame):,} × {len(frame.columns)}"]
        if frame.isna().to_numpy().mean() > 0.01:
            figures.append(f", {100 * frame.isna().to_numpy().mean():.1f} % of cells missing")
        if schema.task == "binary":
            figures.append(f", {100 * (frame[schema.target.name] == schema.positive).mean():.1f} % |")
        assert all(figure in line for figure in figures), (name, figures)
        assert schema.task == "binary" or "(regression)" in line


def test_capped_values_are_as_told(table: Find) -> None:
    frame = table("california").frame
    assert (frame["median_house_value"] == 500_001).sum() == 965 and frame["median_house_value"].max() == 500_001
    assert frame["median_income"].max() == 15.0001 and frame["housing_median_age"].max() == 52


def test_sensitive_columns(table: Find) -> None:
    found = {entry.name: [c.name for c in table(entry.name).schema.sensitive] for entry in FURTHER_TABLES}
    assert found == {
        **{"california": [], "insurance": ["sex"], "churn": ["Gender"], "cardio": ["gender"], "ckd": []},
        **{"heart_failure": ["sex"], "physionet2012": ["Gender"]},
    }


@pytest.mark.parametrize("name", [entry.name for entry in FURTHER_TABLES])
def test_splits_share_no_row_and_leave_no_hole(table: Find, name: str) -> None:
    found = table(name)
    (split,) = make_splits(found.frame, found.schema, count=1, test_share=0.2, validation_share=0.1, rng=Rng(20260211))
    unseen_levels(found.frame, found.schema, [split])
    parts = prepare(found.frame, found.schema, split)
    sets = [set(fingerprints(part)) for part in (parts.train, parts.validation, parts.test)]
    assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
    assert len(split.test) == pytest.approx(0.2 * len(found.frame), rel=0.02)
    assert not any(part.isna().to_numpy().any() for part in (parts.train, parts.validation, parts.test))
