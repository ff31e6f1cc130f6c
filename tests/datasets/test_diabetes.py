"""Are stays in the publisher's layout read as `diabetes130` and `diabetes130_icd` say?"""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcohort.datasets import diabetes130, diabetes130_icd
from synthcohort.datasets.grouped import GroupedTable
from synthcohort.datasets.table import Table, TableError

HEADER = [
    *("encounter_id", "patient_nbr", "race", "gender", "age", "weight", "admission_type_id"),
    *("discharge_disposition_id", "admission_source_id", "time_in_hospital", "payer_code", "medical_specialty"),
    *("num_lab_procedures", "num_procedures", "num_medications", "number_outpatient", "number_emergency"),
    *("number_inpatient", "diag_1", "diag_2", "diag_3", "number_diagnoses", "max_glu_serum", "A1Cresult"),
    *diabetes130.DRUGS,
    *("change", "diabetesMed", "readmitted"),
]
PLAIN = dict.fromkeys(diabetes130.DRUGS, "No") | {
    **{"race": "Caucasian", "gender": "Female", "age": "[70-80)", "weight": "?", "admission_type_id": "1"},
    **{"discharge_disposition_id": "1", "admission_source_id": "7", "time_in_hospital": "3", "payer_code": "MC"},
    **{"medical_specialty": "Cardiology", "num_lab_procedures": "41", "num_procedures": "0", "num_medications": "12"},
    **{"number_outpatient": "0", "number_emergency": "0", "number_inpatient": "1", "diag_1": "428", "diag_2": "250.01"},
    **{"diag_3": "V45", "number_diagnoses": "9", "max_glu_serum": "None", "A1Cresult": ">8", "change": "Ch"},
    **{"diabetesMed": "Yes", "readmitted": "NO"},
}
STAYS = 220


