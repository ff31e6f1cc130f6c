"""Are small files in the publishers' layout read as the modules of the further tables say?"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcohort.datasets import physionet2012
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.raw_text import categorical_with_holes, shortest, within
from synthcohort.datasets.table import Table, TableError

Read = Callable[..., Table]

CALIFORNIA = """longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population,households,\
median_income,median_house_value,ocean_proximity
-122.23,37.88,41.0,880.0,129.0,322.0,126.0,8.3252,452600.0,NEAR BAY
-122.0,37.86,21.0,7099.0,,2401.0,1138.0,8.3014,358500.0,<1H OCEAN
"""
INSURANCE = """age,sex,bmi,children,smoker,region,charges\r
19,female,27.9,0,yes,southwest,16884.924\r
18,male,33.77,1,no,southeast,1725.5523\r
"""
CHURN = """RowNumber,CustomerId,Surname,CreditScore,Geography,Gender,Age,Tenure,Balance,NumOfProducts,HasCrCard,\
IsActiveMember,EstimatedSalary,Exited\r
1,15634602,Smith,619,France,Female,42,2,0,1,1,1,101348.88,1\r
2,15647311,O'Neill,608,Spain,Male,41,1,83807.86,1,0,1,112542.58,0\r
"""
CARDIO = "id;age;gender;height;weight;ap_hi;ap_lo;cholesterol;gluc;smoke;alco;active;cardio\n"
HEART = """age,anaemia,creatinine_phosphokinase,diabetes,ejection_fraction,high_blood_pressure,platelets,\
serum_creatinine,serum_sodium,sex,smoking,time,DEATH_EVENT
75,0,582,0,20,1,265000,1.9,130,1,0,4,1
60.667,1,7861,1,38,0,263358.03,1.1,136,0,1,200,0
"""
CKD = """% 24 attributes and the class\r
@relation Chronic_Kidney_Disease\r
@attribute 'class' {ckd,notckd}\r
\r
@data\r
48,80,1.020,1,0,?,normal,notpresent,notpresent,121,36,1.2,?,?,15.4,44,7800,5.2,yes,yes,no,good,no,no,ckd\r
26,70,1.015,0,4,?,normal,notpresent,notpresent,250,20,1.1,?,?,15.6,52,6900,6.0,no,\tyes,no,good,no,no,ckd,\r
75,70,1.020,0,0,normal,normal,notpresent,notpresent,107,48,0.8,144,3.5,13.6,46,10300,4.8,no,,no,no,good,no,no,notckd\r
60,90,?,?,?,abnormal,?,present,present,?,180,76,4.5,47,10.9,\t?,6200,3.6,yes, yes,yes,poor,yes,yes,ckd\t\r
\r
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return what reads a table from the texts of its files."""

    def from_texts(name: str, *texts: str) -> Table:
        for file, text in zip(CATALOGUE[name].files, texts, strict=True):
            (tmp_path / file.name).write_bytes(text.encode())
        return importlib.import_module(f"synthcohort.datasets.{name}").read(tmp_path)

    return from_texts


def test_california_has_whole_numbers_a_hole_and_a_numeric_target(read: Read) -> None:
    table = read("california", CALIFORNIA)
    decimals = {c.name: c.decimals for c in table.schema.numeric}
    assert (decimals["longitude"], decimals["median_income"], decimals["total_rooms"]) == (2, 4, 0)
    assert decimals["total_bedrooms"] == decimals["median_house_value"] == 0
    assert table.schema.task == "regression" and table.schema.positive == ""
    assert table.schema.target.name == "median_house_value" and table.schema.target.high == 452_600
    assert table.frame["total_bedrooms"].isna().tolist() == [False, True]
    assert table.frame["ocean_proximity"].tolist() == ["NEAR BAY", "<1H OCEAN"]


def test_insurance_asks_for_a_number(read: Read) -> None:
    table = read("insurance", INSURANCE)
    assert table.schema.task == "regression" and table.schema.target.unit == "USD"
    assert table.frame["charges"].tolist() == [16884.924, 1725.5523]
    assert [c.name for c in table.schema.sensitive] == ["sex"]
    assert table.schema["children"].numeric and table.schema["children"].decimals == 0


def test_churn_keeps_no_identifier(read: Read) -> None:
    table = read("churn", CHURN)
    assert table.schema.names[0] == "CreditScore" and table.schema.names[-1] == "Exited"
    assert len(table.schema.columns) == 11 and table.schema.positive == "1"
    assert table.schema["Balance"].decimals == 2 and table.frame["Exited"].tolist() == ["1", "0"]


@pytest.mark.parametrize(
    ("height", "weight", "high", "low", "lost"),
    [
        (168, "62.0", 110, 80, []),
        (99, "62.0", 110, 80, ["height"]),
        (250, "62.0", 110, 80, ["height"]),
        (168, "10.0", 110, 80, ["weight"]),
        (168, "62.0", -150, 80, ["ap_hi"]),
        (168, "62.0", 16020, 80, ["ap_hi"]),
        (168, "62.0", 140, 1000, ["ap_lo"]),
        (168, "62.0", 140, 0, ["ap_lo"]),
        (168, "62.0", 80, 120, ["ap_hi", "ap_lo"]),
        (168, "62.0", 100, 100, ["ap_hi", "ap_lo"]),
        (168, "62.0", 12, 11000, ["ap_hi", "ap_lo"]),
    ],
)
def test_cardio_loses_its_impossible_cells_and_no_others(
    read: Read, height: int, weight: str, high: int, low: int, lost: list[str]
) -> None:
    sound = "1;20228;1;156;85.0;240;150;3;1;0;0;1;1\n"
    frame = read("cardio", f"{CARDIO}{sound}0;18393;2;{height};{weight};{high};{low};1;2;0;0;1;0\n").frame
    assert [name for name in frame if frame[name].isna().any()] == lost
    assert not frame.iloc[0].isna().any()
    kept = {"height": height, "weight": float(weight), "ap_hi": high, "ap_lo": low, "age": 18393}
    assert all(frame[name][1] == value for name, value in kept.items() if name not in lost)
    assert frame["gender"].tolist() == ["female", "male"] and frame["gluc"].tolist() == ["1", "2"]


def test_heart_failure_leaves_the_follow_up_out(read: Read) -> None:
    table = read("heart_failure", HEART)
    assert "time" not in table.schema.names and len(table.schema.columns) == 12
    assert table.frame["sex"].tolist() == ["male", "female"] and table.frame["DEATH_EVENT"].tolist() == ["1", "0"]
    assert table.schema["platelets"].decimals == 2 and table.schema["age"].decimals == 3
    longer = HEART.replace(",4,1\n", ",285,1\n")
    assert longer != HEART and read("heart_failure", longer).frame.equals(table.frame)


def test_ckd_is_read_through_commas_blanks_and_tabs(read: Read) -> None:
    table = read("ckd", CKD)
    frame = table.frame
    assert frame["class"].tolist() == ["ckd", "ckd", "notckd", "ckd"] and table.schema.positive == "ckd"
    assert frame["dm"].tolist() == ["yes", "yes", "no", "yes"] and frame["cad"].tolist() == ["no", "no", "no", "yes"]
    assert frame["wbcc"].tolist() == [7800, 6900, 10300, 6200] and table.schema["wbcc"].decimals == 0
    assert table.schema["su"].levels == ("0", "4") and not table.schema["sg"].numeric


def test_ckd_keeps_its_holes_in_columns_of_both_kinds(read: Read) -> None:
    table = read("ckd", CKD)
    holes = {str(name): np.flatnonzero(cells).tolist() for name, cells in table.frame.isna().items() if cells.any()}
    assert holes == {
        **{"rbc": [0, 1], "sg": [3], "al": [3], "su": [3], "pc": [3], "bgr": [3], "pcv": [3]},
        **{"sod": [0, 1, 3], "pot": [0, 1, 3], "sc": [3]},  # 4.5, 47 and 76 are impossible
    }
    assert table.schema["rbc"].levels == ("abnormal", "normal")


def test_a_row_of_another_length_is_refused(read: Read) -> None:
    with pytest.raises(TableError, match="row 1 of the data has not 25 cells"):
        read("ckd", CKD.replace("48,80,1.020,", "48,80,", 1))


def test_an_unknown_class_is_refused(read: Read) -> None:
    with pytest.raises(TableError, match=r"'class': 1 cell\(s\) are not among the levels"):
        read("ckd", CKD.replace("ckd\t", "CKD"))


# --- PhysioNet --------------------------------------------------------------------------------------------------------

OUTCOMES = ["recordid", "SAPS-I", "SOFA", "Length_of_stay", "Survival"]
MEASURES = ["Age", "Gender", "Height", "Weight", "CCU", "CSRU", "SICU"]
BEDSIDE = ["DiasABP", "GCS", "Glucose", "HR", "MAP", "NIDiasABP", "NIMAP", "NISysABP", "RespRate", "SaO2", "Temp"]
OTHER = [
    *("ALP", "ALT", "AST", "Albumin", "BUN", "Bilirubin", "Cholesterol", "Creatinine", "FiO2", "HCO3", "HCT", "K"),
    *("Lactate", "Mg", "Na", "PaCO2", "PaO2", "Platelets", "SysABP", "TroponinI", "TroponinT", "WBC", "Weight", "pH"),
]
HEADER = [
    *OUTCOMES, "In-hospital_death", *MEASURES,
    *(f"{m}_{a}" for a in ("first", "last", "lowest", "highest", "median") for m in BEDSIDE),
    *(f"{m}_{a}" for a in ("first", "last") for m in OTHER),
    "MechVentStartTime", "MechVentDuration", "MechVentLast8Hour", "UrineOutputSum",
]  # fmt: skip


def stay(record: int, died: int, **cells: str) -> dict[str, str]:
    """Return a patient's row of the prepared file; what is not named is empty, or unknown among the outcomes."""
    row = dict.fromkeys(HEADER, "") | dict.fromkeys(OUTCOMES, "-1")
    row |= {"recordid": str(record), "In-hospital_death": str(died), "Age": "54.0", "Gender": "1.0"}
    return row | {"CCU": "0", "CSRU": "0", "SICU": "0"} | cells


