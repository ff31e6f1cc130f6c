"""Rows on which settings are chosen: none of them is a test row, whichever split is asked."""

import json

import numpy as np
import pytest
from tuning_toys import PARAMS, tables

from synthcohort.cells import holdout
from synthcohort.fingerprint import fingerprints
from synthcohort.study import ParamsError
from synthcohort.tuning import rows as tuning

PARTS = ("train", "validation", "judged")


def prints(found):
    return [fingerprints(getattr(found, part)) for part in PARTS]


@pytest.mark.parametrize("dataset", ["mixed", "gaps"])
def test_no_row_is_a_test_row_of_any_split_and_none_is_in_two_parts(opened, dataset):
    found = tuning.tuning_rows(opened, dataset)
    for split in range(opened.splits(dataset)):
        test = holdout.read_test(opened.paths.test(dataset), split)
        assert not np.isin(np.concatenate(prints(found)), fingerprints(test)).any()
    train, validation, judged = (set(part) for part in prints(found))
    assert not (train & validation or train & judged or validation & judged)


def test_a_row_that_filling_makes_equal_to_a_test_row_is_left_out():
    frame = tables()["mixed"].frame
    known = fingerprints(frame.iloc[:3])
    left = tuning._without(known, frame.iloc[2:6])
    assert len(left) == 3 and not np.isin(fingerprints(left), known).any()


def test_rows_are_drawn_once_and_split_in_the_stated_shares(opened, make):
    found, again = (tuning.tuning_rows(opened, "mixed") for _ in range(2))
    for part in PARTS:
        found.schema.check(getattr(found, part))
        assert getattr(found, part).equals(getattr(again, part))
        assert getattr(found, part)["died"].nunique() == 2
    sizes = [len(getattr(found, part)) for part in PARTS]
    assert sum(sizes) == 130 and sizes[2] == round(130 / 3) and sizes[1] == round(130 * 0.15)
    other = tuning.tuning_rows(make(PARAMS.replace("seed: 5", "seed: 6")), "mixed")
    assert not other.train.equals(found.train)


def test_a_table_with_too_few_clean_rows_is_refused(make):
    opened = make(PARAMS.replace("splits: 2, test_share: 0.2", "splits: 12, test_share: 0.3"))
    with pytest.raises(
        ParamsError, match=r"tuning.tables: the 12 splits of mixed leave \d+ rows .* lower study.splits"
    ):
        tuning.tuning_rows(opened, "mixed")


def test_an_absent_table_is_refused(opened):
    marker = opened.paths.skipped("mixed")
    marker.parent.mkdir(parents=True)
    marker.write_text(json.dumps({"reason": "no network"}))
    with pytest.raises(ParamsError, match=r"tuning.tables: mixed could not be had"):
        tuning.tuning_rows(opened, "mixed")
