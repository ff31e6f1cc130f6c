"""Is a line in params.yaml all that a further table takes, and does it leave the other tables alone?

Small files in the publishers' layout stand in a mirror; the catalogue is told their digests.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from synthcohort.cells import rows
from synthcohort.cells.preparing import Summary, prepare_cell
from synthcohort.datasets import fetch
from synthcohort.datasets.catalogue import CATALOGUE
from synthcohort.datasets.load import load
from synthcohort.datasets.table import Table
from synthcohort.study import Params, Paths, Study

ROWS = 80


def california() -> str:
    """Return the text of ROWS block groups, every eighth without its bedrooms."""
    header = (
        "longitude,latitude,housing_median_age,total_rooms,total_bedrooms,population,households,median_income,"
        "median_house_value,ocean_proximity\n"
    )
    lines = []
    for i in range(ROWS):
        bedrooms = "" if i % 8 == 0 else f"{100 + i}.0"
        place = ("INLAND", "NEAR BAY")[i % 2]
        lines.append(
            f"-122.{i:02},37.5,{i % 50}.0,{800 + i}.0,{bedrooms},{300 + i}.0,100.0,3.{i:02},{90000 + i}.0,{place}"
        )
    return header + "\n".join(lines) + "\n"


def ckd() -> str:
    """Return the text of ROWS patients, every seventh without sodium, every ninth without its red blood cells."""
    lines = []
    for i in range(ROWS):
        sodium = "?" if i % 7 == 0 else str(130 + i % 20)
        cells = "?" if i % 9 == 0 else ("normal", "abnormal")[i % 3 == 0]
        label = ("ckd", "notckd")[i % 2]
        lines.append(
            f"{20 + i},80,1.020,1,0,{cells},normal,notpresent,notpresent,{90 + i},36,1.2,{sodium},4.{i % 10},15.4,44,"
            f"{7000 + i},5.2,yes,no,no,good,no,no,{label}"
        )
    return "@relation x\r\n@data\r\n" + "\r\n".join(lines) + "\r\n"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a mirror that holds california, packed on the shelf it has there, and ckd."""
    texts = {"california": california(), "ckd": ckd()}
    for name, text in texts.items():
        entry = CATALOGUE[name]
        digest = hashlib.sha256(text.encode()).hexdigest()
        file = dataclasses.replace(entry.files[0], sha256=digest, size=len(text), sources=())
        monkeypatch.setitem(CATALOGUE, name, dataclasses.replace(entry, files=(file,)))
        folder = tmp_path / "mirror" / {"california": "california_housing"}.get(name, name)
        folder.mkdir(parents=True)
        (folder / f"{file.name}.gz").write_bytes(gzip.compress(text.encode()))
    for name in CATALOGUE.keys() - texts.keys() - {"wdbc", "rare_liver"}:
        files = tuple(dataclasses.replace(file, sources=()) for file in CATALOGUE[name].files)
        monkeypatch.setitem(CATALOGUE, name, dataclasses.replace(CATALOGUE[name], files=files))
    monkeypatch.setenv(fetch.MIRROR, str(tmp_path / "mirror"))
    return tmp_path / "mirror"


def study(root: Path, *names: str) -> Study:
    raw = {
        "study": {"seed": 1, "splits": 2},
        "datasets": {name: {} for name in names},
        "generators": {"independent": {}},
    }
    return Study(Params.model_validate(raw), Paths(root))


def prepared(opened: Study, name: str) -> tuple[Table, Summary]:
    """Return a table as its first two stages have it, the raw one through its file."""
    block = opened.params.datasets[name]
    rows.write_table(load(name, block, opened.paths.raw(name), rng=opened.rng), opened.paths.table(name))
    return rows.read_table(opened.paths.table(name)), prepare_cell(opened, name)


def test_only_the_named_tables_are_brought(tmp_path: Path, mirror: Path) -> None:
    opened = study(tmp_path / "study", "ckd", "wdbc", "california")
    assert [o.origin for o in fetch.bring_all(opened)] == ["mirror", "scikit-learn", "mirror"]
    assert sorted(path.name for path in (tmp_path / "study" / "data").iterdir()) == ["california", "ckd", "wdbc"]
    assert [o.origin for o in fetch.bring_all(opened)] == ["in place"] * 3


def test_a_table_that_cannot_be_had_is_skipped_and_says_where_a_mirror_holds_it(tmp_path: Path, mirror: Path) -> None:
    (kept, skipped) = fetch.bring_all(study(tmp_path / "study", "ckd", "churn"))
    assert not kept.skipped and skipped.skipped
    assert "data/churn/Churn_Modelling.csv" in skipped.remedy
    assert "a folder that holds churn_modelling/Churn_Modelling.csv" in skipped.remedy


def test_a_numeric_target_goes_through_the_first_stages(tmp_path: Path, mirror: Path) -> None:
    opened = study(tmp_path / "study", "california")
    fetch.bring_all(opened)
    table, summary = prepared(opened, "california")
    assert table.schema.task == "regression" and table.schema.target.name == "median_house_value"
    assert table.frame["total_bedrooms"].isna().sum() == ROWS / 8
    assert summary.filled.values.tolist() == [["total_bedrooms", ROWS // 8]] and summary.shared == 0
    assert summary.sizes["positive"].isna().all()
    train, validation = rows.read_development(opened.paths.development("california"), 0)
    assert not train.isna().to_numpy().any() and len(train) + len(validation) < ROWS
    assert np.ptp(train["median_house_value"]) > ROWS / 2


def test_holes_of_both_kinds_reach_the_table_and_are_filled_in_its_splits(tmp_path: Path, mirror: Path) -> None:
    opened = study(tmp_path / "study", "ckd")
    fetch.bring_all(opened)
    table, summary = prepared(opened, "ckd")
    holes = {"rbc": len(range(0, ROWS, 9)), "sod": len(range(0, ROWS, 7))}
    assert {name: n for name, n in table.frame.isna().sum().items() if n} == holes
    assert dict(summary.filled.values.tolist()) == holes
    train, _ = rows.read_development(opened.paths.development("ckd"), 1)
    assert list(train["rbc"].cat.categories) == ["abnormal", "normal"] and not train.isna().to_numpy().any()
