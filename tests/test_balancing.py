"""The ask for a balanced table: exact counts, cells that occur, inputs left alone."""

import numpy as np
import pandas as pd
import pytest

import toys
from synthcohort import joint
from synthcohort.balancing import balanced
from synthcohort.generators.independent import Independent
from synthcohort.rng import Rng
from synthcohort.sensitive import attributes


@pytest.fixture
def table():
    frame, schema = toys.mixed(400)
    return frame, schema, attributes(schema, ["sex", "stage", "age"], {"age": [50]})


def test_a_joint_of_three_attributes_is_exactly_balanced_and_the_label_as_observed(table):
    frame, schema, known = table
    ask = balanced(frame, schema, 1.0, known, rng=Rng(1))
    assert list(ask.columns) == ["died", "sex", "stage", "age"] and len(ask) == 400
    assert (ask["died"].value_counts() == frame["died"].value_counts()).all()
    grid = joint.grid(schema, known)
    train, asked = grid.counts(frame), grid.counts(ask)
    assert (asked[train == 0] == 0).all()
    for label in (0, 1):
        filled = asked[label][train[label] > 0]
        assert np.ptp(filled) <= 1
    assert schema.check_part(ask) is ask


def test_dial_zero_asks_for_the_table_as_it_is(table):
    frame, schema, known = table
    ask = balanced(frame, schema, 0.0, known, rng=Rng(1))
    columns = list(ask.columns)
    assert ask.value_counts().sort_index().equals(frame[columns].value_counts().sort_index())


def test_every_number_asked_for_occurs_in_its_combination(table):
    frame, schema, known = table
    ask = balanced(frame, schema, 1.0, known, rng=Rng(1), rows=1000)
    occurring = frame[list(ask.columns)].drop_duplicates()
    assert len(ask) == 1000 and len(ask.merge(occurring)) == 1000


def test_it_is_an_ask_a_generator_answers_and_touches_no_input(table):
    frame, schema, known = table
    before = frame.copy()
    ask = balanced(frame, schema, 1.0, known, rng=Rng(1))
    pd.testing.assert_frame_equal(frame, before)
    assert ask.equals(balanced(frame, schema, 1.0, known, rng=Rng(1)))
    assert not ask.equals(balanced(frame, schema, 1.0, known, rng=Rng(2)))
    drawn = Independent().fit(frame, schema, rng=Rng(1)).sample(len(ask), rng=Rng(2), conditions=ask)
    assert (joint.grid(schema, known).counts(drawn) == joint.grid(schema, known).counts(ask)).all()
