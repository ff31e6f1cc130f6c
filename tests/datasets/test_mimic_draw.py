"""Is a cohort drawn from the reader's folder once, whole or not at all, and drawn again when it must be?"""

from __future__ import annotations

from pathlib import Path

import pytest
from mimic_toys import mimic3, write3

from synthcohort.datasets import credentialed, fetch
from synthcohort.datasets.load import load
from synthcohort.datasets.table import TableError
from synthcohort.study import DatasetBlock

ICD, MORTALITY = "mimic_icd", "mimic_mortality"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write3(tmp_path / "mimic", mimic3())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "study" / "data" / ICD


def test_without_a_folder_the_table_is_skipped_with_its_remedy(source: Path, folder: Path) -> None:
    outcome = fetch.bring(ICD, DatasetBlock(), folder)
    assert (
        outcome.skipped and "credentialed persons only" in outcome.line and "mimic_icd: {path: FOLDER}" in outcome.line
    )
    with pytest.raises(TableError, match="SKIPPED mimic_icd"):
        load(ICD, DatasetBlock(), folder)
    assert fetch.bring(ICD, DatasetBlock(path=str(source)), folder).origin == "own folder"
    assert sorted(contents(folder)) == [credentialed.COHORT, credentialed.RECEIPT]  # and no marker
    assert fetch.bring(ICD, DatasetBlock(), folder).origin == "in place"


def test_a_draw_is_repeated_only_if_a_file_changed(source: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    block = DatasetBlock(path="../mimic")  # from the study's folder
    fetch.bring(ICD, block, folder)
    before = contents(folder)
    assert fetch.bring(ICD, block, folder).origin == "in place" and contents(folder) == before
    tables = mimic3()
    tables["DIAGNOSES_ICD"].pop()
    write3(source, {"DIAGNOSES_ICD": tables["DIAGNOSES_ICD"]})
    assert fetch.bring(ICD, block, folder).origin == "own folder"
    tables["DIAGNOSES_ICD"][0]["icd9_code"] = "7991"
    write3(source, {"DIAGNOSES_ICD": tables["DIAGNOSES_ICD"]})
    assert fetch.bring(ICD, block, folder).origin == "own folder"
    assert contents(folder)[credentialed.COHORT] != before[credentialed.COHORT]


def test_two_draws_give_the_same_bytes(source: Path, tmp_path: Path) -> None:
    for name in (ICD, MORTALITY):
        folders = [tmp_path / which / "data" / name for which in "ab"]
        for place in folders:
            fetch.bring(name, DatasetBlock(path=str(source)), place)
        assert contents(folders[0]) == contents(folders[1])


def test_a_failed_draw_leaves_the_one_before_as_it_was(source: Path, folder: Path) -> None:
    block = DatasetBlock(path=str(source))
    fetch.bring(ICD, block, folder)
    before = contents(folder)
    path = source / "ADMISSIONS.csv"
    path.write_text(path.read_text()[:-5])
    with pytest.raises(TableError, match="ADMISSIONS"):
        fetch.bring(ICD, block, folder)
    assert contents(folder) == before


def test_a_cohort_without_its_receipt_is_none(source: Path, folder: Path) -> None:
    block = DatasetBlock(path=str(source))
    fetch.bring(ICD, block, folder)
    (folder / credentialed.RECEIPT).unlink()
    with pytest.raises(TableError, match="no cohort was drawn yet; run `synthcohort data`"):
        load(ICD, block, folder)
    assert fetch.bring(ICD, block, folder).origin == "own folder"


def test_a_folder_that_went_away_says_how_to_keep_the_cohort(source: Path, folder: Path) -> None:
    fetch.bring(ICD, DatasetBlock(path=str(source)), folder)
    source.rename(source.with_name("elsewhere"))
    with pytest.raises(TableError, match="to keep the cohort drawn earlier, remove the key"):
        fetch.bring(ICD, DatasetBlock(path=str(source)), folder)


def test_settings_of_a_csv_are_refused(source: Path, folder: Path) -> None:
    fetch.bring(ICD, DatasetBlock(path=str(source)), folder)
    with pytest.raises(TableError, match=r"datasets\.mimic_icd\.target: settable only for your own CSV"):
        load(ICD, DatasetBlock(path=str(source), target="icd9_401"), folder)
