"""Do the tables drawn from the open MIMIC-III demo equal what plain reading of its files gives?

Needs SYNTHCOHORT_DATA_MIRROR with the folder mimic3_demo. The demo there has no CHARTEVENTS, and its LABEVENTS is an
older export with a header in capitals, in a folder of its own.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from synthcohort.datasets import fetch, icd
from synthcohort.datasets.load import load
from synthcohort.datasets.mimic_measures import FAHRENHEIT, LABS, VITALS
from synthcohort.datasets.table import Table
from synthcohort.preparation import prepare
from synthcohort.rng import Rng
from synthcohort.splits import make_splits
from synthcohort.study import DatasetBlock

DEMO = Path(os.environ.get(fetch.MIRROR, "")) / "mimic3_demo"
pytestmark = pytest.mark.skipif(
    not (os.environ.get(fetch.MIRROR) and DEMO.is_dir()), reason=f"{fetch.MIRROR} names no folder with mimic3_demo"
)
DAY = timedelta(hours=24)


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a file of the demo, keys in lower case."""
    path = DEMO / name
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
        return [{key.lower(): cell for key, cell in row.items()} for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    root, block, found = tmp_path_factory.mktemp("study"), DatasetBlock(path=str(DEMO)), {}
    for name in ("mimic_icd", "mimic_mortality"):
        fetch.bring(name, block, root / "data" / name)
        found[name] = load(name, block, root / "data" / name)
    return found


def test_the_matrix_equals_one_made_by_plain_reading(tables: dict[str, Table]) -> None:
    had = defaultdict(set)
    for row in rows("DIAGNOSES_ICD.csv"):
        code = row["icd9_code"]
        had[int(row["subject_id"])].add(code[:4] if code[0] == "E" else code[:3])
    frame = tables["mimic_icd"].frame
    assert frame.shape == (100, 275) and [*frame.columns] == sorted(f"icd9_{c}" for c in set().union(*had.values()))
    for (_, listed), (_, row) in zip(sorted(had.items()), frame.iterrows(), strict=True):
        assert {f"icd9_{code}" for code in listed} == {name for name, cell in row.items() if cell == "1"}


def test_a_sample_of_the_matrix_read_by_eye(tables: dict[str, Table]) -> None:
    """Patient 10006, the first, by the lines of the file: 99591 99662 5672 40391 42731 4280 4241 4240 2874 03819 7850
    E8791 V090 56211 28529 25000 V5867 E9342 41401 2749 3051."""
    frame = tables["mimic_icd"].frame
    codes = "995 996 567 403 427 428 424 287 038 785 E879 V09 562 285 250 V58 E934 414 274 305"
    first = {name.removeprefix("icd9_") for name, cell in frame.iloc[0].items() if cell == "1"}
    assert first == set(codes.split())
    assert (frame["icd9_427"] == "1").sum() == 47 and tables["mimic_icd"].schema.target.name == "icd9_427"


def test_the_dictionaries_have_the_categories_that_the_card_speaks_of(tables: dict[str, Table]) -> None:
    """1,782 columns are more than diagnoses can give, and no more than diagnoses and procedures can."""
    diagnoses = {icd.shorten(row["icd9_code"]) for row in rows("D_ICD_DIAGNOSES.csv.gz")}
    procedures = {row["icd9_code"][:3] for row in rows("D_ICD_PROCEDURES.csv")}
    assert (len(diagnoses), len(procedures)) == (1234, 890) and 1234 < 1782 <= 1234 + 890
    assert any("1,234 categories" in quirk for quirk in tables["mimic_icd"].card.quirks)


def cohort() -> list[dict[str, str]]:
    """Return the stays of the demo that are first, of adults and of 24 hours or longer, ordered by patient."""
    admissions = {row["hadm_id"]: row for row in rows("ADMISSIONS.csv")}
    births = {row["subject_id"]: row["dob"] for row in rows("PATIENTS.csv")}
    first: dict[str, dict[str, str]] = {}
    for row in sorted(rows("ICUSTAYS.csv"), key=lambda r: r["intime"]):
        first.setdefault(row["subject_id"], row)
    kept = []
    for subject, row in sorted(first.items(), key=lambda item: int(item[0])):
        begin, died = when(row["intime"]), admissions[row["hadm_id"]]["deathtime"]
        if row["outtime"] and when(row["outtime"]) >= begin + DAY and not (died and when(died) < begin + DAY):
            birth = when(births[subject])
            age = begin.year - birth.year - ((begin.month, begin.day) < (birth.month, birth.day))
            if age < 18:
                continue
            kept.append(row | {"died": admissions[row["hadm_id"]]["hospital_expire_flag"], "age": str(age)})
    return kept


def when(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")


def test_the_stays_are_those_of_plain_reading(tables: dict[str, Table]) -> None:
    frame, stays = tables["mimic_mortality"].frame, cohort()
    assert frame["died_in_hospital"].tolist() == [stay["died"] for stay in stays]
    assert frame["care_unit"].tolist() == [stay["first_careunit"] for stay in stays]
    ages = [float(stay["age"]) for stay in stays]
    assert frame["age"].tolist() == [age if age < 90 else 91.4 for age in ages]
    assert any(age > 299 for age in ages) and min(ages) >= 18


@pytest.mark.parametrize("measure", LABS, ids=[m.name for m in LABS])
def test_laboratory_values_are_those_of_plain_reading(tables: dict[str, Table], measure) -> None:
    events = defaultdict(list)
    for row in labs():
        if int(row["itemid"]) in measure.items and row["valuenum"]:
            value = float(row["valuenum"])
            if measure.low <= value <= measure.high:
                events[row["subject_id"]].append((when(row["charttime"]), value))
    stays = cohort()
    expected = []
    for stay in stays:
        begin = when(stay["intime"])
        expected.append(sorted(e for e in events[stay["subject_id"]] if begin <= e[0] < begin + DAY))
    frame = tables["mimic_mortality"].frame
    if sum(map(bool, expected)) / len(stays) < 0.05:
        assert f"{measure.name}_min" not in frame
        return
    for taken, (_, row) in zip(expected, frame.iterrows(), strict=True):
        found = [row[f"{measure.name}_{s}"] for s in ("min", "mean", "max", "last")]
        values = [value for _, value in taken]
        if not values:
            assert all(cell != cell for cell in found)
            continue
        known = [min(values), sum(values) / len(values), max(values), values[-1]]
        assert found == pytest.approx(known, abs=0.0051)


_LABS: list[dict[str, str]] = []


def labs() -> list[dict[str, str]]:
    """Return LABEVENTS, read once."""
    if not _LABS:
        _LABS.extend(rows("older_export/LABEVENTS.csv.gz"))
    return _LABS


def test_the_card_says_that_vital_signs_are_absent(tables: dict[str, Table]) -> None:
    table = tables["mimic_mortality"]
    assert any("CHARTEVENTS was not in the folder" in quirk for quirk in table.card.quirks)
    assert not any(
        name.startswith(tuple(m.name for m in VITALS)) for name in table.schema.names if "glucose" not in name
    )


@pytest.mark.parametrize("measure", VITALS, ids=[m.name for m in VITALS])
def test_the_items_of_a_vital_sign_bear_its_name(measure) -> None:
    words = {
        "heart_rate": ["heart rate"], "systolic": ["systolic"], "diastolic": ["diastolic"],
        "mean_pressure": ["bp mean", "pressure mean"], "respiration": ["resp"], "temperature": ["temperature"],
        "spo2": ["spo2", "o2 saturation pulse"], "bedside_glucose": ["glucose"], "gcs_eye": ["eye opening"],
        "gcs_verbal": ["verbal response"], "gcs_motor": ["motor response"],
    }[measure.name]  # fmt: skip
    items = {int(row["itemid"]): row for row in rows("D_ITEMS.csv")}
    for item in measure.items:
        label = items[item]["label"].lower()
        assert items[item]["linksto"] == "chartevents" and any(word in label for word in words), label
        if measure.name == "temperature":
            assert (item in FAHRENHEIT) == (" f" in label)
    assert {items[item]["dbsource"] for item in measure.items} == {"carevue", "metavision"}


def test_the_items_of_the_laboratory_are_of_blood_and_in_one_unit() -> None:
    items = {int(row["itemid"]): row for row in rows("D_LABITEMS.csv")}
    units = defaultdict(Counter)
    for row in labs():
        units[int(row["itemid"])][row["valueuom"].lower()] += 1
    other = {"10^9/l": "k/ul", "s": "sec", "": "units", "mmhg": "mm hg"}
    for measure in LABS:
        for item in measure.items:
            assert items[item]["fluid"] == "Blood"
            if units[item]:
                wanted = other.get(measure.unit.lower(), measure.unit.lower())
                assert units[item].most_common(1)[0][0] in (wanted, ""), (measure.name, units[item])
    numbers = [item for measure in (*VITALS, *LABS) for item in measure.items]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("name", ["mimic_icd", "mimic_mortality"])
def test_splits_are_prepared(tables: dict[str, Table], name: str) -> None:
    table = tables[name]
    for split in make_splits(
        table.frame, table.schema, count=2, test_share=0.2, validation_share=0.1, rng=Rng(20260211)
    ):
        parts = prepare(table.frame, table.schema, split)
        assert not any(part.isna().to_numpy().any() for part in (parts.train, parts.validation, parts.test))