STAYS = [
    stay(132539, 0, Gender="0.0", SICU="1", Height="175.3", HR_first="73.0", HR_median="72.5"),
    stay(132540, 1, CSRU="1", Height="11219.999999999998", NIMAP_median="78.16499999999999", HR_first="88.0"),
    stay(132541, 0, Gender="", Temp_median="37.849999999999994", MechVentLast8Hour="1.0", MechVentDuration="0.0"),
    stay(142541, 1, CCU="1", MechVentLast8Hour="0.0", MechVentStartTime="71.0", UrineOutputSum="5.0"),
]


def stays(rows: list[dict[str, str]]) -> list[str]:
    """Return the texts of sets a and b, the last row in b."""
    return [pd.DataFrame(part)[HEADER].to_csv(index=False) for part in (rows[:-1], rows[-1:])]


def test_physionet_joins_its_sets_and_reads_its_codes(read: Read) -> None:
    assert len(HEADER) == 120
    table = read("physionet2012", *stays(STAYS))
    assert table.frame.shape == (4, 112) and table.schema.positive == "1"
    assert table.frame["In-hospital_death"].tolist() == ["0", "1", "0", "1"]
    assert table.frame["ICUType"].tolist() == ["SICU", "CSRU", "MICU", "CCU"]
    assert table.frame["MechVentLast8Hour"].tolist() == ["never", "never", "yes", "no"]
    assert [c.name for c in table.schema.sensitive] == ["Gender"]
    assert all(column.meaning for column in table.schema.columns)


