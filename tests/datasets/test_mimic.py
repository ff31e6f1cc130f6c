"""Do the two tables of an invented MIMIC hold what a hand computes, in every layout and with nothing from later?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mimic_toys import NOON, Tables, event, mimic3, mimic4, stay, write3, write4

from synthcohort.datasets import fetch, mimic_icd, mimic_mortality
from synthcohort.datasets.load import load
from synthcohort.datasets.table import Table
from synthcohort.study import DatasetBlock


def drawn(name: str, source: Path) -> Table:
    """Return the table drawn from a folder of files."""
    folder = source.parent / "study" / "data" / name
    block = DatasetBlock(path=str(source))
    assert fetch.bring(name, block, folder).origin == "own folder"
    return load(name, block, folder)


Write = Callable[[Path], Path]
LAYOUTS: dict[str, Write] = {
    "III as published": lambda f: write3(f, mimic3(), packed=True),
    "III in lower case, unpacked": lambda f: write3(f, mimic3(), upper=False),
    "IV": lambda f: write4(f, mimic4()),
}


@pytest.mark.parametrize("write", LAYOUTS.values(), ids=LAYOUTS)
def test_mortality_by_hand(tmp_path: Path, write: Write) -> None:
    table = drawn("mimic_mortality", write(tmp_path / "mimic"))
    frame = table.frame
    assert frame["gender"].tolist() == ["male", "female", "female"]  # patients 1, 2 and 6
    assert (
        frame["age"].tolist()
        == {"dob": [59.0, 91.4, 40.0], "anchor": [60.0, 91.0, 40.0]}[
            "anchor" if table.card.quirks[-2] == "Drawn from MIMIC-IV." else "dob"
        ]
    )
    assert frame["died_in_hospital"].tolist() == ["0", "1", "0"] and table.schema.positive == "1"
    assert frame["care_unit"].tolist() == ["MICU", "CCU", "MICU"]
    assert frame["ethnicity"].tolist() == ["white"] * 3
    names = [f"{m}_{s}" for m in ("heart_rate", "temperature", "lactate") for s in ("min", "mean", "max", "last")]
    # 80, 95, 90 in time; 70 and 71 at once; 98.6 °F and 38 °C; the value at the end of the window is out
    expected = [
        [80, 88.33, 95, 90, *[np.nan] * 4, 1.2, 1.6, 2, 2],
        [70, 70.5, 71, 71, 37, 37.5, 38, 38, *[np.nan] * 4],
        [np.nan] * 12,
    ]
    np.testing.assert_array_equal(frame[names].to_numpy(), expected)
    assert list(frame.columns) == ["age", "gender", "ethnicity", "insurance", "admission_type", "care_unit", *names,
                                   "died_in_hospital"]  # fmt: skip
    assert [c.name for c in table.schema.sensitive] == ["gender", "ethnicity"]
    assert table.schema["temperature_min"].unit == "°C" and all(c.meaning for c in table.schema.columns)
    assert "albumin" in table.card.quirks[-1] and "lactate" not in table.card.quirks[-1]
    assert table.card.restricted


@pytest.mark.parametrize("name", ["III as published", "III in lower case, unpacked"])
def test_diagnoses_by_hand(tmp_path: Path, name: str) -> None:
    table = drawn("mimic_icd", LAYOUTS[name](tmp_path / "mimic"))
    assert table.schema.names == [f"icd9_{c}" for c in ("038", "250", "401", "403", "E934", "V30", "V58")]
    assert table.frame.to_numpy(dtype=str).astype(int).tolist() == [
        [0, 1, 1, 1, 1, 0, 1],  # two admissions of patient 1, 401 in both
        [0, 0, 1, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [1, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],  # a diagnosis without a code
        [0, 0, 1, 0, 0, 0, 0],
    ]
    assert table.schema.target.name == "icd9_401" and table.card.restricted


def test_diagnoses_of_both_revisions_stay_apart(tmp_path: Path) -> None:
    table = drawn("mimic_icd", write4(tmp_path / "mimic", mimic4()))
    names = ["icd10_I10", "icd10_I12", "icd10_T45", "icd9_038", "icd9_250", "icd9_401", "icd9_E934", "icd9_V30"]
    assert table.schema.names == [*names, "icd9_V58"]
    assert table.frame.iloc[0].tolist() == ["1", "1", "1", "0", "1", "1", "0", "0", "1"]


def test_in_mimic_iv_a_patient_who_was_never_admitted_is_no_row(tmp_path: Path) -> None:
    tables = mimic4()
    tables["PATIENTS"].append({**tables["PATIENTS"][0], "subject_id": 8})
    assert len(drawn("mimic_icd", write4(tmp_path / "mimic", tables)).frame) == 7


def changed(tables: Tables, *, outcome: int) -> Tables:
    """Return tables in which everything after the first 24 hours is another: events, stays, discharge, diagnoses."""
    for row in tables["ADMISSIONS"]:
        if row["subject_id"] in (1, 2, 6):
            row.update(hospital_expire_flag=outcome, deathtime=f"2150-01-02 {NOON}" if outcome else "")
            row.update(dischtime=f"2150-02-28 {NOON}", diagnosis="OTHER", discharge_location="DEAD/EXPIRED")
    for row in tables["ICUSTAYS"]:
        row.update(
            outtime=row["outtime"] if row["subject_id"] == 4 else f"2150-01-02 {NOON}", los=99, last_careunit="X"
        )
    tables["ICUSTAYS"].append(stay(6, 999, intime=f"2150-03-01 {NOON}", outtime=f"2150-03-09 {NOON}"))
    for row in tables["PATIENTS"]:
        row.update(expire_flag=outcome, dod="2150-01-09 00:00:00")
    tables["DIAGNOSES_ICD"] = [{**row, "icd9_code": "7991"} for row in tables["DIAGNOSES_ICD"]]
    tables["CHARTEVENTS"] += [event(s, 211, f"2150-01-{d:02} {NOON}", "250") for s in (1, 2, 6) for d in range(2, 9)]
    return tables


@pytest.mark.parametrize("outcome", [0, 1])
def test_nothing_of_later_reaches_the_features(tmp_path: Path, outcome: int) -> None:
    before = drawn("mimic_mortality", write3(tmp_path / "a" / "mimic", mimic3())).frame
    after = drawn("mimic_mortality", write3(tmp_path / "b" / "mimic", changed(mimic3(), outcome=outcome))).frame
    assert after["died_in_hospital"].tolist() == [str(outcome)] * 3
    pd.testing.assert_frame_equal(after.drop(columns="died_in_hospital"), before.drop(columns="died_in_hospital"))


def test_an_event_within_the_window_does_reach_them(tmp_path: Path) -> None:
    """The test above could not fail if no event reached the features."""
    tables = mimic3()
    tables["CHARTEVENTS"].append(event(6, 211, "2150-01-02 11:59:00", "250"))
    frame = drawn("mimic_mortality", write3(tmp_path / "mimic", tables)).frame
    assert frame["heart_rate_last"].tolist() == [90, 71, 250]


def test_without_charted_events_the_laboratory_remains_and_the_card_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = mimic3()
    del tables["CHARTEVENTS"]
    table = drawn("mimic_mortality", write3(tmp_path / "mimic", tables))
    assert "heart_rate_min" not in table.schema.names and "lactate_min" in table.schema.names
    assert any("CHARTEVENTS was not in the folder" in quirk for quirk in table.card.quirks)
    assert "!! mimic_mortality: no CHARTEVENTS" in capsys.readouterr().out


def test_rows_and_rate_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write3(tmp_path / "mimic", mimic3(), packed=True)
    mimic_mortality.extract(source)
    said = capsys.readouterr().out
    assert f"CHARTEVENTS.csv.gz: {len(mimic3()['CHARTEVENTS'])} rows in " in said and "rows/s" in said


def test_the_draw_holds_no_identifier_and_no_date(tmp_path: Path) -> None:
    source = write3(tmp_path / "mimic", mimic3())
    for module in (mimic_icd, mimic_mortality):
        cells = module.extract(source).cells
        assert not {"subject_id", "hadm_id", "icustay_id", "intime"} & {*cells.columns}
        assert not any("2150" in str(cell) for cell in cells.to_numpy().ravel())


def test_a_tie_between_stays_is_settled_by_the_number_and_rows_by_the_patient(tmp_path: Path) -> None:
    tables = mimic3()
    tables["ICUSTAYS"].append(stay(6, 106, first_careunit="TSICU"))  # as early as 206, 106 < 206
    frame = drawn("mimic_mortality", write3(tmp_path / "a" / "mimic", tables)).frame
    assert frame["care_unit"].tolist() == ["MICU", "CCU", "TSICU"]
    reversed_ = {name: rows[::-1] for name, rows in tables.items()}
    assert drawn("mimic_mortality", write3(tmp_path / "b" / "mimic", reversed_)).frame.equals(frame)
