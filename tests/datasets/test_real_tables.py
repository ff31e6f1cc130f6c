"""Are the published tables read as their publishers describe them? Needs SYNTHCOHORT_DATA_MIRROR."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcohort.datasets import fetch
from synthcohort.datasets.load import load
from synthcohort.datasets.table import Table
from synthcohort.preparation import prepare, unseen_levels
from synthcohort.rng import Rng
from synthcohort.splits import fingerprints, make_splits
from synthcohort.study import DatasetBlock

MIRROR = os.environ.get(fetch.MIRROR, "")
pytestmark = pytest.mark.skipif(not MIRROR, reason=f"{fetch.MIRROR} is not set: the published tables are not here")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    root = tmp_path_factory.mktemp("study")
    read = {}
    for name in ("wdbc", "pima", "ilpd", "stroke", "adult"):
        assert not fetch.bring(name, DatasetBlock(), root / "data" / name).skipped
        read[name] = load(name, DatasetBlock(), root / "data" / name)
    return read


@pytest.mark.parametrize(
    ("name", "shape", "positive", "cases", "absent"),
    [
        ("wdbc", (569, 31), "malignant", 212, {}),
        ("pima", (768, 9), "1", 268,
         {"Glucose": 5, "BloodPressure": 35, "SkinThickness": 227, "Insulin": 374, "BMI": 11}),
        ("ilpd", (583, 11), "1", 416, {"albumin_globulin_ratio": 4}),
        ("stroke", (5110, 11), "1", 249, {"bmi": 201}),
        ("adult", (48_842, 15), ">50K", 11_687, {}),
    ],
)  # fmt: skip
def test_shape_classes_and_missing_cells(
    tables: dict[str, Table], name: str, shape: tuple[int, int], positive: str, cases: int, absent: dict[str, int]
) -> None:
    table = tables[name]
    assert table.frame.shape == shape and table.schema.positive == positive
    assert (table.frame[table.schema.target.name] == positive).sum() == cases
    assert {k: v for k, v in table.frame.isna().sum().items() if v} == absent
    assert all(column.meaning for column in table.schema.columns)


def test_levels_that_are_easily_lost(tables: dict[str, Table]) -> None:
    stroke, adult, ilpd = (tables[name].frame for name in ("stroke", "adult", "ilpd"))
    assert (stroke["smoking_status"] == "Unknown").sum() == 1544 and (stroke["gender"] == "Other").sum() == 1
    assert "id" not in stroke and (stroke["age"] % 1 != 0).sum() == 115
    missing = {name: (adult[name] == "missing").sum() for name in ("workclass", "occupation", "native-country")}
    assert missing == {"workclass": 2799, "occupation": 2809, "native-country": 857}
    assert ilpd["gender"].value_counts().to_dict() == {"Male": 441, "Female": 142}
    assert len(ilpd) - len(np.unique(fingerprints(ilpd))) == 13
    assert adult.iloc[:32_561]["income"].value_counts()[">50K"] == 7841


def test_sensitive_columns(tables: dict[str, Table]) -> None:
    found = {name: [c.name for c in table.schema.sensitive] for name, table in tables.items()}
    assert found == {"wdbc": [], "pima": [], "ilpd": ["gender"], "stroke": ["gender"], "adult": ["race", "sex"]}


def test_wdbc_equals_the_file_of_uci(tables: dict[str, Table]) -> None:
    uci = pd.read_csv(Path(MIRROR) / "wdbc" / "wdbc.data", header=None)
    frame = tables["wdbc"].frame
    assert np.array_equal(frame.iloc[:, :30].to_numpy(), uci.iloc[:, 2:].to_numpy())
    assert ((frame["diagnosis"] == "malignant") == (uci[1] == "M")).all()


def test_numbers_equal_an_independent_parse(tables: dict[str, Table]) -> None:
    raw = pd.read_csv(Path(MIRROR) / "stroke" / "healthcare-dataset-stroke-data.csv", na_values=["N/A"])
    for name in ("age", "avg_glucose_level", "bmi"):
        assert np.array_equal(tables["stroke"].frame[name], raw[name], equal_nan=True)


@pytest.mark.parametrize("name", ["wdbc", "pima", "ilpd", "stroke", "adult"])
def test_splits_of_the_real_tables_share_no_row(tables: dict[str, Table], name: str) -> None:
    table = tables[name]
    splits = make_splits(table.frame, table.schema, count=3, test_share=0.2, validation_share=0.1, rng=Rng(20260211))
    unseen_levels(table.frame, table.schema, splits)
    for split in splits:
        parts = prepare(table.frame, table.schema, split)
        sets = [set(fingerprints(part)) for part in (parts.train, parts.validation, parts.test)]
        assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
        assert len(split.test) == pytest.approx(0.2 * len(table.frame), rel=0.01)
