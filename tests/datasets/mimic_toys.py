"""An invented MIMIC of seven patients, in the layouts of MIMIC-III and of MIMIC-IV.

Patients 1, 2 and 6 make the cohort of mortality; 3 is a child, 4 leaves the unit early and comes back, 5 dies within
the day, 7 was never in intensive care. Patient 2 is above 89 years. The items are heart rate (211 or 220045),
temperature in degrees Celsius (676, 223762) and Fahrenheit (678, 223761), and lactate (50813).
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

Row = dict[str, object]
Tables = dict[str, list[Row]]
NOON = "12:00:00"


def mimic3() -> Tables:
    """Return the rows of each file in the layout of MIMIC-III."""
    births = {1: "2090-06-01", 2: "1830-01-01", 3: "2140-01-01", 4: "2100-01-01", 5: "2080-01-01", 6: "2110-01-01"}
    patients = [
        {"row_id": 10 + s, "subject_id": s, "gender": "FM"[s % 2], "dob": f"{birth} 00:00:00", "expire_flag": 0}
        for s, birth in {**births, 7: "2100-01-01"}.items()
    ]
    admissions = [
        admission(s, 100 + s, hospital_expire_flag=int(s in (2, 5)), deathtime=death)
        for s, death in {1: "", 2: f"2150-01-09 {NOON}", 3: "", 4: "", 5: "2150-01-02 11:59:59", 6: "", 7: ""}.items()
    ]
    admissions.append(admission(1, 111, admittime=f"2151-01-01 {NOON}", ethnicity="BLACK/AFRICAN AMERICAN"))
    stays = [
        stay(1, 201), stay(1, 211, hadm_id=111, intime=f"2151-01-01 {NOON}", outtime=f"2151-01-09 {NOON}"),
        stay(2, 202, first_careunit="CCU"), stay(3, 203), stay(4, 204, outtime="2150-01-02 11:59:59"),
        stay(4, 214, intime=f"2150-01-03 {NOON}", outtime=f"2150-01-09 {NOON}"), stay(5, 205), stay(6, 206),
    ]  # fmt: skip
    codes = [
        (1, 101, ["4019", "25000", "V5867"]), (1, 111, ["4019", "E9342", "40301"]), (2, 102, ["4019", "E934"]),
        (3, 103, ["V3000"]), (4, 104, ["0389"]), (5, 105, ["25083", "0389"]), (7, 107, ["4010"]),
    ]  # fmt: skip
    diagnoses: list[Row] = [
        {"row_id": 10 * hadm + k, "subject_id": s, "hadm_id": hadm, "seq_num": k, "icd9_code": code}
        for s, hadm, listed in codes
        for k, code in enumerate(listed, 1)
    ]
    diagnoses.append({"row_id": 1, "subject_id": 6, "hadm_id": 106, "seq_num": "", "icd9_code": ""})
    day, next_day = "2150-01-01", "2150-01-02"
    charted = [
        (1, 211, f"{day} 11:59:59", "30"), (1, 211, f"{day} {NOON}", "80"), (1, 211, f"{day} 20:00:00", "95"),
        (1, 211, f"{next_day} 11:59:59", "90"), (1, 211, f"{next_day} {NOON}", "180"),
        (1, 211, f"{day} 21:00:00", "999"), (1, 211, f"2151-01-01 {NOON}", "20"),
        (2, 220045, f"{day} 13:00:00", "70"), (2, 220045, f"{day} 13:00:00", "71"),
        (2, 678, f"{day} 14:00:00", "98.6"), (2, 676, f"{day} 15:00:00", "38"), (6, 678, f"{day} 15:00:00", "30"),
        (5, 211, f"{day} 15:00:00", "10"), (1, 4711, f"{day} 15:00:00", "77"),
    ]  # fmt: skip
    events: list[Row] = [event(s, item, when, value) for s, item, when, value in charted]
    events += [event(1, 211, "2150-01-01 22:00:00", "200", error="1"), event(1, 211, "2150-01-01 22:30:00", "")]
    taken = [(1, "2150-01-01 18:00:00", "1.2"), (1, "2150-01-01 23:00:00", "2"), (2, "2150-01-05 13:00:00", "9")]
    labs: list[Row] = [
        {"row_id": k, "subject_id": s, "hadm_id": "", "itemid": 50813, "charttime": when, "value": f"{v}, drawn late",
         "valuenum": v, "valueuom": "mmol/L", "flag": ""}
        for k, (s, when, v) in enumerate(taken)
    ]  # fmt: skip
    return {
        "PATIENTS": patients, "ADMISSIONS": admissions, "ICUSTAYS": stays, "DIAGNOSES_ICD": diagnoses,
        "CHARTEVENTS": events, "LABEVENTS": labs,
    }  # fmt: skip


def admission(subject: int, hadm: int, **cells: object) -> Row:
    """Return a row of ADMISSIONS."""
    row = {
        "row_id": hadm, "subject_id": subject, "hadm_id": hadm, "admittime": "2150-01-01 10:00:00",
        "dischtime": f"2150-01-20 {NOON}", "deathtime": "", "admission_type": "EMERGENCY", "insurance": "Medicare",
        "ethnicity": "WHITE - RUSSIAN", "discharge_location": "HOME", "diagnosis": "SEPSIS, \"SEVERE\"",
        "hospital_expire_flag": 0,
    }  # fmt: skip
    return {**row, **cells}


def stay(subject: int, icustay: int, **cells: object) -> Row:
    """Return a row of ICUSTAYS: two days from noon."""
    row = {
        "row_id": icustay, "subject_id": subject, "hadm_id": 100 + subject, "icustay_id": icustay,
        "first_careunit": "MICU", "last_careunit": "SICU", "intime": f"2150-01-01 {NOON}",
        "outtime": f"2150-01-03 {NOON}", "los": 2.0,
    }  # fmt: skip
    return {**row, **cells}


def event(subject: int, item: int, when: str, value: str, **cells: object) -> Row:
    """Return a row of CHARTEVENTS."""
    row = {
        "row_id": 1, "subject_id": subject, "hadm_id": 100 + subject, "icustay_id": "", "itemid": item,
        "charttime": when, "storetime": "", "value": value, "valuenum": value, "valueuom": "", "warning": 0,
        "error": "",
    }  # fmt: skip
    return {**row, **cells}


def mimic4() -> Tables:
    """Return the same patients in the layout of MIMIC-IV; later admissions are coded in ICD-10."""
    tables, ages = mimic3(), {1: 60, 2: 91, 3: 10, 4: 50, 5: 70, 6: 40, 7: 50}
    numbers = {211: 220045, 676: 223762, 678: 223761}
    for row in tables["PATIENTS"]:
        row.update(anchor_age=ages[int(str(row["subject_id"]))], anchor_year=2150)
        del row["dob"], row["row_id"]
    for row in tables["ADMISSIONS"]:
        row["race"] = row.pop("ethnicity")
    for row in tables["ICUSTAYS"]:
        row["stay_id"] = row.pop("icustay_id")
    for row in tables["DIAGNOSES_ICD"]:
        later = row["hadm_id"] == 111
        row.update(icd_code={"4019": "I10", "E9342": "T45515A", "40301": "I120"}[str(row["icd9_code"])] if later
                   else row["icd9_code"], icd_version=10 if later else 9)  # fmt: skip
        del row["icd9_code"]
    marked = [row for row in tables["CHARTEVENTS"] if row["error"] == ""]
    for row in marked:
        del row["error"]
        row["itemid"] = numbers.get(int(str(row["itemid"])), row["itemid"])
        row["stay_id"] = row.pop("icustay_id")
    return {**tables, "CHARTEVENTS": marked}


def write3(folder: Path, tables: Mapping[str, list[Row]], *, upper: bool = True, packed: bool = False) -> Path:
    """Write the files side by side, their names in capitals, the header in capitals and quotes or in lower case."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        put(folder / f"{name}.csv", text(rows, upper=upper), packed=packed)
    return folder


