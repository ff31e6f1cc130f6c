"""Are codes cut as medGAN cuts them, and is the matrix what a hand would write down?"""

from __future__ import annotations

import pandas as pd
import pytest

from synthcohort.datasets import icd
from synthcohort.datasets.table import TableError


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("4019", "401"),
        ("401", "401"),
        ("99591", "995"),
        ("0389", "038"),
        ("250.83", "250"),
        ("V5867", "V58"),
        ("v10", "V10"),
        ("E9342", "E934"),
        ("E849.8", "E849"),
        ("E934", "E934"),
        (" 8", "008"),
        ("8.45", "008"),
        ("38.9", "038"),
        ("", ""),
    ],
)
def test_a_code_is_cut_to_its_category(code: str, category: str) -> None:
    assert icd.shorten(code) == category


@pytest.mark.parametrize(("code", "category"), [("E119", "E11"), ("E11.9", "E11"), ("I10", "I10"), ("t45515a", "T45")])
def test_an_icd10_code_has_three_characters_whatever_its_letter(code: str, category: str) -> None:
    assert icd.shorten_icd10(code) == category


def test_the_matrix_has_a_row_a_patient_and_a_column_a_code_in_order() -> None:
    pairs = pd.DataFrame({"patient": [7, 3, 7, 3, 7, 5], "code": ["V58", "401", "038", "401", "V58", ""]})
    held = icd.matrix(pairs, [3, 5, 7, 9])
    assert list(held.columns) == ["038", "401", "V58"]
    assert held.astype(int).to_numpy().tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 1], [0, 0, 0]]


def test_the_order_of_the_pairs_does_not_matter() -> None:
    pairs = pd.DataFrame({"patient": list("abcab"), "code": ["3", "1", "2", "2", "3"]})
    assert icd.matrix(pairs[::-1], list("abc")).equals(icd.matrix(pairs, list("abc")))


def test_who_is_repeated_or_unknown_is_refused() -> None:
    pairs = pd.DataFrame({"patient": [1, 2, 2], "code": ["401", "250", "401"]})
    with pytest.raises(TableError, match=r"1 patient.* more than once"):
        icd.matrix(pairs, [1, 2, 2])
    with pytest.raises(TableError, match=r"2 code\(s\) belong to no patient"):
        icd.matrix(pairs, [1, 3])


def test_the_target_is_the_commonest_code_that_at_most_half_have() -> None:
    held = pd.DataFrame({"a": [1, 1, 1, 0], "b": [1, 0, 0, 0], "c": [0, 1, 1, 0], "d": [1, 0, 0, 1]}, dtype=bool)
    assert icd.commonest(held) == "c"
    with pytest.raises(TableError, match="none can be the target"):
        icd.commonest(held[["a"]])


def test_columns_have_two_levels_and_one_target() -> None:
    parts = icd.columns(pd.DataFrame({"401": [True, False], "V58": [False, False]}), "401", meaning="ever {}")
    assert [(p.column.name, p.column.role, p.column.levels) for p in parts] == [
        ("401", "target", ("0", "1")),
        ("V58", "feature", ("0", "1")),
    ]
    assert parts[0].cells.tolist() == ["1", "0"] and parts[1].cells.tolist() == ["0", "0"]
    assert parts[1].column.meaning == "ever V58"
