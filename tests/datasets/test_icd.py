"""Are diagnosis codes cut and counted as medGAN does?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcohort.datasets import icd


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("250.83", "250"), ("25083", "250"), ("428", "428"), ("8", "008"), ("8.45", "008"), ("00845", "008"),
        ("38.9", "038"), ("V57.1", "V57"), ("V5789", "V57"), ("E909", "E909"), ("E888.9", "E888"), ("E8889", "E888"),
        (" v45 ", "V45"),
    ],
)  # fmt: skip
def test_codes_are_cut_to_their_category(code: str, category: str) -> None:
    assert icd.shorten(code) == category


def test_a_matrix_worked_out_by_hand() -> None:
    pairs = pd.DataFrame(
        [("p2", "V57"), ("p1", "250"), ("p1", "250"), ("p2", "E909"), ("p4", "250"), ("p2", "008"), ("p4", "V57")],
        columns=["patient", "code"],
    )
    found = icd.matrix(pairs, ["p4", "p1", "p3", "p2"])
    assert list(found.columns) == ["008", "250", "E909", "V57"] and list(found.index) == ["p4", "p1", "p3", "p2"]
    assert found.to_numpy().tolist() == [[0, 1, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1]]
    assert found.to_numpy().dtype == np.int8
    often = icd.matrix(pairs, ["p1", "p2", "p3", "p4"], fewest=2)
    assert list(often.columns) == ["250", "V57"] and often.sum().tolist() == [2, 2]


def test_the_order_of_the_pairs_changes_nothing() -> None:
    g = np.random.default_rng(3)
    pairs = pd.DataFrame({"patient": g.integers(0, 50, 400).astype(str), "code": g.integers(100, 140, 400).astype(str)})
    patients = [str(i) for i in range(50)]
    assert icd.matrix(pairs.sample(frac=1, random_state=1), patients).equals(icd.matrix(pairs, patients))


def test_what_cannot_be_counted_is_refused() -> None:
    pairs = pd.DataFrame({"patient": ["a", "b", "b"], "code": ["250", "428", "250"]})
    with pytest.raises(ValueError, match="2 codes belong to patients who are not among the rows"):
        icd.matrix(pairs, ["a"])
    with pytest.raises(ValueError, match="no code is had by 3 patients"):
        icd.matrix(pairs, ["a", "b"], fewest=3)
