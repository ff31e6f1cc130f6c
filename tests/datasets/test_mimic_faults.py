"""Does every way in which MIMIC's files can be wrong end in a message with the file and the remedy, and leave nothing?

No message may show a cell of the files.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from mimic_toys import NOON, Tables, event, mimic3, mimic4, put, stay, write3, write4

from synthcohort.datasets import fetch
from synthcohort.datasets.load import load
from synthcohort.datasets.table import TableError
from synthcohort.study import DatasetBlock

ICD, MORTALITY = "mimic_icd", "mimic_mortality"
SECRET = "8271.125"  # a cell that no message may show


def refused(name: str, source: Path) -> str:
    """Return the message with which a draw is refused; nothing may be left of it."""
    folder = source.parent / "study" / "data" / name
    with pytest.raises(TableError) as caught:
        fetch.bring(name, DatasetBlock(path=str(source)), folder)
    assert not folder.exists()
    message = str(caught.value)
    assert SECRET not in message and "2150-01-01" not in message and "SEVERE" not in message
    return message


@pytest.mark.parametrize(
    ("name", "file"),
    [
        *((ICD, file) for file in ("PATIENTS", "ADMISSIONS", "DIAGNOSES_ICD")),
        *((MORTALITY, file) for file in ("PATIENTS", "ADMISSIONS", "ICUSTAYS", "LABEVENTS")),
    ],
)
def test_a_missing_file_is_named_with_where_to_get_it(tmp_path: Path, name: str, file: str) -> None:
    tables = mimic3()
    del tables[file]
    message = refused(name, write3(tmp_path / "mimic", tables))
    assert f"no {file}.csv or {file}.csv.gz" in message and "physionet.org" in message and "credentialed" in message


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"datasets.mimic_icd.path: no folder {tmp_path / 'nowhere'}" in refused(ICD, tmp_path / "nowhere")


def cut(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


@pytest.mark.parametrize("file", ["PATIENTS", "ADMISSIONS", "ICUSTAYS", "LABEVENTS", "CHARTEVENTS"])
@pytest.mark.parametrize("keep", [0.9, 0.02])
def test_a_truncated_packed_file_is_named(tmp_path: Path, file: str, keep: float) -> None:
    source = write3(tmp_path / "mimic", mimic3(), packed=True)
    cut(source / f"{file}.csv.gz", keep)
    message = refused(MORTALITY, source)
    assert message.startswith(f"{file}.csv.gz: truncated or damaged") and "SHA256SUMS.txt" in message


def test_a_long_file_truncated_in_the_middle_is_no_smaller_cohort(tmp_path: Path) -> None:
    """Long enough that DuckDB has had most of it before the end is missed."""
    tables = mimic3()
    tables["CHARTEVENTS"] *= 3000
    source = write3(tmp_path / "mimic", tables, packed=True)
    cut(source / "CHARTEVENTS.csv.gz", 0.999)
    assert refused(MORTALITY, source).startswith("CHARTEVENTS.csv.gz: truncated or damaged (EOFError)")


@pytest.mark.parametrize("file", ["ADMISSIONS", "CHARTEVENTS"])
def test_a_packed_file_with_altered_bytes_is_named(tmp_path: Path, file: str) -> None:
    source = write3(tmp_path / "mimic", mimic3(), packed=True)
    path = source / f"{file}.csv.gz"
    content = bytearray(path.read_bytes())
    content[-8] ^= 1  # of the checksum
    path.write_bytes(content)
    assert refused(MORTALITY, source).startswith(f"{file}.csv.gz: truncated or damaged (BadGzipFile)")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("ADMISSIONS", "row 8 below the header cannot be read"),
        ("CHARTEVENTS", "row 16 below the header cannot be read"),
    ],
)
def test_a_truncated_plain_file_is_named(tmp_path: Path, file: str, said: str) -> None:
    source = write3(tmp_path / "mimic", mimic3())
    path = source / f"{file}.csv"
    path.write_text(path.read_text().rsplit(",", 4)[0])
    assert refused(MORTALITY, source).startswith(f"{file}.csv: {said}")


@pytest.mark.parametrize("file", ["PATIENTS", "ICUSTAYS", "CHARTEVENTS"])
@pytest.mark.parametrize("packed", [False, True])
def test_an_empty_file_is_named(tmp_path: Path, file: str, packed: bool) -> None:
    source = write3(tmp_path / "mimic", mimic3(), packed=packed)
    path = source / (f"{file}.csv.gz" if packed else f"{file}.csv")
    path.write_bytes(gzip.compress(b"") if packed else b"")
    assert refused(MORTALITY, source).startswith(f"{path.name}: the file is empty")


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    source = write3(tmp_path / "mimic", mimic3())
    path = source / "DIAGNOSES_ICD.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert refused(ICD, source).startswith("DIAGNOSES_ICD.csv: the header is followed by no row")


def test_a_file_that_is_there_twice_is_not_chosen_from(tmp_path: Path) -> None:
    source = write3(tmp_path / "mimic", mimic3())
    (source / "old").mkdir()
    put(source / "old" / "admissions.csv", "", packed=True)
    assert "ADMISSIONS is there more than once, ADMISSIONS.csv and old/admissions.csv.gz" in refused(ICD, source)


# --- versions ---------------------------------------------------------------------------------------------------------


def test_patients_of_no_known_version_are_refused(tmp_path: Path) -> None:
    tables = mimic3()
    for row in tables["PATIENTS"]:
        del row["dob"]
    assert "PATIENTS.csv: neither MIMIC-III" in refused(ICD, write3(tmp_path / "mimic", tables))


@pytest.mark.parametrize(
    ("name", "file", "absent"),
    [
        (ICD, "DIAGNOSES_ICD", "icd9_code"),
        (MORTALITY, "ICUSTAYS", "icustay_id"),
        (MORTALITY, "CHARTEVENTS", "valuenum"),
        (MORTALITY, "ADMISSIONS", "ethnicity or race"),
    ],
)
def test_files_of_two_versions_are_told_apart(tmp_path: Path, name: str, file: str, absent: str) -> None:
    tables = mimic3()
    tables[file] = mimic4()[file]
    for row in tables[file]:
        for column in ("valuenum", "race"):
            row.pop(column, None)
    message = refused(name, write3(tmp_path / "mimic", tables))
    assert message.startswith(f"{file}.csv: no column {absent}, which MIMIC-III v1.4 has")


def test_a_revision_of_icd_that_is_unknown_is_refused(tmp_path: Path) -> None:
    tables = mimic4()
    tables["DIAGNOSES_ICD"][0]["icd_version"] = 11
    assert "diagnoses_icd.csv.gz: a cell of icd_version is neither 9 nor 10" in refused(
        ICD, write4(tmp_path / "mimic", tables)
    )


# --- what does not fit together ---------------------------------------------------------------------------------------

Spoil = Callable[[Tables], object]
FAULTS: dict[str, tuple[str, Spoil, str]] = {
    "a patient without an admission": (
        ICD,
        lambda t: t["PATIENTS"].append({**t["PATIENTS"][0], "subject_id": 8}),
        "ADMISSIONS.csv: 1 patient(s) of PATIENTS.csv have no admission in it",
    ),
    "a diagnosis without an admission": (
        ICD,
        lambda t: t["DIAGNOSES_ICD"][0].update(hadm_id=999),
        "ADMISSIONS.csv: 1 row(s) of DIAGNOSES_ICD.csv belong to an admission that is not in it",
    ),
    "a stay without an admission": (
        MORTALITY,
        lambda t: t["ICUSTAYS"][0].update(hadm_id=999),
        "ADMISSIONS.csv: 1 stay(s) of ICUSTAYS.csv have a hadm_id that is not in it",
    ),
    "a stay without a patient": (
        MORTALITY,
        lambda t: t["PATIENTS"].pop(0),
        "PATIENTS.csv: 1 stay(s) of ICUSTAYS.csv have a subject_id that is not in it",
    ),
    "a repeated patient": (
        MORTALITY,
        lambda t: t["PATIENTS"].append(t["PATIENTS"][0]),
        "PATIENTS.csv: 1 row(s) repeat the subject_id",
    ),
    "a repeated admission": (
        ICD,
        lambda t: t["ADMISSIONS"].extend(t["ADMISSIONS"][:2]),
        "ADMISSIONS.csv: 2 row(s) repeat the hadm_id",
    ),
    "a repeated stay": (
        MORTALITY,
        lambda t: t["ICUSTAYS"].append(stay(7, 201)),
        "ICUSTAYS.csv: 1 row(s) repeat the icustay_id",
    ),
    "a repeated diagnosis": (
        ICD,
        lambda t: t["DIAGNOSES_ICD"].append(t["DIAGNOSES_ICD"][0]),
        "DIAGNOSES_ICD.csv: 1 row(s) repeat the hadm_id and seq_num",
    ),
    "an identifier that is none": (
        MORTALITY,
        lambda t: t["ICUSTAYS"][0].update(subject_id=SECRET),
        "ICUSTAYS.csv: 1 row(s) have a subject_id that is not a whole number",
    ),
    "a time that is none": (
        MORTALITY,
        lambda t: t["ICUSTAYS"][0].update(intime="2150-01-01T12"),
        "ICUSTAYS.csv: a cell of intime is not a time",
    ),
    "an age below 0": (
        MORTALITY,
        lambda t: t["PATIENTS"][0].update(dob="2151-01-01 00:00:00"),
        "PATIENTS.csv: the age at the first stay of 1 patient(s) is unknown, below 0 or between 120 and 299",
    ),
    "an age of 200": (
        MORTALITY,
        lambda t: t["PATIENTS"][0].update(dob="1950-01-01 00:00:00"),
        "PATIENTS.csv: the age at the first stay of 1 patient(s)",
    ),
    "no birth": (
        MORTALITY,
        lambda t: t["PATIENTS"][0].update(dob=""),
        "PATIENTS.csv: the age at the first stay of 1 patient(s)",
    ),
    "an outcome that is none": (
        MORTALITY,
        lambda t: t["ADMISSIONS"][0].update(hospital_expire_flag=2),
        "ADMISSIONS.csv: 1 hospital_expire_flag(s) of the cohort are neither 0 nor 1",
    ),
    "a gender that is none": (
        MORTALITY,
        lambda t: t["PATIENTS"][0].update(gender=""),
        "PATIENTS.csv: 1 gender(s) of the cohort are neither F nor M",
    ),
    "nobody long enough": (
        MORTALITY,
        lambda t: [row.update(outtime=row["intime"]) for row in t["ICUSTAYS"]],
        "no adult's first stay in intensive care lasts 24 hours or longer",
    ),
    "an event at no time": (
        MORTALITY,
        lambda t: t["CHARTEVENTS"].append(event(1, 211, SECRET, "80")),
        "CHARTEVENTS.csv: a row cannot be read",
    ),
    "an event with words for a number": (
        MORTALITY,
        lambda t: t["LABEVENTS"][0].update(valuenum=f"about {SECRET}"),
        "LABEVENTS.csv: a row cannot be read",
    ),
}


@pytest.mark.parametrize(("name", "spoil", "said"), FAULTS.values(), ids=FAULTS)
def test_what_does_not_fit_is_refused(tmp_path: Path, name: str, spoil: Spoil, said: str) -> None:
    tables = mimic3()
    spoil(tables)
    assert said in refused(name, write3(tmp_path / "mimic", tables))


def test_an_age_beyond_89_is_one_value_and_89_is_itself(tmp_path: Path) -> None:
    """Births in 2060-06-01, 2060-01-01 and 1850-01-01 make 89, 90 and 300 years."""
    tables = mimic3()
    for row, birth in zip(tables["PATIENTS"], ("2060-06-01", "2060-01-01", "", "", "", "1850-01-01"), strict=False):
        row["dob"] = f"{birth} 00:00:00" if birth else row["dob"]
    source, folder = write3(tmp_path / "mimic", tables), tmp_path / "study" / "data" / MORTALITY
    fetch.bring(MORTALITY, DatasetBlock(path=str(source)), folder)
    assert load(MORTALITY, DatasetBlock(path=str(source)), folder).frame["age"].tolist() == [89.0, 91.4, 91.4]


def test_noon_is_the_start_of_every_stay_here() -> None:
    """The window's edges in these tests rest on it."""
    assert {str(row["intime"])[11:] for row in mimic3()["ICUSTAYS"]} == {NOON}
