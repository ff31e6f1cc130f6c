"""Rows of a balanced table beside real rows weighted to the same joint, and group by group."""

import numpy as np
import pytest

import toys
from synthcohort import joint
from synthcohort.metrics.fidelity import column_shapes
from synthcohort.metrics.group_fidelity import asked_fidelity, group_fidelity
from synthcohort.rng import Rng
from synthcohort.sensitive import attributes


@pytest.fixture
def table():
    frame, schema = toys.mixed(1200)
    known = attributes(schema, ["sex"], {})
    return frame, schema, joint.grid(schema, known)


def asked(frame, drawn, schema, grid, law):
    found = asked_fidelity(frame, drawn, schema, grid=grid, law=law, condition="sex_1.0", rng=Rng(1))
    return {score.metric: score.value for score in found}


def test_real_rows_with_the_joint_asked_for_are_perfect_and_as_observed_are_not(table):
    frame, schema, grid = table
    law = np.array([[0.45, 0.05], [0.05, 0.45]])
    rows = joint.drawn(grid.cells(frame), joint.numbers(law, 4 * len(frame)), Rng(2))
    good, plain = (asked(frame, drawn, schema, grid, law) for drawn in (frame.iloc[rows], frame))
    assert good["shape_asked"] > 0.99 and good["trend_asked"] > 0.99
    assert plain["shape_asked"] < good["shape_asked"] - 0.02 and plain["trend_asked"] < good["trend_asked"] - 0.02


def test_the_joint_as_observed_weighs_all_rows_alike(table):
    frame, schema, grid = table
    drawn = toys.mixed(500, seed=2)[0]
    found = asked(frame, schema.cast(drawn), schema, grid, joint.balanced(grid.counts(frame), 0.0))
    assert found["shape_asked"] == pytest.approx(column_shapes(frame, drawn, schema)["shape"].mean(), abs=1e-12)


def test_a_combination_without_a_test_row_has_no_weight(table):
    frame, schema, grid = table
    lacking = frame[~((frame["sex"] == "f") & (frame["died"] == "yes"))]
    found = asked(lacking, lacking, schema, grid, np.full((2, 2), 0.25))
    assert np.isfinite(list(found.values())).all()


def test_every_group_is_judged_by_its_own_rows(table):
    frame, schema, _ = table
    (sex,) = attributes(schema, ["sex"], {})
    shuffled = frame.copy()
    men = shuffled["sex"] == "m"
    shuffled.loc[men, "marker"] = shuffled.loc[men, "marker"].max()
    found = {s.metric: s for s in group_fidelity(frame, shuffled, schema, sex, condition="c")}
    assert found["shape_sex_f"].value == found["trend_sex_f"].value == 1.0
    assert found["shape_sex_m"].value < 0.9 and found["trend_sex_m"].value < 0.95
    few = {s.metric: s for s in group_fidelity(frame, shuffled[~men], schema, sex, condition="c")}
    assert np.isnan(few["shape_sex_m"].value) and "group 'm' has fewer than 10 rows" in few["shape_sex_m"].note
