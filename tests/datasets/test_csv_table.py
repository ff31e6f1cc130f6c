"""Does a reader's CSV become the right table, and does every bad one get a message that helps?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcohort.datasets import csv_table, fetch
from synthcohort.datasets.table import TableError
from synthcohort.study import DatasetBlock

N = 60


def good() -> dict[str, list[str]]:
    """Columns of a sound file of N rows, as text."""
    return {
        "age": [str(20 + i % 40) for i in range(N)],
        "marker": [f"{i / 7:.2f}" for i in range(N)],
        "ward": [["north", "south", "east"][i % 3] for i in range(N)],
        "died": [["0", "1"][i % 4 == 0] for i in range(N)],
    }


def text_of(columns: dict[str, list[str]], separator: str = ",") -> str:
    rows = [separator.join(columns), *(separator.join(row) for row in zip(*columns.values()))]
    return "\n".join(rows) + "\n"


def block_of(path: Path, **settings: Any) -> DatasetBlock:
    return DatasetBlock(**{"path": str(path), "target": "died", "positive": "1", **settings})


def test_a_sound_file_is_read_with_inferred_kinds(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text(text_of(good()), encoding="utf-8")
    table = csv_table.read(path, "cohort", block_of(path, sensitive=["ward"]))
    assert [c.kind for c in table.schema.columns] == ["numeric", "numeric", "categorical", "categorical"]
    assert [c.decimals for c in table.schema.numeric] == [0, 2]
    assert [c.role for c in table.schema.columns] == ["feature", "feature", "sensitive", "target"]
    assert table.schema.positive == "1"
    assert any("inferred" in quirk for quirk in table.card.quirks)


def test_names_order_and_levels_survive(tmp_path: Path) -> None:
    columns = good()
    odd = {
        "Âge (années)": columns["age"],
        "性别": columns["ward"],
        " lead": columns["marker"],
        "a,b": columns["marker"],
    }
    path = tmp_path / "cohort.csv"
    text = text_of({**odd, "died": columns["died"]}).replace(",a,b,", ',"a,b",', 1).replace("north", "été")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    table = csv_table.read(path, "cohort", block_of(path))
    assert table.schema.names == ["Âge (années)", "性别", " lead", "a,b", "died"]
    assert table.schema["性别"].levels == ("east", "south", "été")


def test_missing_cells_become_nan_or_a_level(tmp_path: Path) -> None:
    columns = good()
    columns["age"][3], columns["ward"][4], columns["marker"][5] = "NA", "", ""
    path = tmp_path / "cohort.csv"
    path.write_text(text_of(columns), encoding="utf-8")
    table = csv_table.read(path, "cohort", block_of(path, missing=["NA"]))
    assert np.isnan(table.frame["age"][3]) and np.isnan(table.frame["marker"][5])
    assert table.frame["ward"][4] == "missing" and table.schema["ward"].levels[-1] == "missing"


def test_few_integers_are_categorical_and_sorted_as_numbers(tmp_path: Path) -> None:
    columns = good()
    columns["ward"] = [str(i % 10 + 2) for i in range(N)]
    path = tmp_path / "cohort.csv"
    path.write_text(text_of(columns), encoding="utf-8")
    table = csv_table.read(path, "cohort", block_of(path))
    assert table.schema["ward"].levels == tuple(str(i) for i in range(2, 12))
    declared = csv_table.read(path, "cohort", block_of(path, kinds={"ward": "numeric"}))
    assert declared.schema["ward"].numeric


def test_a_numeric_target_is_regression_and_the_rarest_class_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text(text_of(good()), encoding="utf-8")
    regression = csv_table.read(path, "cohort", block_of(path, target="marker", positive=None))
    assert regression.schema.task == "regression"
    unset = csv_table.read(path, "cohort", block_of(path, positive=None))
    assert unset.schema.positive == "1" and any("rarest" in quirk for quirk in unset.card.quirks)


def _column(name: str, cells: list[str]) -> dict[str, list[str]]:
    return {**good(), name: cells}


def _bad_cell(name: str, cell: str, row: int = 5) -> dict[str, list[str]]:
    columns = good()
    columns[name][row] = cell
    return columns


_LONE = [["0", "1"][i >= 5] for i in range(N)]

# what is wrong -> (file's text or bytes, settings, every phrase the message must hold beside the file's name)
BAD: dict[str, tuple[str | bytes, dict[str, Any], list[str]]] = {
    "target not set": (text_of(good()), {"target": None}, ["target is not set", "'died'"]),
    "target missing from file": (
        text_of(good()), {"target": "dead"}, ["'dead'", "did you mean 'died'", "target"]
    ),
    "one class only": (text_of(_column("died", ["1"] * N)), {}, ["'died'", "one class only", "at least two"]),
    "rare class": (text_of(_column("died", _LONE)), {}, ["'died'", "class '0'", "5 row", "merge"]),
    "target cell missing": (text_of(_bad_cell("died", "")), {}, ["'died'", "line 7", "remove those rows"]),
    "positive absent": (text_of(good()), {"positive": "yes"}, ["'died'", "'yes'", "['0', '1']"]),
    "positive for a numeric target": (
        text_of(good()), {"target": "age", "kinds": {"age": "numeric"}}, ["'age'", "positive", "remove"]
    ),
    "all missing": (text_of(_column("empty", [""] * N)), {}, ["'empty'", "every cell is missing", "drop"]),
    "constant number": (text_of(_column("c", ["7.5"] * N)), {}, ["'c'", "constant", "drop"]),
    "constant declared": (
        text_of(_column("c", ["7"] * N)), {"kinds": {"c": "numeric"}}, ["'c'", "constant", "drop"]
    ),
    "constant level": (text_of(_column("c", ["x"] * N)), {}, ["'c'", "constant", "drop"]),
    "constant number with gaps": (
        text_of(_column("c", ["1.5", ""] * (N // 2))), {}, ["'c'", "constant", "drop"]
    ),
    "infinite": (text_of(_bad_cell("marker", "-inf")), {}, ["'marker'", "infinite", "line 7", "empty"]),
    "overflowing": (text_of(_bad_cell("marker", "1e999")), {}, ["'marker'", "too large", "unit"]),
    "duplicate name": (
        text_of(good()).replace("age,marker", "age,age", 1), {}, ["'age'", "columns [1, 2]", "rename"]
    ),
    "empty name": (text_of(good()).replace("age,", ",", 1), {}, ["column 1", "empty name", "row index"]),
    "10,000 levels": (
        text_of({"code": [f"v{i}" for i in range(10_000)] * 2, "died": ["0", "1"] * 10_000}),
        {}, ["'code'", "10000 levels", "1000", "drop"],
    ),
    "identifier": (text_of(_column("id", [f"p{i}" for i in range(N)])), {}, ["'id'", "identifier", "drop"]),
    "not UTF-8": (
        text_of(_bad_cell("ward", "été")).encode("latin-1"), {}, ["not UTF-8", "line 7", "0xe9", "UTF-8"]
    ),
    "zero byte": (text_of(_bad_cell("ward", "a\0b")), {}, ["zero byte", "UTF-8"]),
    "empty file": ("", {}, ["empty", "supply"]),
    "blank file": ("\n \n", {}, ["empty", "supply"]),
    "header only": ("age,died\n", {}, ["no rows", "supply"]),
    "wrong delimiter": (text_of(good(), ";"), {}, ["wrong delimiter", "';' gives 4", 'separator: ";"']),
    "tab for comma": (text_of(good(), "\t"), {}, ["wrong delimiter", "'\\t' gives 4", 'separator: "\\t"']),
    "one column": ("died\n" + "1\n0\n" * N, {}, ["only column is 'died'"]),
    "long separator": (text_of(good()), {"separator": ", "}, ["separator ', '", "one character"]),
    "ragged row": (
        text_of(good()).replace("\n21,", "\n21,9,", 1), {}, ["line 3 has 5 cells", "header has 4", "separator"]
    ),
    "open quote": (text_of(good()) + '"never closed\n', {}, ["not sound CSV", "quotation"]),
    "text among numbers": (
        text_of(_bad_cell("age", "unknown")), {},
        ["'age'", "1 of 60", "row 6", "line 7", "'unknown'", "missing", "categorical"],
    ),
    "text in a declared number": (
        text_of(good()), {"kinds": {"ward": "numeric"}}, ["'ward'", "60 of 60", "row 1", "categorical"]
    ),
    "decimal comma": (
        text_of(good(), ";").replace(";0.14;", ";0,14;"), {"separator": ";"}, ["'marker'", "decimal comma"]
    ),
    "unknown kind column": (
        text_of(good()), {"kinds": {"aeg": "numeric"}}, ["kinds", "'aeg'", "did you mean 'age'"]
    ),
    "unknown sensitive": (
        text_of(good()), {"sensitive": ["Ward"]}, ["sensitive", "'Ward'", "did you mean 'ward'"]
    ),
    "unknown drop": (text_of(good()), {"drop": ["markr"]}, ["drop", "'markr'", "did you mean 'marker'"]),
    "numeric sensitive": (text_of(good()), {"sensitive": ["age"]}, ["'age'", "groups", "categorical"]),
    "sensitive target": (text_of(good()), {"sensitive": ["died"]}, ["'died'", "target and sensitive"]),
    "dropped target": (text_of(good()), {"drop": ["died"]}, ["'died'", "target and dropped"]),
    "dropped and typed": (
        text_of(good()), {"drop": ["age"], "kinds": {"age": "numeric"}}, ["'age'", "dropped", "keep one"]
    ),
    "only the target left": (text_of(good()), {"drop": ["age", "marker", "ward"]}, ["only the target", "drop fewer"]),
    "few rows": ("\n".join(text_of(good()).splitlines()[:31]) + "\n", {}, ["30 rows", "50"]),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_bad_input_is_refused_by_name_and_nothing_is_written(tmp_path: Path, fault: str) -> None:
    content, settings, phrases = BAD[fault]
    path = tmp_path / "cohort.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    folder = tmp_path / "study" / "data" / "cohort"
    with pytest.raises(TableError) as caught:
        fetch.bring("cohort", block_of(path, **settings), folder)
    message = str(caught.value)
    for phrase in ["cohort.csv", *phrases]:
        assert phrase in message, message
    assert not (tmp_path / "study").exists()


def test_the_byte_of_a_foreign_encoding_is_counted_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    raw = b"\xef\xbb\xbf" + text_of(good()).encode() + b"21,1.0,\xe9t\xe9,0\n"
    path.write_bytes(raw)
    with pytest.raises(TableError) as caught:
        csv_table.read(path, "cohort", block_of(path))
    found = re.search(r"byte (\d+) ", str(caught.value))
    assert found is not None and raw[int(found[1])] == 0xE9


@pytest.mark.parametrize("fault", ["text among numbers", "rare class", "positive absent", "decimal comma"])
def test_a_restricted_table_shows_no_cell(tmp_path: Path, fault: str) -> None:
    content, settings, _ = BAD[fault]
    assert isinstance(content, str)
    path = tmp_path / "cohort.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TableError) as caught:
        csv_table.read(path, "cohort", block_of(path, restricted=True, **settings))
    for cell in ("unknown", "class '0'", "['0', '1']", "0,14"):
        assert cell not in str(caught.value)


@pytest.mark.parametrize("restricted", [True, False])
def test_a_restricted_table_without_a_header_does_not_list_its_first_row(tmp_path: Path, restricted: bool) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text(text_of(good()).partition("\n")[2], encoding="utf-8")
    first = path.read_text(encoding="utf-8").partition(",")[0]
    with pytest.raises(TableError, match="no column 'died'") as caught:
        csv_table.read(path, "cohort", block_of(path, restricted=restricted))
    assert (f"'{first}'" in str(caught.value)) != restricted
    assert ("is the header missing" in str(caught.value)) == restricted


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"nowhere\.csv: no such file"):
        fetch.bring("cohort", block_of(tmp_path / "nowhere.csv"), tmp_path / "study" / "data" / "cohort")
    assert not (tmp_path / "study").exists()


def test_cells_written_as_pandas_would_read_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text(text_of(good()), encoding="utf-8")
    table = csv_table.read(path, "cohort", block_of(path))
    expected = pd.read_csv(path)
    assert np.array_equal(table.frame["marker"], expected["marker"])
    assert table.frame["died"].astype(str).tolist() == expected["died"].astype(str).tolist()
