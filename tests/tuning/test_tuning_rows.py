"""Rows on which settings are chosen: none of them is a test row, whichever split is asked."""

import json

import numpy as np
import pytest
from tuning_toys import PARAMS, tables

from synthcohort.cells import grouping, holdout, preparing
from synthcohort.datasets.grouped import grouped
from synthcohort.fingerprint import fingerprints
from synthcohort.rng import Rng
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


def seen_by(study, patient_of):
    """Return the patients of the tuning rows, part by part, and those of all test rows."""
    found = tuning.tuning_rows(study, "mixed")
    tests = [holdout.read_test(study.paths.test("mixed"), split) for split in range(study.splits("mixed"))]
    tested = {patient_of[row] for test in tests for row in fingerprints(test)}
    return [{patient_of[row] for row in part} for part in prints(found)], tested


def test_no_patient_of_a_test_part_is_among_the_tuning_rows_and_none_is_in_two_parts(make):
    """The table has three rows of each of 100 patients; where nobody says so they are parted."""
    table = tables()["mixed"]
    patients = Rng(8).numpy().permutation(np.arange(300) // 3)
    patient_of = dict(zip(fingerprints(table.frame), patients))
    assert len(patient_of) == 300
    for known in (True, False):
        study = make()
        grouping.write_table(grouped(table, patients, by="patient") if known else table, study.paths.table("mixed"))
        preparing.prepare_cell(study, "mixed")
        parts, tested = seen_by(study, patient_of)
        common = [len(one & other) for one, other in ((parts[0], parts[1]), (parts[0], parts[2]), (parts[1], parts[2]))]
        assert (sum(common) == 0) == known
        assert (not set.union(*parts) & tested) == known


def test_a_table_with_too_few_clean_rows_is_refused(make):
    opened = make(PARAMS.replace("splits: 2, test_share: 0.2", "splits: 12, test_share: 0.3"))
    with pytest.raises(
        ParamsError, match=r"tuning.tables: the 12 splits of mixed leave \d+ rows .* give it a `reserve`"
    ):
        tuning.tuning_rows(opened, "mixed")


def test_an_absent_table_is_refused(opened):
    marker = opened.paths.skipped("mixed")
    marker.parent.mkdir(parents=True)
    marker.write_text(json.dumps({"reason": "no network"}))
    with pytest.raises(ParamsError, match=r"tuning.tables: mixed could not be had"):
        tuning.tuning_rows(opened, "mixed")
