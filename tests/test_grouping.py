"""Do the groups of a reader's rows decide the splits, and reach no file but the one meant for them?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthcohort.cells import grouping, rows
from synthcohort.cells.holdout import read_test
from synthcohort.cells.preparing import Summary, prepare_cell
from synthcohort.datasets import fetch
from synthcohort.datasets.load import load
from synthcohort.report import captions
from synthcohort.study import Params, Paths, Study

PATIENTS = 60
VISITS = (1, 1, 1, 2, 5)  # of the patients in turn


def visits() -> list[tuple[str, int]]:
    """Return identifier and number of the patient of each visit."""
    return [(f"Zz{7919 * p % 100003:05}q", p) for p in range(PATIENTS) for _ in range(VISITS[p % len(VISITS)])]


@pytest.fixture
def opened(tmp_path: Path) -> Study:
    """Return a study whose only table has several rows a patient; `trait` is the patient's own."""
    lines = [f"{name},{300 + p},{i}.25,{(p + i) % 3 // 2}" for i, (name, p) in enumerate(visits())]
    (tmp_path / "visits.csv").write_text("patient_id,trait,marker,died\n" + "\n".join(lines) + "\n")
    block = {"path": "visits.csv", "target": "died", "positive": "1", "group": "patient_id"}
    raw = {"study": {"seed": 3, "splits": 4}, "datasets": {"visits": block}, "generators": {"independent": {}}}
    study = Study(Params.model_validate(raw), Paths(tmp_path))
    fetch.bring_all(study)
    return study


def prepared(study: Study) -> Summary:
    table = load("visits", study.params.datasets["visits"], study.paths.raw("visits"), rng=study.rng)
    grouping.write_table(table, study.paths.table("visits"))
    return prepare_cell(study, "visits")


def test_no_patient_is_in_two_parts_of_a_split(opened: Study) -> None:
    summary = prepared(opened)
    assert (summary.groups, summary.parted, summary.shared) == (PATIENTS, 0, 0)
    for split in range(4):
        parts = [*rows.read_development(opened.paths.development("visits"), split)]
        parts.append(read_test(opened.paths.test("visits"), split))
        traits = [set(part["trait"]) for part in parts]
        assert len(set.union(*traits)) == PATIENTS == sum(len(found) for found in traits)
        assert sum(len(part) for part in parts) == len(visits())


def test_patients_are_parted_where_no_group_is_named(opened: Study) -> None:
    block = opened.params.datasets["visits"].model_copy(update={"group": None, "drop": ["patient_id"]})
    params = opened.params.model_copy(update={"datasets": {"visits": block}})
    alone = Study(params, opened.paths)
    summary = prepared(alone)
    assert summary.groups is None and grouping.read_groups(alone.paths.table("visits")) is None
    train, _ = rows.read_development(alone.paths.development("visits"), 0)
    test = read_test(alone.paths.test("visits"), 0)
    assert set(train["trait"]) & set(test["trait"])


def test_groups_stand_beside_the_table_alone_and_identifiers_nowhere(opened: Study) -> None:
    prepared(opened)
    build = opened.paths.root / "build"
    written = {path.relative_to(build).as_posix(): path.read_text() for path in build.rglob("*") if path.is_file()}
    assert [name for name in written if "group" in name] == ["tables/visits/groups.csv"]
    names = {name for name, _ in visits()}
    assert not [name for name, text in written.items() if any(identifier in text for identifier in names)]
    header = {text.splitlines()[0] for name, text in written.items() if name.endswith(".csv")}
    assert header == {"group", "row,column", "trait,marker,died"}  # holes are places alone
    groups = grouping.read_groups(opened.paths.table("visits"))
    assert groups is not None and np.array_equal(groups, [p for _, p in visits()])


def test_a_table_without_groups_is_written_as_ever(opened: Study, tmp_path: Path) -> None:
    table = load("visits", opened.params.datasets["visits"], opened.paths.raw("visits"))
    grouping.write_table(table, tmp_path / "grouped")
    rows.write_table(table, tmp_path / "plain")
    assert sorted(path.name for path in (tmp_path / "grouped").iterdir()) == sorted(
        [grouping.FILE, *(path.name for path in (tmp_path / "plain").iterdir())]
    )
    for path in (tmp_path / "plain").iterdir():
        assert path.read_bytes() == (tmp_path / "grouped" / path.name).read_bytes()
    assert not list(tmp_path.glob("*.partial"))


def test_the_page_says_what_was_found() -> None:
    assert "1,234 groups, such as patients: over 5 splits none has rows in two parts" in captions.groups(1234, 0, 5)
    assert "over 5 splits 7 have rows in two parts" in captions.groups(1234, 7, 5)