def write(folder: Path, changes: dict[int, dict[str, str]]) -> None:
    """Write STAYS stays, stay i of patient 900 + i // 2 and given insulin if i is odd, with these cells changed."""
    lines = [",".join(HEADER)]
    for i in range(STAYS):
        row = PLAIN | {"encounter_id": str(7000 + i), "patient_nbr": str(900 + i // 2)}
        row |= {"insulin": ("No", "Steady")[i % 2]} | changes.get(i, {})
        lines.append(",".join(row[name] for name in HEADER))
    (folder / "diabetic_data.csv").write_text("\n".join(lines) + "\n")


def stays(folder: Path, changes: dict[int, dict[str, str]]) -> GroupedTable:
    write(folder, changes)
    return diabetes130.read(folder)


def test_no_identifier_is_a_column_and_stays_are_grouped_by_patient(tmp_path: Path) -> None:
    table = stays(tmp_path, {})
    assert not {"encounter_id", "patient_nbr", "weight"} & {*table.schema.names}
    assert table.groups.tolist() == [i // 2 for i in range(STAYS)] and table.by == "patient_nbr"
    assert table.schema.names[-1] == "readmitted" and table.schema.positive == "1"
    assert [c.name for c in table.schema.sensitive] == ["race", "gender", "age"]


def test_only_an_early_readmission_is_a_case(tmp_path: Path) -> None:
    table = stays(tmp_path, {3: {"readmitted": "<30"}, 5: {"readmitted": ">30"}})
    assert [i for i, cell in enumerate(table.frame["readmitted"]) if cell == "1"] == [3]


def test_question_marks_and_codes_for_unknown_are_holes_and_unmeasured_is_a_level(tmp_path: Path) -> None:
    holes = {
        0: {"race": "?"}, 1: {"gender": "Unknown/Invalid"}, 2: {"payer_code": "?"}, 3: {"medical_specialty": "?"},
        4: {"diag_1": "?"}, 5: {"diag_3": "?"}, 6: {"admission_type_id": "5"}, 7: {"admission_type_id": "8"},
        8: {"discharge_disposition_id": "25"}, 9: {"admission_source_id": "17"}, 10: {"A1Cresult": "None"},
    }  # fmt: skip
    frame = stays(tmp_path, holes).frame
    found = {(int(row), str(frame.columns[column])) for row, column in zip(*frame.isna().to_numpy().nonzero())}
    assert found == {
        *((0, "race"), (1, "gender"), (2, "payer_code"), (3, "medical_specialty"), (4, "diag_1"), (5, "diag_3")),
        *((6, "admission_type"), (7, "admission_type"), (8, "discharge_disposition"), (9, "admission_source")),
    }
    assert set(frame["max_glu_serum"]) == {"not measured"} and frame["A1Cresult"][10] == "not measured"


@pytest.mark.parametrize(
    ("code", "level"),
    [("1", "home"), ("6", "home, with further care"), ("3", "nursing facility"), ("11", "died"), ("21", "died"),
     ("13", "hospice"), ("14", "hospice"), ("7", "left against advice"), ("5", "other hospital")],
)  # fmt: skip
def test_a_discharge_is_what_its_code_means(tmp_path: Path, code: str, level: str) -> None:
    assert stays(tmp_path, {6: {"discharge_disposition_id": code}}).frame["discharge_disposition"][6] == level


def test_a_code_that_is_not_the_publishers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"'admission_source': 1 cell.s. are not among the levels"):
        stays(tmp_path, {6: {"admission_source_id": "77"}})


@pytest.mark.parametrize(
    ("code", "group"),
    [("390", "circulatory"), ("459", "circulatory"), ("785", "circulatory"), ("460", "respiratory"),
     ("786.5", "respiratory"), ("520", "digestive"), ("787", "digestive"), ("250", "diabetes"), ("250.83", "diabetes"),
     ("800", "injury"), ("999", "injury"), ("710", "musculoskeletal"), ("739", "musculoskeletal"),
     ("580", "genitourinary"), ("788", "genitourinary"), ("140", "neoplasms"), ("239", "neoplasms"), ("240", "other"),
     ("251", "other"), ("8", "other"), ("784", "other"), ("V57", "other"), ("E909", "other"), ("?", "?")],
)  # fmt: skip
def test_diagnoses_are_in_nine_groups(code: str, group: str) -> None:
    assert diabetes130.diagnosis_group(code) == group


def test_rare_payers_and_specialties_are_joined_and_rare_drugs_left_out(tmp_path: Path) -> None:
    """Of 220 stays three are more than 1 %, two are not; insulin is noted in 110, metformin in 99."""
    changes = {i: {"payer_code": ("HM", "SP")[i > 2]} for i in range(5)}
    changes |= {i: changes.get(i, {}) | {"metformin": "Up"} for i in range(99)}
    table = stays(tmp_path, changes)
    assert table.schema["payer_code"].levels == ("HM", "MC", "other")
    assert (table.frame["payer_code"] == "other").sum() == 2
    assert "insulin" in table.schema.names and "metformin" not in table.schema.names
    changes[99] = {"metformin": "Down"}
    assert stays(tmp_path, changes).schema["metformin"].levels == ("Down", "No", "Up")


# --- the codes alone --------------------------------------------------------------------------------------------------


def codes(folder: Path, changes: dict[int, dict[str, str]]) -> Table:
    write(folder, changes)
    return diabetes130_icd.read(folder)


def test_a_patient_has_the_codes_of_all_stays(tmp_path: Path) -> None:
    """19 patients have 038 and 20 have E909; patient 1 has it in the second stay, and that twice."""
    changes = {2 * p: {"diag_1": "38.9"} for p in range(19)}
    changes |= {2 * p + 1: {"diag_2": "E909", "diag_3": "?"} for p in range(20)}
    changes[3] = {"diag_2": "E909", "diag_3": "E909"}
    table = codes(tmp_path, changes)
    assert table.schema.names == ["250", "428", "E909", "V45", "readmitted"] and len(table.frame) == STAYS / 2
    assert [i for i, cell in enumerate(table.frame["E909"]) if cell == "1"] == list(range(20))
    assert table.frame.iloc[1].tolist() == ["1", "1", "1", "1", "0"]
    assert all(column.levels == ("0", "1") for column in table.schema.columns)
    assert not isinstance(table, GroupedTable)


def test_a_patient_is_a_case_after_any_stay(tmp_path: Path) -> None:
    table = codes(tmp_path, {4: {"readmitted": "<30"}, 9: {"readmitted": "<30"}, 10: {"readmitted": ">30"}})
    assert [i for i, cell in enumerate(table.frame["readmitted"]) if cell == "1"] == [2, 4]


def test_a_patient_without_a_code_keeps_a_row_of_zeros(tmp_path: Path) -> None:
    nothing = {"diag_1": "?", "diag_2": "?", "diag_3": "?"}
    table = codes(tmp_path, {6: nothing, 7: nothing})
    assert table.frame.iloc[3].tolist() == ["0", "0", "0", "0"] and len(table.frame) == STAYS / 2
