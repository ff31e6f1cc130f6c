"""Is the right table read, and do the overrides of its block do what they say?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthcohort.datasets import fetch
from synthcohort.datasets.load import load, subsample
from synthcohort.datasets.table import Card, Table, TableError
from synthcohort.rng import Rng
from synthcohort.study import DatasetBlock


@pytest.fixture
def wdbc(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "wdbc"
    fetch.bring("wdbc", DatasetBlock(), folder)
    return folder


@pytest.fixture
def rare_liver(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "rare_liver"
    fetch.bring("rare_liver", DatasetBlock(), folder)
    return folder


def test_wdbc_has_its_rows_and_classes(wdbc: Path) -> None:
    table = load("wdbc", DatasetBlock(), wdbc)
    assert table.frame.shape == (569, 31)
    assert table.frame["diagnosis"].value_counts().to_dict() == {"benign": 357, "malignant": 212}
    assert table.schema.positive == "malignant" and not table.card.simulated
    # the first mass of the published file is malignant, with mean radius 17.99 and worst fractal dimension 0.1189
    first = table.frame.iloc[0]
    assert (first["mean radius"], first["worst fractal dimension"], first["diagnosis"]) == (17.99, 0.1189, "malignant")


def test_a_card_survives_its_file(wdbc: Path, tmp_path: Path) -> None:
    card = load("wdbc", DatasetBlock(), wdbc).card
    card.to_json(tmp_path / "card.json")
    assert Card.from_json(tmp_path / "card.json") == card


def test_an_altered_or_absent_file_is_not_read(wdbc: Path) -> None:
    path = wdbc / "breast_cancer.csv"
    path.write_bytes(path.read_bytes().replace(b"17.99", b"18.99", 1))
    with pytest.raises(TableError, match=r"SHA-256.*synthcohort data"):
        load("wdbc", DatasetBlock(), wdbc)
    path.unlink()
    with pytest.raises(TableError, match=r"is not there; run `synthcohort data`"):
        load("wdbc", DatasetBlock(), wdbc)


def test_an_unknown_table_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"no table 'heart'.*adult, .*ilpd, .*pima.*path: file\.csv"):
        load("heart", DatasetBlock(), tmp_path)


def test_a_setting_for_own_tables_is_refused_on_a_known_one(wdbc: Path) -> None:
    with pytest.raises(TableError, match=r"datasets\.wdbc\.drop"):
        load("wdbc", DatasetBlock(drop=["mean radius"]), wdbc)


def test_sensitive_columns_and_restriction_can_be_set(rare_liver: Path) -> None:
    table = load("rare_liver", DatasetBlock(sensitive=["alcohol"], restricted=True), rare_liver)
    assert [c.name for c in table.schema.sensitive] == ["alcohol"] and table.card.restricted
    with pytest.raises(TableError, match="'age' is not a categorical feature"):
        load("rare_liver", DatasetBlock(sensitive=["age"]), rare_liver)


@pytest.mark.parametrize("rows", [100, 333, 1999])
def test_a_subsample_keeps_the_targets_distribution(rare_liver: Path, rows: int) -> None:
    whole = load("rare_liver", DatasetBlock(), rare_liver)
    table = load("rare_liver", DatasetBlock(rows=rows), rare_liver)
    cases = (whole.frame["disease"] == "1").mean()
    assert len(table.frame) == rows
    assert abs((table.frame["disease"] == "1").sum() - cases * rows) <= 1
    assert f"{rows:,} of its 2,000 rows" in table.card.quirks[-1]


def test_a_subsample_depends_on_its_rng_alone(rare_liver: Path) -> None:
    whole = load("rare_liver", DatasetBlock(), rare_liver)
    one, same, other = (subsample(whole, 200, Rng(seed)).frame for seed in (1, 1, 2))
    assert one.equals(same) and not one.equals(other)
    assert load("rare_liver", DatasetBlock(rows=5000), rare_liver).frame.equals(whole.frame)


def with_rare_codes(tmp_path: Path, *, rows: int) -> Table:
    """A table of 400 rows with eight codes that 1 row in 400 has."""
    source = tmp_path / "codes.csv"
    codes = [f"c{j}" for j in range(8)]
    body = "".join(f"{i}.5,{','.join(str(int(i == 7 * j)) for j in range(8))},{i % 2}\n" for i in range(400))
    source.write_text(f"x,{','.join(codes)},y\n{body}")
    block = DatasetBlock(
        path=str(source), target="y", positive="1", rows=rows, kinds=dict.fromkeys(codes, "categorical")
    )
    fetch.bring("codes", block, tmp_path / "data" / "codes")
    return load("codes", block, tmp_path / "data" / "codes")


def test_features_constant_in_a_subsample_are_left_out_and_the_card_says_so(tmp_path: Path) -> None:
    table = with_rare_codes(tmp_path, rows=40)
    kept = [c.name for c in table.schema.columns]
    assert list(table.frame) == kept and {"x", "y"} <= set(kept) and len(kept) < 10
    assert all(table.frame[name].nunique() > 1 for name in kept)
    lost = [f"c{j}" for j in range(8) if f"c{j}" not in kept]
    assert f"Left out, since constant among these: {', '.join(lost[:5])}" in table.card.quirks[-1]
    whole = with_rare_codes(tmp_path, rows=400)
    assert len(whole.schema.columns) == 10 and "Left out" not in " ".join(whole.card.quirks)


def test_a_subsample_without_any_feature_is_refused(rare_liver: Path) -> None:
    whole = load("rare_liver", DatasetBlock(), rare_liver)
    same = whole.frame.copy()
    for column in whole.schema.features:
        same.loc[:, column.name] = same[column.name].iloc[0]
    with pytest.raises(TableError, match="every feature: constant among the 100 rows asked for; set more rows"):
        subsample(replace(whole, frame=same), 100, Rng(1))


def test_an_own_csv_is_read_from_its_copy(tmp_path: Path) -> None:
    source = tmp_path / "mine.csv"
    source.write_text("x,y\n" + "".join(f"{i}.5,{i % 2}\n" for i in range(60)))
    block, folder = DatasetBlock(path=str(source), target="y", positive="1"), tmp_path / "data" / "mine"
    with pytest.raises(TableError, match="synthcohort data"):
        load("mine", block, folder)
    fetch.bring("mine", block, folder)
    source.unlink()
    assert load("mine", block, folder).frame.shape == (60, 2)
