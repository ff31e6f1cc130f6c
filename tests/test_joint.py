"""The joint of label and groups: exact balance, the rule for empty cells, whole numbers of rows."""

import numpy as np
import pandas as pd
import pytest

import toys
from synthcohort import joint
from synthcohort.rng import Rng
from synthcohort.schema import Column, Schema
from synthcohort.sensitive import attributes

COUNTS = np.array([[30, 10], [5, 15]])  # label x sex: 40 negative, 20 positive


def test_balanced_is_label_as_observed_and_every_group_uniform():
    assert np.allclose(joint.balanced(COUNTS, 1.0), [[40 / 120, 40 / 120], [20 / 120, 20 / 120]])
    assert np.allclose(joint.balanced(COUNTS, 0.0), COUNTS / 60)
    half = joint.balanced(COUNTS, 0.5)
    assert np.allclose(half, (COUNTS / 60 + joint.balanced(COUNTS, 1.0)) / 2)
    assert joint.gap(half, COUNTS) == pytest.approx(joint.gap(joint.balanced(COUNTS, 1.0), COUNTS) / 2)


def test_independent_keeps_both_margins():
    law = joint.independent(COUNTS, 1.0)
    assert np.allclose(law, np.outer([40, 20], [35, 25]) / 3600)
    assert np.allclose(joint.independent(COUNTS, 0.0), COUNTS / 60)


def test_three_attributes_are_jointly_uniform_within_each_label():
    counts = Rng(1).numpy().integers(1, 40, size=(2, 2, 3, 4))
    law = joint.balanced(counts, 1.0)
    for label in (0, 1):
        assert np.allclose(law[label], counts[label].sum() / counts.sum() / 24)


def test_an_empty_cell_gives_its_share_to_the_others_of_its_label():
    counts = 10 * np.array([[[6, 2], [4, 0]], [[1, 1], [1, 1]]])
    law = joint.balanced(counts, 1.0)
    assert np.allclose(law[0], 12 / 16 * np.array([[1 / 3, 1 / 3], [1 / 3, 0]]))
    assert np.allclose(law[1], 4 / 16 / 4)
    assert np.allclose(joint.balanced(counts, 0.25)[0, 1, 1], 0.0)


def test_a_group_without_a_positive_row_leaves_the_label_as_observed():
    counts = np.array([[80, 80], [40, 0]])
    law = joint.balanced(counts, 1.0)
    assert np.allclose(law, [[0.4, 0.4], [0.2, 0.0]])
    assert joint.fewest(law, counts) == (2, 40)


def test_a_group_of_too_few_rows_is_left_as_observed_and_the_others_are_even():
    counts = np.array([[60, 30, 1], [6, 3, 0]])  # women, men, one other
    law = joint.balanced(counts, 1.0)
    assert np.allclose(law, np.array([[45, 45, 1], [4.5, 4.5, 0]]) / 100)
    both = np.array([[[60, 1], [30, 0]], [[6, 0], [3, 0]]])  # the other attribute has the small group
    assert np.allclose(joint.balanced(both, 1.0), np.array([[[45, 1], [45, 0]], [[4.5, 0], [4.5, 0]]]) / 100)
    enough = np.array([[60, 30, 10], [6, 3, 0]])
    assert np.allclose(joint.balanced(enough, 1.0), np.array([[100 / 3] * 3, [4.5, 4.5, 0]]) / 109)
    lone = np.array([[3, 2], [1, 2]])  # nothing can be balanced
    assert np.allclose(joint.balanced(lone, 1.0), lone / 8)


def test_a_label_nobody_has_cannot_be_asked_for():
    with pytest.raises(joint.JointError, match="label number 1 is asked for, but none of the 9 rows has it"):
        joint.supported(np.array([[0.4, 0.4], [0.1, 0.1]]), np.array([[4, 5], [0, 0]]))
    with pytest.raises(ValueError, match=r"dial is 1.5; it must lie between 0 \(as observed\) and 1"):
        joint.balanced(COUNTS, 1.5)


@pytest.mark.parametrize("rows", [0, 1, 7, 60, 61, 1000])
def test_numbers_are_whole_sum_up_and_keep_the_label(rows):
    law = joint.balanced(COUNTS, 1.0)
    found = joint.numbers(law, rows)
    assert found.sum() == rows and (found >= 0).all()
    assert np.abs(found.sum(axis=1) - rows * np.array([2 / 3, 1 / 3])).max() < 1
    assert np.ptp(found, axis=1).max() <= 1  # even within each label


def test_as_many_rows_as_observed_give_the_label_exactly_and_dial_zero_gives_the_counts():
    counts = np.array([[78, 60, 13], [4, 20, 36]])
    assert (joint.numbers(joint.balanced(counts, 0.0), 211) == counts).all()
    for dial in (0.0, 0.3, 1.0):
        assert list(joint.numbers(joint.balanced(counts, dial), 211).sum(axis=1)) == [151, 60]


def test_rows_of_a_cell_come_equally_often():
    cells = np.array([0, 0, 0, 1, 1, 2])
    rows = joint.drawn(cells, np.array([7, 1, 0]), Rng(1))
    taken = np.bincount(rows, minlength=6)
    assert sorted(taken[:3]) == [2, 2, 3] and sorted(taken[3:5]) == [0, 1] and taken[5] == 0
    assert list(rows) != sorted(rows)
    assert list(rows) == list(joint.drawn(cells, np.array([7, 1, 0]), Rng(1)))
    with pytest.raises(joint.JointError, match="cell 3 has no row, but 2 are asked for"):
        joint.drawn(cells, np.array([0, 0, 0, 2]), Rng(1))


def test_cells_are_told_by_label_and_groups():
    frame, schema = toys.mixed()
    grid = joint.grid(schema, attributes(schema, ["sex", "age"], {"age": [50]}))
    assert grid.shape == (2, 2, 2) and grid.columns == ["died", "sex", "age"]
    by_hand = frame.groupby(["died", "sex", frame["age"] >= 50], observed=False).size()
    assert list(grid.counts(frame).ravel()) == list(by_hand)
    row = frame.iloc[[0]]
    assert grid.name(int(grid.cells(row)[0])) == (
        f"died {row.died.iloc[0]}, sex {row.sex.iloc[0]}, age {'50 or more' if row.age.iloc[0] >= 50 else 'below 50'}"
    )


def test_a_numeric_label_and_a_column_named_twice_are_refused():
    with pytest.raises(joint.JointError, match="target 'y' is numeric"):
        joint.grid(toys.numeric()[1], ())
    schema = toys.mixed()[1]
    twice = attributes(schema, ["sex", "sex"], {})
    with pytest.raises(joint.JointError, match="'sex' is named twice"):
        joint.grid(schema, twice)


def test_no_attribute_is_the_label_alone():
    frame = pd.DataFrame({"y": pd.Categorical(["a", "b", "b"], categories=["a", "b"])})
    schema = Schema((Column("y", "categorical", role="target", levels=("a", "b")),), "b")
    counts = joint.grid(schema, ()).counts(frame)
    assert list(joint.numbers(joint.balanced(counts, 0.0), 30)) == [10, 20]
