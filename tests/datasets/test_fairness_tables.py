"""Are the tables on which fairness is judged read as their modules say, and who they are about left out?"""

import os
from pathlib import Path

import pandas as pd
import pytest

from synthcohort.datasets import bank_marketing, compas, fetch
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.load import load
from synthcohort.datasets.table import TableError
from synthcohort.study import DatasetBlock

MIRROR = os.environ.get(fetch.MIRROR, "")
BANK = """"age";"job";"marital";"education";"default";"balance";"housing";"loan";"contact";"day";"month";"duration";\
"campaign";"pdays";"previous";"poutcome";"y"
25;"student";"single";"tertiary";"no";-12;"yes";"no";"unknown";5;"may";261;1;-1;0;"unknown";"no"
26;"services";"married";"unknown";"no";2143;"no";"no";"cellular";6;"jun";30;2;91;3;"success";"yes"
"""
COMPAS_HEAD = (
    "id,name,first,last,compas_screening_date,sex,dob,age,age_cat,race,juv_fel_count,decile_score,juv_misd_count,"
    "juv_other_count,priors_count,days_b_screening_arrest,c_case_number,c_charge_degree,is_recid,r_case_number,"
    "decile_score,score_text,v_decile_score,v_score_text,priors_count,event,two_year_recid"
)
PERSON = (
    "{id},{name},{name},Doe,2013-08-14,{sex},1947-04-18,34,25 - 45,{race},0,3,1,0,2,{days},13011352CF10A,{degree},"
    "{recid},99,3,{text},1,Low,2,0,{label}"
)
KEPT = {
    "id": 1,
    "name": "Invented",
    "sex": "Male",
    "race": "Other",
    "days": "-1",
    "degree": "F",
    "recid": "0",
    "text": "Low",
}


def persons(*changes):
    rows = [PERSON.format(**{**KEPT, "label": k % 2, "id": k, **change}) for k, change in enumerate(changes)]
    return "\n".join([COMPAS_HEAD, *rows]) + "\n"


def test_a_client_of_twenty_five_is_young_and_codes_stay_levels(tmp_path):
    (tmp_path / "bank-full.csv").write_text(BANK)
    table = bank_marketing.read(tmp_path)
    assert list(table.frame["age_group"]) == ["25 or younger", "over 25"] and list(table.frame["age"]) == [25.0, 26.0]
    assert [c.name for c in table.schema.sensitive] == ["age_group"] and table.schema.positive == "yes"
    assert list(table.frame["pdays"]) == [-1.0, 91.0] and table.frame["education"].iloc[1] == "unknown"
    assert table.schema["age_group"].levels == bank_marketing.GROUPS


def test_no_cell_that_tells_who_a_person_is_enters_the_table(tmp_path):
    (tmp_path / "compas-scores-two-years.csv").write_text(persons({}, {"sex": "Female", "race": "Asian"}))
    table = compas.read(tmp_path)
    assert table.schema.names == compas.NAMES and len(table.frame) == 2
    cells = table.frame.astype(str).to_csv()
    for secret in ("Invented", "Doe", "1947-04-18", "13011352CF10A", "2013-08-14"):
        assert secret not in cells
    assert {c.name for c in table.schema.sensitive} == {"sex", "race"}
    assert list(table.frame["decile_score"]) == [3.0, 3.0] and table.schema.positive == "1"


def test_only_rows_that_pass_the_publishers_filter_are_kept(tmp_path):
    out = [{"days": "31"}, {"days": "-31"}, {"days": ""}, {"recid": "-1"}, {"degree": "O"}, {"text": "N/A"}]
    text = persons({}, {"days": "30", "sex": "Female"}, *out, {"days": "-30"})
    (tmp_path / "compas-scores-two-years.csv").write_text(text)
    assert list(compas.read(tmp_path).frame["sex"]) == ["Male", "Female", "Male"]


def test_an_unexpected_number_is_an_error(tmp_path):
    (tmp_path / "bank-full.csv").write_text(BANK.replace("2143", "many"))
    with pytest.raises((TableError, ValueError), match="many"):
        bank_marketing.read(tmp_path)


@pytest.mark.skipif(not MIRROR, reason=f"{fetch.MIRROR} is not set: the published tables are not here")
@pytest.mark.parametrize(
    ("name", "shape", "cases", "sensitive"),
    [
        ("bank_marketing", (45_211, 18), 5289, {"age_group": {"over 25": 43_875, "25 or younger": 1336}}),
        (
            "compas",
            (6172, 11),
            2809,
            {
                "sex": {"Male": 4997, "Female": 1175},
                "race": {"African-American": 3175, "Caucasian": 2103, "Hispanic": 509, "Other": 343, "Asian": 31,
                         "Native American": 11},
            },
        ),
    ],
)  # fmt: skip
def test_the_published_files_have_the_rows_and_groups_their_cards_tell_of(tmp_path, name, shape, cases, sensitive):
    if not (Path(MIRROR) / name).is_dir():
        pytest.skip(f"the mirror has no {name}")
    assert not fetch.bring(name, DatasetBlock(), tmp_path / name).skipped
    table = load(name, DatasetBlock(), tmp_path / name)
    target = table.frame[table.schema.target.name]
    assert table.frame.shape == shape and (target == table.schema.positive).sum() == cases
    assert {c.name for c in table.schema.sensitive} == set(sensitive)
    for column, counts in sensitive.items():
        assert table.frame[column].value_counts().to_dict() == counts
    assert not table.frame.isna().to_numpy().any()


@pytest.mark.skipif(not MIRROR, reason=f"{fetch.MIRROR} is not set: the published tables are not here")
def test_no_name_of_the_published_file_is_a_level_or_a_cell(tmp_path):
    if not (Path(MIRROR) / "compas").is_dir():
        pytest.skip("the mirror has no compas")
    assert not fetch.bring("compas", DatasetBlock(), tmp_path / "compas").skipped
    table = load("compas", DatasetBlock(), tmp_path / "compas")
    path = tmp_path / "compas" / CATALOGUE["compas"].files[0].name
    secret = pd.read_csv(path, dtype="str", usecols=["name", "first", "last", "dob", "c_case_number"])
    known = set(secret.to_numpy().ravel()) - {None}
    levels = {level for column in table.schema.categorical for level in column.levels}
    assert not levels & known