def test_physionet_keeps_its_holes_and_heights_a_person_can_have(read: Read) -> None:
    frame = read("physionet2012", *stays(STAYS)).frame
    assert frame["Gender"].isna().tolist() == [False, False, True, False]
    assert frame["Height"].dropna().tolist() == [175.3]
    assert frame["HR_first"].dropna().tolist() == [73, 88] and frame["pH_last"].isna().all()
    assert frame["MechVentDuration"].isna().tolist() == [True, True, False, True]


def test_physionet_decimals_are_the_recorded_ones(read: Read) -> None:
    table = read("physionet2012", *stays(STAYS))
    names = ("Age", "HR_first", "HR_median", "Temp_median", "NIMAP_median")
    assert [table.schema[name].decimals for name in names] == [0, 0, 1, 2, 3]
    assert table.frame["NIMAP_median"][1] == 78.165 and table.frame["Temp_median"][2] == 37.85


def test_physionet_does_not_see_what_comes_after_the_two_days(read: Read) -> None:
    """Identity, scores, length of stay, survival and the column that is no urine change nothing."""
    before = read("physionet2012", *stays(STAYS))
    later = {"recordid": "1", "SAPS-I": "30", "SOFA": "20", "Length_of_stay": "99", "Survival": "7"}
    after = read("physionet2012", *stays([row | later | {"UrineOutputSum": "44.0"} for row in STAYS]))
    assert after.frame.equals(before.frame) and after.schema == before.schema
    assert not {*OUTCOMES, "UrineOutputSum"} & {*before.schema.names}


@pytest.mark.parametrize(("column", "code"), [("Gender", "2.0"), ("Gender", "-1"), ("In-hospital_death", "")])
def test_physionet_refuses_an_unknown_code(read: Read, column: str, code: str) -> None:
    with pytest.raises(TableError, match=f"'{column}': 1 cell.s. are not among the levels"):
        read("physionet2012", *stays([STAYS[0] | {column: code}, *STAYS[1:]]))


def test_every_column_of_the_prepared_file_is_used_or_named_as_left_out() -> None:
    used = {*physionet2012._NUMERIC, *physionet2012._UNITS, "Gender", "MechVentLast8Hour", physionet2012.TARGET}
    assert {*HEADER} - used == {*OUTCOMES, "UrineOutputSum"}


# --- what they share --------------------------------------------------------------------------------------------------


def test_numbers_outside_their_limits_are_emptied_and_marks_stay() -> None:
    text = pd.Series(["4.5", "5", "?", "", "10", "10.1", "-70"])
    assert within(text, 5, 10).tolist() == ["", "5", "?", "", "10", "", ""]


def test_the_shortest_form_of_a_number_has_its_value() -> None:
    text = pd.Series(["41.0", "37.849999999999994", "", "-122.23", "157.00756", "63770.42801", "0.0"])
    assert shortest(text).tolist() == ["41", "37.85", "", "-122.23", "157.00756", "63770.42801", "0"]


def test_a_missing_level_is_a_hole_and_not_a_level() -> None:
    parsed = categorical_with_holes("x", pd.Series(["b", "?", "a", "", "b"], index=[3, 1, 4, 1, 5]), missing=("?", ""))
    assert parsed.column.levels == ("a", "b") and parsed.cells.fillna("a").tolist() == ["b", "a", "a", "a", "b"]
    assert parsed.cells.isna().tolist() == [False, True, False, True, False]
    with pytest.raises(TableError, match="1 cell"):
        categorical_with_holes("x", pd.Series(["a", "?", "b"]), missing=("?",), levels=("a",))
