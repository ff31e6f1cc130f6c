"""Groups: of levels as they are, of numbers only where cut points say so."""

import pandas as pd
import pytest

import toys
from synthcohort.schema import SchemaError
from synthcohort.sensitive import attribute, attributes, condition, slug


def test_levels_are_groups_and_a_group_begins_at_its_cut_point():
    frame, schema = toys.mixed()
    sex = attribute(schema, "sex")
    assert sex.groups == ("f", "m") and list(sex.codes(frame)) == list(frame["sex"].cat.codes)
    age = attribute(schema, "age", [45, 60])
    assert age.groups == ("below 45", "45 to below 60", "60 or more")
    assert list(age.codes(pd.DataFrame({"age": [44.9, 45.0, 59.9, 60.0, 90.0]}))) == [0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("column", "cuts", "message"),
    [
        ("gender", (), r"no sensitive column 'gender'; features are \['age', 'sex', 'stage', 'marker'\]"),
        ("died", (), "no sensitive column 'died'"),
        ("age", (), r"column 'age' is numeric and makes no groups by itself: give it cut points"),
        ("age", (60, 45), r"column 'age': cut points \[60, 45\] must be different numbers, the smallest first"),
        ("sex", (1,), "column 'sex' is categorical: its levels are its groups"),
    ],
)
def test_what_makes_no_groups_is_refused_by_name(column, cuts, message):
    with pytest.raises(SchemaError, match=message):
        attribute(toys.mixed()[1], column, list(cuts))


def test_cut_points_are_shared_by_tables_and_read_only_for_numeric_columns():
    schema = toys.mixed()[1]
    found = attributes(schema, ["sex", "age"], {"age": [50], "bmi": [25, 30], "sex": [1]})
    assert [a.groups for a in found] == [("f", "m"), ("below 50", "50 or more")]


def test_names_for_metrics_and_conditions():
    assert slug("Asian-Pac-Islander") == "asian_pac_islander" and slug("45 to below 60") == "45_to_below_60"
    assert condition(["sex", "race"], 0.5) == "sex+race_0.5" and condition(["sex"], 1) == "sex_1.0"
    assert condition(["sex", "race"], 0) == "observed"
