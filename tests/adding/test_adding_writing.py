"""A new block goes into params.yaml, and every other byte of it stays."""

from __future__ import annotations

import pytest
from adding_files import PARAMS, columns, save, study

from synthcohort.adding import proposal as proposals
from synthcohort.adding import writing
from synthcohort.study import ParamsError, read_params

SHAPES = {
    "in the middle": PARAMS,
    "at the end": PARAMS.replace("datasets:\n  wdbc: {}   # a comment: {with: braces}\n  # one more may follow\n\n", "")
    + "datasets:\n  wdbc: {}",
    "carriage returns": PARAMS.replace("\n", "\r\n"),
    "deeper": PARAMS.replace("  wdbc", "     wdbc"),
    "over several lines": PARAMS.replace("wdbc: {} ", "wdbc:\n    rows: 100 "),
    "a comment behind the key": PARAMS.replace("datasets:", "datasets:   # tables"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_only_new_lines_come_in(tmp_path, shape):
    text = SHAPES[shape]
    opened = study(tmp_path / "study", text)
    found = proposals.propose(opened, save(tmp_path / "cohort.csv", columns()), target="died")
    path = opened.paths.root / "params.yaml"
    writing.insert(path, found)
    after = path.read_bytes().decode()
    ending = "\r\n" if "\r\n" in text else "\n"
    block = [line for line in after.splitlines(keepends=True) if line not in text.splitlines(keepends=True)]
    assert [line.strip() for line in block if line.strip() != "wdbc: {}"] == [line.strip() for line in found.lines]
    assert all(line.endswith(ending) for line in block)
    assert "".join(after.split("".join(block[-len(found.lines) :]))).rstrip() == text.rstrip()
    params = read_params(path)
    assert params.datasets["cohort"] == found.block and list(params.datasets) == ["wdbc", "cohort"]
    assert sorted(p.name for p in path.parent.iterdir()) == ["dvc.yaml", "params.yaml"]


def test_tables_on_one_line_are_left_to_the_reader(tmp_path):
    text = "study: {seed: 1}\ndatasets: {wdbc: {}}\ngenerators: {bootstrap: {}}\n"
    opened = study(tmp_path / "study", text)
    found = proposals.propose(opened, save(tmp_path / "cohort.csv", columns()), target="died")
    path = opened.paths.root / "params.yaml"
    with pytest.raises(ParamsError, match="datasets is not a block with a table a line; write the proposal in by hand"):
        writing.insert(path, found)
    assert path.read_text() == text
