"""What the cells of a column say about it, on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcohort.adding import evidence, words
from synthcohort.adding.columns import decimal_sign, judge, judge_target

AGES = [str(a) for a in np.random.default_rng(0).integers(18, 91, 300)]
CHANGES = [f"{c:.1f}" for c in np.random.default_rng(1).normal(0, 2, 300)]
SMOKES = [str(s) for s in np.random.default_rng(2).integers(0, 3, 300)]


def series(cells: list[str]) -> pd.Series:
    return pd.Series(cells, dtype="object")


def codes(cells: list[str]) -> set[str]:
    return set(judge("x", series(cells), ".").codes)


@pytest.mark.parametrize("code", ["-1", "-9", "-99", "999", "9999", "-9.0"])
def test_a_code_apart_from_ages_is_missing(code):
    assert codes([*AGES, *[code] * 5]) == {code}


def test_several_codes_do_not_hide_each_other():
    assert codes([*AGES, *["-1"] * 5, *["-9"] * 4, *["999"] * 3]) == {"-1", "-9", "999"}


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([*AGES, *["99"] * 5], "99 is an age"),
        ([*AGES, *["999"] * 2], "two cells are no mass"),
        ([*AGES, *["998"] * 5], "nobody writes 998 for missing"),
        ([*CHANGES, *["-1"] * 5], "-1 lies among the others"),
        ([*CHANGES, *["-9"] * 5], "-9 is as far from the others as they from each other"),
        ([*SMOKES, *["-1"] * 30], "-1, 0, 1, 2 may be one scale"),
        ([str(i) for i in range(-1, 40)] * 5, "a range that begins at -1"),
    ],
)
def test_without_evidence_a_number_is_a_number(cells, why):
    assert codes(cells) == set(), why


def test_a_code_among_few_levels_needs_a_wider_gap():
    assert codes([*SMOKES, *["-9"] * 30]) == {"-9"}
    assert codes([*SMOKES, *["9"] * 30]) == set()


def test_texts_among_numbers_are_missing_if_few_and_short():
    assert codes([*AGES, "unknown", "unknown", "n.d."]) == {"unknown", "n.d."}
    many = judge("x", series([*AGES, *[f"see note {i}" for i in range(20)]]), ".")
    assert many.kind is None and "20 cells hold other texts" in many.why


@pytest.mark.parametrize(
    ("name", "cells", "why"),
    [
        ("x", [""] * 60, "every cell is missing"),
        ("x", ["7.5"] * 60, "constant"),
        ("x", ["a"] * 60, "constant"),
        ("x", [str(i) for i in range(60)], "running number"),
        ("x", [str(59 - i) for i in range(60)], "running number: whole, none twice"),
        ("x", [str(1000 + 7 * i) for i in range(60)], "larger than the one before"),
        ("patient_id", [str((7919 * i) % 104729) for i in range(60)], "the name of an identifier"),
        ("x", [f"P{i:03}" for i in range(60)], "identifier or free text"),
        ("x", [f"{i % 40} words" for i in range(60)], "different texts"),
        ("x", [f"{1 + i % 28:02}.03.2019" for i in range(60)], "dates"),
        ("x", [f"2019-03-{1 + i % 28:02} 12:30:00" for i in range(60)], "dates"),
        ("x", [f"201903{1 + i % 28:02}" for i in range(60)], "dates"),
        ("x", [f"{1 + i % 28} Mar 2019" for i in range(60)], "dates"),
        ("x", [f"{i % 24:02}:30" for i in range(60)], "dates or times"),
    ],
)
def test_what_cannot_be_learned_from_is_left_out_with_its_reason(name, cells, why):
    found = judge(name, series(cells), ".")
    assert found.kind is None and why in found.why


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["0", "1"] * 30, "categorical"),
        ([str(i % 10) for i in range(60)], "categorical"),
        ([str(i % 11) for i in range(60)], "numeric"),
        (["0.5", "1"] * 30, "numeric"),
        (["I", "II", "III"] * 20, "categorical"),
        (["7.5", ""] * 30, "categorical"),
        (["1.2.3", "1.2.4"] * 30, "categorical"),
        ([str(x) for x in np.random.default_rng(0).permutation(200) * 3], "numeric"),
    ],
)
def test_the_others_have_a_kind(cells, kind):
    assert judge("x", series(cells), ".").kind == kind


def test_patients_with_several_rows_are_seen_by_name_and_repetition():
    repeated = [str(100 + i // 3) for i in range(300)]
    found = judge("patient_id", series(repeated), ".")
    assert found.kind is None and found.groups and "100 different in 300 rows" in found.why
    assert not judge("dose", series(repeated), ".").groups
    assert judge("Patienten-Nr. ", series([f"P{cell}" for cell in repeated]), ".").groups


def test_what_is_measured_of_a_patient_is_no_identifier():
    for name, cells in {
        "patient_age": [str(20 + i % 71) for i in range(300)],
        "Patient weight": [f"{50 + i / 7:.1f}" for i in range(300)],
    }.items():
        assert judge(name, series(cells), ".").kind == "numeric"


@pytest.mark.parametrize(
    ("cells", "sign"),
    [
        ({"a": ["1,5", "2"], "b": ["x", "y"]}, ","),
        ({"a": ["1,5", "2"], "b": ["1.5", "2"]}, "."),
        ({"a": ["1,500", "2,250"]}, "."),
        ({"a": ["1,500", "2,250"], "b": ["0,5", "7"]}, ","),
        ({"a": ["1.5", "2"]}, "."),
        ({"a": ["x, y", "z"], "b": ["1", "2"]}, "."),
        ({"a": ["1,5", "2"], "b": ["12.03.2019", "13.04.2020"]}, ","),
    ],
)
def test_the_decimal_comma_is_read_only_where_nothing_speaks_against_it(cells, sign):
    assert decimal_sign(pd.DataFrame(cells, dtype="object"))[0] == sign


def test_the_task_follows_from_the_target():
    kinds = {
        "binary": judge_target("y", series(["0", "1"] * 30), "."),
        "multi-class": judge_target("y", series(["a", "b", "c"] * 20), "."),
        "regression": judge_target("y", series([f"{i / 7:.2f}" for i in range(60)]), "."),
    }
    assert {task: verdict.kind for task, verdict in kinds.items()} == {
        "binary": "categorical", "multi-class": "categorical", "regression": "numeric",
    }  # fmt: skip
    assert all(task in verdict.why for task, verdict in kinds.items())


def test_bounds_hold_every_cell_and_tell_no_extreme():
    draw = np.random.default_rng(4)
    for scale in (0.003, 1.0, 7e6):
        numbers = pd.Series(draw.normal(0, scale, 500))
        low, high = evidence.bounds(numbers)
        assert (low is None or low <= numbers.min()) and (high is None or high >= numbers.max())
        assert not {low, high} & set(numbers)
    spread = pd.Series([*np.linspace(10, 90, 200), 301.0])
    assert evidence.bounds(spread) == (0, None)  # one patient above 300 is not told
    assert evidence.bounds(pd.Series(np.linspace(11.0, 89.0, 200))) == (10, 90)


@pytest.mark.parametrize(
    "name",
    [
        *("sex", "Patient Sex", "patientSex", "Geschlecht", "sexe", "género", "kjønn", "возраст", "性别", "患者性别"),
        *("الجنس", "âge (années)", "Race/Ethnicity"),
    ],
)
def test_sensitive_names_are_known_in_several_languages(name):
    assert words.is_sensitive(name)


@pytest.mark.parametrize("name", ["dosage", "stage", "sextant", "marker", "traceability", ""])
def test_a_word_inside_another_is_none(name):
    assert not words.is_sensitive(name)


def test_levels_on_a_known_scale_are_put_in_its_order():
    found = judge("pain", series(["mild", "severe", "moderate", "none"] * 30), ".")
    assert found.levels == ("none", "mild", "moderate", "severe")
    assert judge("pain", series(["mild", "severe", "moderate"] * 5), ".").levels == ()  # few patients are not told
    assert judge("stage", series(["I", "II", "III"] * 30), ".").levels == ()  # natural order is the same
