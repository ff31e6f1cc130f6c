"""Score files: tidy, sorted, same bytes for same scores, reasons instead of zeros."""

import math

import pandas as pd
import pytest

from synthcohort import scores
from synthcohort.scores import Score


def frame():
    rows = [Score("fidelity", "shape", 0.1 + 0.2, 10, "up"), scores.failed("utility", "tstr", "one\n class")]
    return scores.to_frame(rows, dataset="d", generator="g", split=1)


def test_written_scores_come_back(tmp_path):
    scores.write(frame(), tmp_path / "a" / "s.csv")
    back = scores.read(tmp_path / "a" / "s.csv")
    assert back["value"].iloc[0] == pytest.approx(0.3)
    assert math.isnan(back["value"].iloc[1])
    assert back["note"].tolist() == ["", "one class"]
    assert not list((tmp_path / "a").glob("*.partial"))


def test_row_order_does_not_change_the_bytes(tmp_path):
    scores.write(frame(), tmp_path / "a.csv")
    scores.write(frame()[::-1], tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_repeated_and_misfiled_scores_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"the same score twice.*shape"):
        scores.write(pd.concat([frame(), frame()]), tmp_path / "a.csv")
    with pytest.raises(ValueError, match=r"unknown axis \['beauty'\]"):
        scores.write(frame().assign(axis="beauty"), tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())


def test_a_file_without_a_column_is_refused_by_name(tmp_path):
    frame().drop(columns="n").to_csv(tmp_path / "a.csv")
    with pytest.raises(ValueError, match=r"a.csv: columns \['n'\] are missing"):
        scores.read(tmp_path / "a.csv")
