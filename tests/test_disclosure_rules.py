"""The rules for restricted tables: small counts, outer values, rare levels, covered messages, and who is restricted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthcohort import study as studies
from synthcohort.datasets import catalogue, restricted
from synthcohort.disclosure import FLOOR, Veil, outer, small, told_levels, withheld
from synthcohort.study import DatasetBlock


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ([100, 50, 11, 0], []),  # nothing is small
        ([100, 50, 5], [1, 2]),  # one small count: the next smallest is withheld too
        ([100, 6, 7], [1, 2]),  # two that together are many enough
        ([100, 2, 3], [0, 1, 2]),  # together still too few
        ([100, 5], [0, 1]),
        ([5], [0]),
    ],
)
def test_small_counts_are_withheld_and_no_total_gives_them_away(counts, hidden):
    assert np.flatnonzero(withheld(counts)).tolist() == hidden


def test_what_is_withheld_is_several_counts_and_many_rows_whatever_the_table():
    draw = np.random.default_rng(3)
    for _ in range(300):
        counts = draw.geometric(0.05, size=draw.integers(3, 9)) - 1
        hidden = withheld(counts)
        assert not ((counts[~hidden] > 0) & (counts[~hidden] < FLOOR)).any()
        if hidden.any() and not hidden[counts > 0].all():
            assert hidden.sum() >= 2 and counts[hidden].sum() >= FLOOR
    assert not withheld([1, 2, 3], 0).any()


def test_what_is_left_of_a_whole_may_be_too_small_as_well():
    assert small(3, 100) and small(97, 100) and not small(0, 100) and not small(100, 100) and not small(50, 100)


def test_rare_levels_are_not_named_and_missing_cells_count():
    levels = ["a"] * 40 + ["b"] * 30 + ["c"] * 20 + ["rare"] * 3
    cells = pd.Series(pd.Categorical(levels, categories=["a", "b", "c", "rare", "unused"]))
    assert told_levels(cells).to_dict() == {"a": 40, "b": 30}
    assert set(told_levels(cells, 0).index) == {"a", "b", "c", "rare", "unused"}
    few = cells[:90].mask(cells[:90].index < 4)  # 4 missing cells: with all levels told they could be counted
    assert set(told_levels(few).index) == {"a", "b"}


@pytest.mark.parametrize("decimals", [0, 3])
def test_outer_values_stand_for_eleven_rows_and_are_no_extremes(decimals):
    values = np.round(np.random.default_rng(1).normal(50, 12, 300), decimals)
    values[0], values[1] = 98765.0, -54321.0
    low, high = outer(values)
    assert (values <= low).sum() >= FLOOR and (values >= high).sum() >= FLOOR
    assert 20 < low < high < 90 and low == round(low) and high == round(high)


def test_outer_values_need_rows_on_both_sides():
    assert outer(np.arange(2.0 * FLOOR - 1)) is None
    assert outer(np.array([0.0] * 100 + [7.0])) == (0.0, 0.0)
    assert outer(np.repeat([0.0, 1e-9], 20)) == (0.0, 1e-9)


@pytest.mark.parametrize(
    "said",
    [
        "column 'ward' holds 1 unknown level(s), first 'Zanzibar'; allowed are ['north', \"the north's\"]",
        "column 'ward' is numeric but holds text: could not convert string to float: 'Zanzibar 54321'",
        "the table's rows' cells rise to 54321.5, above -5.4321e4 and 54,321",
        "column 'ward': class 'Zan\\'zibar' has too few different rows",
    ],
)
def test_a_veil_covers_quoted_texts_and_numbers(said):
    told = Veil("t", frozenset({"ward"})).over(said)
    for canary in ("Zan", "zibar", "54321", "5.4321", "54,321", "north"):
        assert canary not in told
    assert "'ward'" in told or "ward" not in said
    assert "unknown level" in told or "unknown" not in said


def test_of_foreign_errors_only_the_kind_is_told():
    veil = Veil("t")
    assert veil.of_error("TypeError", "new category (Zanzibar)") == (
        "TypeError: the message may hold cells of the restricted table t and is withheld"
    )
    assert "too few rows" in veil.of_error("SplitError", "too few rows (3)")
    assert "3" not in veil.of_error("SplitError", "too few rows (3)")


def test_notes_of_other_tables_are_left_alone():
    frame = pd.DataFrame({"dataset": ["t", "u"], "note": ["class 'x' has 3 rows", "class 'x' has 3 rows"]})
    assert Veil("t").over_notes(frame)["note"].tolist() == [
        "class [withheld] has [withheld] rows",
        "class 'x' has 3 rows",
    ]


def test_tables_under_credentials_are_restricted_unless_their_block_says_otherwise(monkeypatch, tmp_path):
    entry = replace(catalogue.CATALOGUE["pima"], credentialed=True)
    monkeypatch.setitem(catalogue.CATALOGUE, "pima", entry)
    assert entry.card.restricted and not catalogue.CATALOGUE["wdbc"].card.restricted
    assert restricted.is_restricted("pima", DatasetBlock())
    assert not restricted.is_restricted("pima", DatasetBlock(restricted=False))
    assert not restricted.is_restricted("wdbc", DatasetBlock())
    assert not restricted.is_restricted("mine", DatasetBlock(path="a.csv"))
    (tmp_path / "dvc.yaml").touch()
    text = (
        "study: {seed: 1}\ndatasets: {pima: , mine: {path: a.csv, target: y, restricted: true}}\ngenerators: {arf: }\n"
    )
    (tmp_path / "params.yaml").write_text(text)
    found = restricted.veils(studies.load(tmp_path))
    assert list(found) == ["pima", "mine"] and {"y", "arf"} <= found["mine"].names
