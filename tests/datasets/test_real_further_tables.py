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

from synthcohort.datasets import diabetes130, fetch, icd
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.further_tables import FURTHER_TABLES
from synthcohort.datasets.grouped import GroupedTable
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


def test_stays_of_diabetic_patients(table: Find) -> None:
    """The publisher's counts of missing cells, and the codes that stand for unknown, which are holes too."""
    found = table("diabetes130")
    assert isinstance(found, GroupedTable)
    assert found.frame.shape == (101_766, 35) and (found.frame["readmitted"] == "1").sum() == 11_357
    assert len(np.unique(found.groups)) == 71_518 and np.bincount(found.groups).max() == 40
    assert any("71,518 groups (patient_nbr), 1 to 40 rows each" in quirk for quirk in found.card.quirks)
    absent = {name: n for name, n in found.frame.isna().sum().items() if n}
    assert absent == {
        **{"race": 2273, "gender": 3, "payer_code": 40_256, "medical_specialty": 49_949},
        **{"diag_1": 21, "diag_2": 358, "diag_3": 1423, "admission_type": 4785 + 5291 + 320},
        **{"discharge_disposition": 3691 + 989, "admission_source": 6781 + 161 + 125},
    }
    ends = found.frame["discharge_disposition"].value_counts()
    assert (ends["died"], ends["hospice"]) == (1652, 771)
    assert not ((found.frame["discharge_disposition"] == "died") & (found.frame["readmitted"] == "1")).any()


def test_codes_of_diabetic_patients_mean_what_the_publisher_says(table: Find) -> None:
    """Every code of its list is known here, and those it calls unknown, dead or in a hospice are so here too."""
    table("diabetes130")
    text = (_shelf("diabetes130") / "IDs_mapping.csv").read_text(encoding="utf-8")
    words = {diabetes130.MISSING: "NULL|Not Available|Not Mapped|Unknown", "died": "Expired", "hospice": "^Hospice /"}
    blocks = re.split(r"\n,\n", text.strip())
    assert len(blocks) == 3
    for block in blocks:
        header, *lines = block.splitlines()
        ours = diabetes130.CODES[header.split("_id,")[0]]
        listed = {int(code): said.strip(' "') for code, _, said in (line.partition(",") for line in lines)}
        assert sorted(code for codes in ours.values() for code in codes) == sorted(listed)
        for level in ours.keys() & words.keys():
            assert {code for code, said in listed.items() if re.search(words[level], said)} == {*ours[level]}


def test_codes_of_diagnoses_of_diabetic_patients(table: Find) -> None:
    """The matrix holds what a count of different patients a code, made another way, says."""
    frame = table("diabetes130_icd").frame
    assert frame.shape == (71_518, 447) and (frame["readmitted"] == "1").sum() == 8834
    (path,) = _shelf("diabetes130").glob("diabetic_data.csv*")
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    have: dict[str, set[str]] = {}
    for name in diabetes130.DIAGNOSES:
        for code, patient in zip(raw[name], raw["patient_nbr"]):
            if code != "?":
                have.setdefault(icd.shorten(code), set()).add(patient)
    often = {code: len(patients) for code, patients in have.items() if len(patients) >= 20}
    ones = (frame.drop(columns="readmitted") == "1").sum()
    assert len(have) == 881 and ones.to_dict() == often and list(ones.index) == sorted(often)
    assert 0.985 < ones.sum() / sum(len(patients) for patients in have.values()) < 0.995
    assert ((frame.drop(columns="readmitted") == "1").sum(axis=1) == 0).sum() == 7


def test_capped_values_are_as_told(table: Find) -> None:
    frame = table("california").frame
    assert (frame["median_house_value"] == 500_001).sum() == 965 and frame["median_house_value"].max() == 500_001
    assert frame["median_income"].max() == 15.0001 and frame["housing_median_age"].max() == 52


def test_sensitive_columns(table: Find) -> None:
    found = {entry.name: [c.name for c in table(entry.name).schema.sensitive] for entry in FURTHER_TABLES}
    assert found == {
        **{"california": [], "insurance": ["sex"], "churn": ["Gender"], "cardio": ["gender"], "ckd": []},
        **{"heart_failure": ["sex"], "physionet2012": ["Gender"]},
        **{"diabetes130": ["race", "gender", "age"], "diabetes130_icd": []},
        **{"bank_marketing": ["age_group"], "compas": ["sex", "race"]},
    }


@pytest.mark.parametrize("name", [entry.name for entry in FURTHER_TABLES])
def test_splits_share_no_row_and_leave_no_hole(table: Find, name: str) -> None:
    found = table(name)
    groups = found.groups if isinstance(found, GroupedTable) else None
    (split,) = make_splits(
        found.frame,
        found.schema,
        count=1,
        test_share=0.2,
        validation_share=0.1,
        rng=Rng(20260211),
        groups=groups,
    )
    unseen_levels(found.frame, found.schema, [split])
    parts = prepare(found.frame, found.schema, split)
    sets = [set(fingerprints(part)) for part in (parts.train, parts.validation, parts.test)]
    assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
    assert len(split.test) == pytest.approx(0.2 * len(found.frame), rel=0.02)
    assert not any(part.isna().to_numpy().any() for part in (parts.train, parts.validation, parts.test))
    if groups is not None:
        apart = [set(groups[rows]) for rows in (split.train, split.validation, split.test)]
        assert len(set.union(*apart)) == sum(len(known) for known in apart) == groups.max() + 1