def write4(folder: Path, tables: Mapping[str, list[Row]]) -> Path:
    """Write the files packed into hosp/ and icu/, everything in lower case."""
    for name, rows in tables.items():
        place = folder / ("icu" if name in ("ICUSTAYS", "CHARTEVENTS") else "hosp")
        place.mkdir(parents=True, exist_ok=True)
        put(place / f"{name.lower()}.csv", text(rows, upper=False), packed=True)
    return folder


def text(rows: Iterable[Row], *, upper: bool) -> str:
    """Return rows as CSV; capitals come with quotes around every text, as in MIMIC-III."""
    rows = list(rows)
    out = io.StringIO()
    quoting = csv.QUOTE_NONNUMERIC if upper else csv.QUOTE_MINIMAL
    writer = csv.writer(out, quoting=quoting, lineterminator="\n")
    writer.writerow([name.upper() if upper else name for name in rows[0]])
    writer.writerows(row.values() for row in rows)
    return out.getvalue()


def put(path: Path, content: str, *, packed: bool = False) -> Path:
    """Write a file, packed if asked, and return where it is."""
    if not packed:
        path.write_text(content, encoding="utf-8")
        return path
    with gzip.open(path.with_name(path.name + ".gz"), "wt", encoding="utf-8", newline="") as stream:
        stream.write(content)
    return path.with_name(path.name + ".gz")
